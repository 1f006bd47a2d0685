"""Which members of a JWKS are taken."""

from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, ed448, rsa, x25519
from jwt.algorithms import ECAlgorithm, OKPAlgorithm, RSAAlgorithm

from groupsvc.auth.keys import RSA_ALGORITHMS, read_key

from .forge import EC, ED, RSA, b64, jwk

RSA_JWK, EC_JWK, ED_JWK = jwk(RSA, "k"), jwk(EC, "k"), jwk(ED, "k")


def without(members: dict[str, Any], name: str) -> dict[str, Any]:
    return {key: value for key, value in members.items() if key != name}


@pytest.mark.parametrize(
    ("member", "algorithms"),
    [
        (RSA_JWK, RSA_ALGORITHMS),
        (EC_JWK, {"ES256"}),
        (ED_JWK, {"EdDSA"}),
        ({**RSA_JWK, "alg": "RS256"}, {"RS256"}),
        (without(RSA_JWK, "use"), RSA_ALGORITHMS),
        ({**RSA_JWK, "x5c": ["MIIB"], "x5t": "x", "unknown": {"a": 1}}, RSA_ALGORITHMS),
        ({**RSA_JWK, "key_ops": ["verify"]}, RSA_ALGORITHMS),
    ],
)
def test_a_key_for_signatures_is_taken(member: dict[str, Any], algorithms: set[str]) -> None:
    key = read_key(member)
    assert key is not None
    assert (key.kid, key.algorithms) == ("k", algorithms)


REFUSED: dict[str, dict[str, Any]] = {
    "nothing": {},
    "symmetric": {"kty": "oct", "kid": "k", "k": b64(b"s" * 32)},
    "symmetric, said to be RS256": {"kty": "oct", "kid": "k", "k": b64(b"s" * 32), "alg": "RS256"},
    "for encryption": {**RSA_JWK, "use": "enc"},
    "for something else": {**RSA_JWK, "use": ["sig"]},
    "encryption algorithm": {**RSA_JWK, "alg": "RSA-OAEP"},
    "algorithm of another family": {**RSA_JWK, "alg": "ES256"},
    "algorithm none": {**RSA_JWK, "alg": "none"},
    "algorithm null": {**RSA_JWK, "alg": None},
    "algorithm is a list": {**RSA_JWK, "alg": ["RS256"]},
    "RSA of 1024 bits": jwk(rsa.generate_private_key(65_537, 1_024), "k"),
    "RSA with an even exponent": {**RSA_JWK, "e": b64(b"\2")},
    "RSA with exponent 1": {**RSA_JWK, "e": b64(b"\1")},
    "RSA without modulus": without(RSA_JWK, "n"),
    "RSA with a numeric modulus": {**RSA_JWK, "n": 5},
    "RSA with an empty modulus": {**RSA_JWK, "n": ""},
    "RSA with modulus null": {**RSA_JWK, "n": None},
    "RSA, private": RSAAlgorithm.to_jwk(RSA, as_dict=True) | {"kid": "k"},
    "elliptic, private": ECAlgorithm.to_jwk(EC, as_dict=True) | {"kid": "k"},
    "Edwards, private": OKPAlgorithm.to_jwk(ED, as_dict=True) | {"kid": "k"},
    "P-384": jwk(ec.generate_private_key(ec.SECP384R1()), "k"),
    "secp256k1": jwk(ec.generate_private_key(ec.SECP256K1()), "k"),
    "elliptic, off the curve": {**EC_JWK, "x": b64(b"\1" * 32), "y": b64(b"\1" * 32)},
    "elliptic, too short": {**EC_JWK, "x": b64(b"\1" * 31)},
    "elliptic, no curve": without(EC_JWK, "crv"),
    "elliptic, curve is a list": {**EC_JWK, "crv": ["P-256"]},
    "Ed448": OKPAlgorithm.to_jwk(ed448.Ed448PrivateKey.generate().public_key(), as_dict=True)
    | {"kid": "k"},
    "X25519": {
        **ED_JWK,
        "crv": "X25519",
        "x": b64(x25519.X25519PrivateKey.generate().public_key().public_bytes_raw()),
    },
    "Edwards, too short": {**ED_JWK, "x": b64(b"\1" * 31)},
    "Edwards, no base64": {**ED_JWK, "x": "!!!"},
    "kind unknown": {**RSA_JWK, "kty": "XYZ"},
    "kind in small letters": {**RSA_JWK, "kty": "rsa"},
    "kind is a list": {**RSA_JWK, "kty": ["RSA"]},
    "kind missing": without(RSA_JWK, "kty"),
    "name empty": {**RSA_JWK, "kid": ""},
    "name is a number": {**RSA_JWK, "kid": 1},
    "name is a list": {**RSA_JWK, "kid": ["k"]},
    "name with a newline": {**RSA_JWK, "kid": "k\n"},
}


@pytest.mark.parametrize("member", REFUSED.values(), ids=REFUSED)
def test_any_other_is_not(member: dict[str, Any]) -> None:
    assert read_key(member) is None
