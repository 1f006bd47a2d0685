"""Tokens that are signed by others, or in other ways, or are tokens of another kind."""

import gzip
import hashlib
import hmac
import json
import zlib
from typing import Any

from cryptography.hazmat.primitives.asymmetric import ec, ed448
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from .forge import EC, NOW, RSA, b64, claims, decoded, forge, forge_mac, header, jwk, segment

GOOD = forge()
HEAD, BODY, SIGNATURE = GOOD.split(".")
PEM = RSA.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)

OTHER_CURVES = {
    "P-384": ec.generate_private_key(ec.SECP384R1()),
    "secp256k1": ec.generate_private_key(ec.SECP256K1()),
    "another of P-256": ec.generate_private_key(ec.SECP256R1()),
}


def signed(alg: str, sign: Any, **changes: Any) -> str:
    """With what ``sign`` makes of the text, as a signature."""
    text = f"{segment(header(alg, **changes))}.{segment(claims())}"
    return f"{text}.{b64(sign(text.encode()))}"


def elliptic(key: Any) -> Any:
    return lambda text: key.sign(text, ec.ECDSA(SHA256()))


def mac(secret: bytes) -> Any:
    return lambda text: hmac.new(secret, text, hashlib.sha256).digest()


def raw(alg: str, change: Any) -> str:
    """A good token with other bytes of its signature."""
    head, body, signature = forge(header(alg), alg=alg).split(".")
    data = decoded(signature)
    return f"{head}.{body}.{b64(change(data))}"


WRONGLY_SIGNED = {
    "elliptic signature in DER": signed("ES256", elliptic(EC)),
    **{
        f"{alg} signature {name}": raw(alg, change)
        for alg in ("RS256", "ES256", "EdDSA")
        for name, change in {
            "one byte short": lambda data: data[:-1],
            "one byte long": lambda data: data + b"\0",
            "with a zero before": lambda data: b"\0" + data,
            "twice": lambda data: data + data,
            "turned round": lambda data: data[::-1],
            "of one byte": lambda data: data[:1],
        }.items()
    },
    **{
        f"{name}, for the name of ours": signed("ES256", elliptic(key))
        for name, key in OTHER_CURVES.items()
    },
    "P-384 in the header": signed(
        "ES256",
        elliptic(OTHER_CURVES["P-384"]),
        jwk=jwk(OTHER_CURVES["another of P-256"], "ec-1"),
    ),
    "Ed448, for the name of ours": signed("EdDSA", ed448.Ed448PrivateKey.generate().sign),
}

PLAIN = json.dumps(claims()).encode()
COMPRESSOR = zlib.compressobj(wbits=-15)
PARTS = f"{b64(b'k' * 32)}.{b64(b'i' * 12)}.{b64(b'c' * 64)}.{b64(b't' * 16)}"

WRAPPED = {
    "compressed": forge(
        header(zip="DEF"), COMPRESSOR.compress(PLAIN) + COMPRESSOR.flush(zlib.Z_FINISH)
    ),
    "compressed, and a bomb": forge(header(zip="DEF"), zlib.compress(b" " * 5_000_000 + PLAIN)),
    "compressed by gzip": forge(header(zip="GZ"), gzip.compress(PLAIN)),
    **{
        f"encrypted by {alg}": f"{segment({'alg': alg, 'enc': 'A256GCM', **more})}.{PARTS}"
        for alg, more in {
            "dir": {},
            "A256KW": {"kid": "rsa-1"},
            "RSA-OAEP": {"kid": "rsa-1", "zip": "DEF"},
            "RSA1_5": {"kid": "rsa-1"},
            "ECDH-ES": {"kid": "ec-1", "epk": jwk(EC, "ec-1")},
            "PBES2-HS256+A128KW": {"p2c": 2**31 - 1, "p2s": b64(b"salt")},
        }.items()
    },
    "header of an encrypted one": forge(header(enc="A256GCM", alg="RSA-OAEP", kid="rsa-1")),
    "nested": forge(header(cty="JWT"), GOOD),
    "nested, as a text": forge(header(cty="JWT"), json.dumps(GOOD)),
    "as JSON": json.dumps({"protected": HEAD, "payload": BODY, "signature": SIGNATURE}),
    "as JSON with several signatures": json.dumps(
        {"payload": BODY, "signatures": [{"protected": HEAD, "signature": SIGNATURE}]}
    ),
    "percent-encoded": GOOD.replace(".", "%2E"),
    "in quotes": f'"{GOOD}"',
    "two at once": f"{GOOD}, {GOOD}",
}

_ADDRESSES = (
    *("https://evil.example/jwks", "http://127.0.0.1:1/", "file:///etc/passwd", "/dev/null"),
    *("rsa-1' UNION SELECT 'x", "..\\..\\x", "$(id)", "{{7*7}}", "rsa-1\r\nx: y", "RSA-1 "),
)
NAMES = {
    **{f"kid {name!r}": forge(header(kid=name)) for name in _ADDRESSES},
    **{f"HS256, kid {name!r}": forge_mac(b"", kid=name) for name in _ADDRESSES},
    **{
        f"{alg} with the public key as PEM": signed(alg, mac(PEM))
        for alg in ("HS384", "HS512", "hs256", "RS256 ")
    },
}

EXPIRED = {
    "expired": forge(body=claims(iat=NOW - 600, exp=NOW - 31)),
    "expired long ago": forge(body=claims(iat=0, exp=600)),
    "expired before time": forge(body=claims(iat=-(10**9), exp=-(10**9) + 600)),
    "expired to the second": forge(body=claims(exp=NOW - 30.0)),
}
LATE = {
    **EXPIRED,
    "nbf far ahead": forge(body=claims(nbf=NOW + 86_400)),
    "nbf beyond everything": forge(body=claims(nbf=10**30)),
    "iat beyond everything": forge(body=claims(iat=10**30, exp=10**30 + 1)),
}
