"""The signing key that a developer's installation makes for itself."""

import base64
import contextlib
import hashlib
import os
import secrets
import time
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

import jwt
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from groupsvc.auth.claims import TokenRules
from groupsvc.auth.keys import VerifyingKey
from groupsvc.domain.errors import InvalidError
from groupsvc.domain.grants import format_grant
from groupsvc.domain.principal import Grant
from groupsvc.settings import Settings

DEVELOPMENT_ISSUER = "groupsvc-development"
KEY_FILE = "development-key.pem"


class DevelopmentKeyError(RuntimeError):
    """There is no development key to be had, for a reason the operator can act on."""


class DevelopmentKey:
    """An issuer of its own, whose private key is a file that the first process to need it makes.

    Raises DevelopmentKeyError when the file holds anything else.
    """

    def __init__(
        self, path: Path, rules: TokenRules, *, clock: Callable[[], float] = time.time
    ) -> None:
        self._private = _load_or_make(path)
        self._rules = rules
        self._clock = clock
        public = self._private.public_key()
        digest = hashlib.sha256(public.public_bytes_raw()).digest()
        kid = base64.urlsafe_b64encode(digest[:12]).decode()
        self._key = VerifyingKey(kid, public, frozenset({"EdDSA"}))

    @property
    def rules(self) -> TokenRules:
        return self._rules

    async def find(self, kid: str) -> VerifyingKey | None:
        return self._key if kid == self._key.kid else None

    async def every(self, *, again: bool = False) -> Sequence[VerifyingKey]:  # noqa: ARG002 - as other sources of keys
        return (self._key,)

    async def aclose(self) -> None:
        """Nothing is open."""

    def issue(
        self,
        subject: str,
        grants: Iterable[Grant] = (),
        *,
        username: str | None = None,
        lifetime: int = 3_600,
    ) -> str:
        """A token for the subject.

        Raises InvalidError when it would outlive what the verifier accepts.
        """
        if not 0 < lifetime <= self._rules.max_lifetime:
            raise InvalidError("the lifetime of a token is outside its limits")
        rules, now = self._rules, int(self._clock())
        claims: dict[str, object] = {"iss": rules.issuer, "aud": rules.audience, "sub": subject}
        claims |= {"iat": now, "exp": now + lifetime}
        claims[rules.grants_claim] = sorted(map(format_grant, grants))
        if username is not None:
            claims[rules.username_claim] = username
        headers = {"typ": "at+jwt", "kid": self._key.kid}
        return jwt.encode(claims, self._private, algorithm="EdDSA", headers=headers)


def open_development_key(settings: Settings, home: Path) -> DevelopmentKey:
    """Raises DevelopmentKeyError in production, where anyone with the file could be anyone."""
    if settings.env == "production":
        raise DevelopmentKeyError("production refuses development keys: use an identity provider")
    rules = TokenRules(
        issuer=DEVELOPMENT_ISSUER,
        audience=settings.jwt_audience,
        algorithms=frozenset({"EdDSA"}),
        username_claim=settings.jwt_username_claim,
        grants_claim=settings.jwt_grants_claim,
        max_lifetime=settings.jwt_max_lifetime,
    )
    return DevelopmentKey(home / KEY_FILE, rules)


def _load_or_make(path: Path) -> Ed25519PrivateKey:
    if not path.exists():
        _make(path)
    try:
        key = serialization.load_pem_private_key(path.read_bytes(), password=None)
    except (ValueError, TypeError):
        key = None
    if not isinstance(key, Ed25519PrivateKey):
        raise DevelopmentKeyError(f"{path} is not an Ed25519 private key: remove it for a new one")
    return key


def _make(path: Path) -> None:
    """Make the file whole or not at all. Of several processes the first one wins."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    pem = Ed25519PrivateKey.generate().private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
    draft = path.with_name(f".{path.name}.{secrets.token_hex(8)}")
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(pem)
            file.flush()
            os.fsync(file.fileno())
        # Unlike a rename, a link does not replace the key that another process has begun to use.
        with contextlib.suppress(FileExistsError):
            path.hardlink_to(draft)
    finally:
        draft.unlink()
