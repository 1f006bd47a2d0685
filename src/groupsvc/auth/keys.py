"""Public keys that may verify a token, and where they come from."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, EllipticCurvePublicKey
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from jwt import PyJWK, PyJWTError

from groupsvc.domain.grants import is_name

PublicKey = RSAPublicKey | EllipticCurvePublicKey | Ed25519PublicKey

RSA_ALGORITHMS = frozenset({"RS256", "RS384", "RS512", "PS256", "PS384", "PS512"})
ALGORITHMS = RSA_ALGORITHMS | {"ES256", "EdDSA"}

_ALGORITHM_OF_TYPE = {"RSA": "RS256", "EC": "ES256", "OKP": "EdDSA"}
_MIN_RSA_BITS = 2048


@dataclass(frozen=True, slots=True)
class VerifyingKey:
    """``algorithms`` are those the key is made for: a token that names another is refused.

    One without a ``kid`` serves tokens that name none.
    """

    kid: str | None
    public: PublicKey
    algorithms: frozenset[str]


class KeySource(Protocol):
    """Where an issuer's keys come from."""

    async def find(self, kid: str) -> VerifyingKey | None:
        """The issuer's key of that name.

        Raises UnavailableError when it cannot be told whether the issuer has such a key.
        """
        ...

    async def every(self, *, again: bool = False) -> Sequence[VerifyingKey]:
        """All keys of the issuer; ``again`` looks for newer ones first, if it is time to.

        Raises UnavailableError when there is none just now.
        """
        ...

    async def aclose(self) -> None: ...


def read_key(jwk: Mapping[str, object]) -> VerifyingKey | None:
    """A member of a JWKS, or nothing when it is not one for verifying signatures."""
    kid, kty = jwk.get("kid"), jwk.get("kty")
    if not isinstance(kty, str) or kty not in _ALGORITHM_OF_TYPE:
        return None
    if "kid" in jwk and not is_name(kid):
        return None
    if jwk.get("use", "sig") != "sig":
        return None
    try:
        public = PyJWK(dict(jwk), _ALGORITHM_OF_TYPE[kty]).key
    except (PyJWTError, UnsupportedAlgorithm):
        return None
    algorithms = _algorithms(public)
    if "alg" in jwk:
        algorithms = frozenset(name for name in algorithms if name == jwk["alg"])
    name = kid if is_name(kid) else None
    return VerifyingKey(name, public, algorithms) if algorithms else None


def _algorithms(public: object) -> frozenset[str]:
    """None for a private key, too: once it is published it proves nothing any more."""
    if isinstance(public, RSAPublicKey) and public.key_size >= _MIN_RSA_BITS:
        return RSA_ALGORITHMS
    if isinstance(public, EllipticCurvePublicKey) and isinstance(public.curve, SECP256R1):
        return frozenset({"ES256"})
    if isinstance(public, Ed25519PublicKey):
        return frozenset({"EdDSA"})
    return frozenset()
