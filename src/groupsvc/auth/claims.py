"""From the claims of a token whose signature is good to a principal."""

import contextlib
import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TypeGuard, cast

from groupsvc.auth.claim_grants import ClaimGrants
from groupsvc.auth.compact import refused
from groupsvc.domain.errors import InvalidError
from groupsvc.domain.grants import is_name, parse_grant
from groupsvc.domain.principal import Grant, Permission, Principal

LEEWAY_SECONDS = 30

Claims = Mapping[str, object]


@dataclass(frozen=True, slots=True, kw_only=True)
class TokenRules:
    """What the tokens of one issuer must say, and where they say it."""

    issuer: str
    audience: str
    algorithms: frozenset[str]
    username_claim: str
    grants_claim: str
    max_lifetime: int
    others: ClaimGrants = field(default_factory=ClaimGrants)
    permission_names: Mapping[str, Permission] = field(default_factory=dict[str, Permission])


def check_claims(claims: Claims, rules: TokenRules, now: float) -> float:
    """Whether the token is for us and now; returns when it expires.

    Raises UnauthenticatedError, with code ``token_expired`` when only age stands in the way.
    """
    if claims.get("iss") != rules.issuer:
        raise refused("the token is from another issuer")
    audience = claims.get("aud")
    if isinstance(audience, str):
        audience = [audience]
    if not _are_texts(audience) or rules.audience not in audience:
        raise refused("the token is for another audience")
    if not is_name(claims.get("sub")):
        raise refused("the token has no proper subject")
    return _check_times(claims, rules.max_lifetime, now)


def read_principal(claims: Claims, rules: TokenRules) -> Principal:
    """The caller, from checked claims. What is not understood grants nothing and is no error."""
    username = claims.get(rules.username_claim)
    return Principal(
        subject=cast("str", claims["sub"]),
        username=username if is_name(username) else None,
        grants=frozenset(
            (
                *_grants(claims.get(rules.grants_claim), rules.permission_names),
                *rules.others.read(claims),
            )
        ),
    )


def _check_times(claims: Claims, max_lifetime: int, now: float) -> float:
    """Together the first two checks put ``exp`` within the lifetime ceiling from now."""
    issued, expires = _time(claims, "iat"), _time(claims, "exp")
    if issued > now + LEEWAY_SECONDS:
        raise refused("the token is not valid yet")
    if not 0 < expires - issued <= max_lifetime:
        raise refused("the token lives too long")
    if "nbf" in claims and _time(claims, "nbf") > now + LEEWAY_SECONDS:
        raise refused("the token is not valid yet")
    if expires <= now - LEEWAY_SECONDS:
        raise refused("the token has expired", code="token_expired")
    return expires


def _time(claims: Claims, name: str) -> float:
    value = claims.get(name)
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise refused("the token does not say when it is valid")
    try:
        return float(value)
    except OverflowError:
        return math.inf


def _are_texts(value: object) -> TypeGuard[list[str]]:
    return isinstance(value, list) and all(
        isinstance(item, str) for item in cast("list[object]", value)
    )


def _grants(value: object, names: Mapping[str, Permission]) -> list[Grant]:
    grants: list[Grant] = []
    for item in cast("list[object]", value) if isinstance(value, list) else []:
        with contextlib.suppress(InvalidError):
            if isinstance(item, str):
                grants.append(parse_grant(item, names))
    return grants
