"""Tokens and keys made by hand, for what no library would sign."""

import base64
import hashlib
import hmac
import json
from collections.abc import Sequence
from typing import Any

from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from jwt import get_algorithm_by_name
from jwt.algorithms import get_default_algorithms

from groupsvc.auth.claims import TokenRules
from groupsvc.auth.keys import VerifyingKey, read_key

NOW = 1_800_000_000
ISSUER = "https://id.example.org/realm"
RULES = TokenRules(
    issuer=ISSUER,
    audience="groupsvc",
    algorithms=frozenset({"RS256", "ES256", "EdDSA"}),
    username_claim="preferred_username",
    grants_claim="groupsvc_grants",
    max_lifetime=86_400,
)

RSA = rsa.generate_private_key(65_537, 2_048)
EC = ec.generate_private_key(ec.SECP256R1())
ED = ed25519.Ed25519PrivateKey.generate()
STRANGER = rsa.generate_private_key(65_537, 2_048)
BY_ALGORITHM = {"RS256": RSA, "ES256": EC, "EdDSA": ED}
KID = {"RS256": "rsa-1", "ES256": "ec-1", "EdDSA": "ed-1"}


class Clock:
    def __init__(self, now: float = NOW) -> None:
        self.now = now

    def __call__(self) -> float:
        return self.now

    def advance(self, seconds: float) -> None:
        self.now += seconds


class Published:
    """Keys that are simply there, and a count of how often one was asked for."""

    def __init__(self, *jwks: dict[str, Any]) -> None:
        keys = [key for key in map(read_key, jwks) if key is not None]
        self.keys: dict[str | None, VerifyingKey] = {key.kid: key for key in keys}
        self.asked = 0

    async def find(self, kid: str) -> VerifyingKey | None:
        self.asked += 1
        return self.keys.get(kid)

    async def every(self, *, again: bool = False) -> Sequence[VerifyingKey]:
        self.asked += not again
        return list(self.keys.values())

    async def aclose(self) -> None:
        self.keys.clear()


def jwk(key: Any, kid: str, **more: Any) -> dict[str, Any]:
    """The public half of a key, as an identity provider publishes it."""
    family = {rsa.RSAPrivateKey: "RS256", ed25519.Ed25519PrivateKey: "EdDSA"}
    name = next((name for kind, name in family.items() if isinstance(key, kind)), "ES256")
    made = get_default_algorithms()[name].to_jwk(key.public_key(), as_dict=True)
    made.pop("key_ops", None)
    return {**made, "kid": kid, "use": "sig", **more}


PUBLISHED = [jwk(key, KID[name], alg=name) for name, key in BY_ALGORITHM.items()]


def b64(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def decoded(text: str) -> bytes:
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


def segment(value: Any) -> str:
    """Text and bytes as they are, anything else as JSON."""
    if isinstance(value, str):
        value = value.encode(errors="surrogatepass")
    return b64(value if isinstance(value, bytes) else json.dumps(value).encode())


def header(alg: Any = "RS256", **changes: Any) -> dict[str, Any]:
    kid = KID.get(alg, "rsa-1") if isinstance(alg, str) else "rsa-1"
    return without_none({"typ": "at+jwt", "alg": alg, "kid": kid, **changes})


def claims(**changes: Any) -> dict[str, Any]:
    """What a good token says, with changes; ``...`` leaves a claim out."""
    good = {"iss": ISSUER, "aud": "groupsvc", "sub": "anna", "iat": NOW - 60, "exp": NOW + 600}
    return without_none({**good, **changes})


def without_none(members: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in members.items() if value is not ...}


def forge(head: Any = None, body: Any = None, *, alg: str = "RS256", key: Any = None) -> str:
    """A token with any header and payload, signed with ``alg`` whatever the header says."""
    text = f"{segment(header(alg) if head is None else head)}."
    text += segment(claims() if body is None else body)
    signature = get_algorithm_by_name(alg).sign(text.encode(), key or BY_ALGORITHM[alg])
    return f"{text}.{b64(signature)}"


def forge_mac(secret: bytes, **changes: Any) -> str:
    """HS256 with any secret: the library refuses those that look like public keys."""
    text = f"{segment(header('HS256', **changes))}.{segment(claims())}"
    return f"{text}.{b64(hmac.new(secret, text.encode(), hashlib.sha256).digest())}"


def unsigned(alg: Any, signature: str = "") -> str:
    return f"{segment(header(alg))}.{segment(claims())}.{signature}"
