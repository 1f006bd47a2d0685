"""Which issuers are believed, and the one door through which their tokens come."""

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from urllib.parse import urlsplit

from groupsvc.auth.claim_grants import ClaimGrants, parse_permissions
from groupsvc.auth.claims import TokenRules
from groupsvc.auth.compact import read_compact, refused
from groupsvc.auth.development import DEVELOPMENT_ISSUER, open_development_key
from groupsvc.auth.jwks import KeySet, read_key_set
from groupsvc.auth.jwt import JwtVerifier
from groupsvc.auth.key_documents import KeyDocument, PublishedDocument, StoredDocument
from groupsvc.domain.grants import NO_OTHER_NAMES
from groupsvc.domain.principal import Permission, Principal
from groupsvc.settings import Settings

_LOOPBACK = frozenset({"127.0.0.1", "::1", "localhost"})


class Verifier:
    """Hands a token to the verifier of the issuer it names, which then checks that name too."""

    def __init__(self, issuers: Mapping[str, JwtVerifier]) -> None:
        self._issuers = issuers

    async def verify(self, token: str) -> tuple[Principal, float]:
        """The caller, and when the token expires in seconds since the epoch.

        Raises UnauthenticatedError with code ``invalid_token`` or ``token_expired``, and
        UnavailableError when the issuer's keys cannot be had.
        """
        compact = read_compact(token)
        issuer = compact.claims.get("iss")
        verifier = self._issuers.get(issuer) if isinstance(issuer, str) else None
        if verifier is None:
            raise refused("the token is from an issuer that is not known")
        return await verifier.check(compact)

    async def aclose(self) -> None:
        for verifier in self._issuers.values():
            await verifier.aclose()


def make_verifier(
    settings: Settings, home: Path, permission_names: Mapping[str, Permission] = NO_OTHER_NAMES
) -> Verifier:
    """The issuers that the settings name: an identity provider, and in development our own key.

    Raises ValueError for settings that contradict themselves and DevelopmentKeyError when the key
    file in ``home`` is not one.
    """
    issuers = identity_provider(settings, permission_names)
    if settings.env == "development":
        key = open_development_key(settings, home)
        issuers[DEVELOPMENT_ISSUER] = JwtVerifier(
            replace(key.rules, permission_names=permission_names), key
        )
    return Verifier(issuers)


def identity_provider(
    settings: Settings, permission_names: Mapping[str, Permission] = NO_OTHER_NAMES
) -> dict[str, JwtVerifier]:
    """The one that the settings name, if any. Raises ValueError, which names the setting."""
    if not settings.jwt_issuer and not any(_key_settings(settings).values()):
        return {}
    if not settings.jwt_issuer:
        raise ValueError("an identity provider needs GROUPSVC_JWT_ISSUER")
    rules = TokenRules(
        issuer=settings.jwt_issuer,
        audience=settings.jwt_audience,
        algorithms=frozenset(settings.jwt_algorithms),
        username_claim=settings.jwt_username_claim,
        grants_claim=settings.jwt_grants_claim,
        max_lifetime=settings.jwt_max_lifetime,
        others=_other_claims(settings),
        permission_names=permission_names,
    )
    keys = KeySet(_key_document(settings), refresh_seconds=settings.jwks_refresh)
    try:
        return {rules.issuer: JwtVerifier(rules, keys)}
    except ValueError as error:
        raise ValueError(f"GROUPSVC_JWT_ALGORITHMS: {error}") from None


def _key_settings(settings: Settings) -> dict[str, object]:
    return {
        "GROUPSVC_JWKS_URL": settings.jwks_url,
        "GROUPSVC_JWKS_FILE": settings.jwks_file,
        "GROUPSVC_JWKS": settings.jwks,
    }


def _key_document(settings: Settings) -> KeyDocument:
    """Raises ValueError, which names the setting."""
    given = [name for name, value in _key_settings(settings).items() if value]
    if len(given) != 1:
        names = ", ".join(_key_settings(settings))
        raise ValueError(f"the keys of an identity provider are in one of {names}")
    if settings.jwks_url:
        try:
            return PublishedDocument(_checked_url(settings.jwks_url, settings.env))
        except ValueError as error:
            raise ValueError(f"GROUPSVC_JWKS_URL: {error}") from None
    document = StoredDocument(settings.jwks_file or settings.jwks or "")
    try:
        read_key_set(document.read_now())
    except (OSError, ValueError, RecursionError) as error:
        raise ValueError(f"{given[0]} is no key set: {error}") from None
    return document


def _checked_url(text: str, env: str) -> str:
    """Who can answer in the provider's place can be any caller. Raises ValueError."""
    url = urlsplit(text)
    near = env == "development" or url.hostname in _LOOPBACK
    if not url.hostname or url.scheme not in ({"https", "http"} if near else {"https"}):
        raise ValueError("it is an https address")
    return text


def _other_claims(settings: Settings) -> ClaimGrants:
    return ClaimGrants(
        administrators=settings.jwt_administrator_claims,
        roles=settings.jwt_roles_claim,
        role_permissions=parse_permissions(settings.jwt_roles, setting="GROUPSVC_JWT_ROLES"),
        scopes=settings.jwt_scopes_claim,
        scope_permissions=parse_permissions(settings.jwt_scopes, setting="GROUPSVC_JWT_SCOPES"),
    )
