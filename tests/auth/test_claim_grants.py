"""Claims of other systems: administrators, roles, scopes."""

import time
from dataclasses import replace
from typing import Any

import pytest

from groupsvc.auth.claim_grants import ClaimGrants, parse_permissions
from groupsvc.auth.jwt import JwtVerifier
from groupsvc.auth.verifier import Verifier, make_verifier
from groupsvc.domain.grants import format_grant
from groupsvc.settings import Settings

from .forge import ISSUER, PUBLISHED, RULES, Clock, Published, claims, forge
from .keyserver import KeyServer

EVERYTHING = ["admin", "groups:read", "groups:write", "roster:write"]
KEY = "course-v1:Org+C+2026"
OTHERS = ClaimGrants(
    administrators=("administrator", "superuser"),
    roles="roles",
    role_permissions=parse_permissions(
        ("staff=groups:read", "staff = groups:write", "moderator=groups:read"), setting="roles"
    ),
    scopes="scopes",
    scope_permissions=parse_permissions(("cohorts:read=groups:read",), setting="scopes"),
)


async def granted(clock: Clock, others: ClaimGrants, **more: Any) -> list[str]:
    rules = replace(RULES, others=others)
    issuers = {ISSUER: JwtVerifier(rules, Published(*PUBLISHED), clock=clock)}
    verifier = Verifier(issuers)
    principal, _ = await verifier.verify(forge(body=claims(**more)))
    return sorted(map(format_grant, principal.grants))


@pytest.mark.parametrize(
    ("more", "expected"),
    [
        ({}, []),
        ({"administrator": True}, EVERYTHING),
        ({"superuser": True, "administrator": False}, EVERYTHING),
        ({"administrator": 1}, []),
        ({"administrator": "true"}, []),
        ({"roles": [f"staff:{KEY}"]}, [f"groups:read@course:{KEY}", f"groups:write@course:{KEY}"]),
        ({"roles": f"moderator:{KEY} staff"}, [f"groups:read@course:{KEY}"]),
        ({"roles": ["moderator:Org/C/2026"]}, ["groups:read@course:Org/C/2026"]),
        ({"roles": ["staff:*"]}, ["groups:read", "groups:write"]),
        ({"roles": ["staff", "staff:", "instructor:x", "", 5, None, ["staff:*"]]}, []),
        ({"roles": ["staff:a\nb"]}, []),
        ({"roles": {"staff": "*"}}, []),
        ({"scopes": ["cohorts:read", "email"]}, ["groups:read"]),
        ({"scopes": "email cohorts:read"}, ["groups:read"]),
        ({"scopes": 5}, []),
        (
            {"groupsvc_grants": ["admin"], "scopes": ["cohorts:read"]},
            ["admin", "groups:read"],
        ),
    ],
)
async def test_what_claims_grant(clock: Clock, more: Any, expected: list[str]) -> None:
    assert await granted(clock, OTHERS, **more) == expected


async def test_a_claim_without_a_name_is_not_looked_at(clock: Clock) -> None:
    unnamed = replace(OTHERS, administrators=(), roles="", scopes="")
    more = {
        "": ["staff:*", "cohorts:read"],
        "administrator": True,
        "roles": ["staff:*"],
        "scopes": ["cohorts:read"],
    }
    assert await granted(clock, unnamed, **more) == []


@pytest.mark.parametrize("pair", ["staff", "staff=", "staff=all", "=x"])
def test_a_pair_that_is_none_is_refused_at_the_start(pair: str) -> None:
    with pytest.raises(ValueError, match="jwt_roles"):
        parse_permissions([pair], setting="jwt_roles")


def test_settings_are_lists_with_commas(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GROUPSVC_JWT_ROLES", "staff=groups:write, ta=groups:read")
    monkeypatch.setenv("GROUPSVC_JWT_ADMINISTRATOR_CLAIMS", "administrator")
    settings = Settings()
    assert settings.jwt_roles == ("staff=groups:write", "ta=groups:read")
    assert settings.jwt_administrator_claims == ("administrator",)


async def test_the_settings_reach_the_verifier(server: KeyServer, tmp_path: Any) -> None:
    configured = Settings(
        jwt_issuer=ISSUER,
        jwks_url=server.url,
        jwt_administrator_claims=("administrator",),
        jwt_roles_claim="roles",
        jwt_scopes_claim="scope",
        jwt_scopes=("write=groups:write",),
    )
    server.publish(*PUBLISHED)
    verifier = make_verifier(configured, tmp_path)
    now = int(time.time())
    body = claims(iat=now, exp=now + 60, roles=[f"instructor:{KEY}"], scope="write")
    principal, _ = await verifier.verify(forge(body=body))
    await verifier.aclose()
    assert sorted(map(format_grant, principal.grants)) == [
        f"groups:read@course:{KEY}",
        "groups:write",
        f"groups:write@course:{KEY}",
    ]
