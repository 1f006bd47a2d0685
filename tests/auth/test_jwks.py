"""Keys from a provider on a real socket."""

import asyncio
import gzip
import json
from collections.abc import AsyncGenerator, Callable
from pathlib import Path

import httpx
import pytest
import pytest_asyncio

from groupsvc.auth.jwks import FRESH_SECONDS, RETRY_SECONDS, STALE_SECONDS, KeySet
from groupsvc.auth.jwt import JwtVerifier
from groupsvc.auth.key_documents import MAX_BYTES, PublishedDocument, StoredDocument
from groupsvc.domain.errors import UnauthenticatedError, UnavailableError
from groupsvc.domain.principal import Principal

from .forge import (
    NOW,
    PUBLISHED,
    RSA,
    RULES,
    STRANGER,
    Clock,
    claims,
    forge,
    forge_mac,
    header,
    jwk,
    unsigned,
)
from .keyserver import KeyServer
from .test_keys import REFUSED, without

REFRESH = 30
OLD, NEW = jwk(RSA, "old"), jwk(STRANGER, "new")


@pytest_asyncio.fixture
async def keys(server: KeyServer, clock: Clock) -> AsyncGenerator[KeySet]:
    server.publish(OLD)
    made = KeySet(PublishedDocument(server.url), refresh_seconds=REFRESH, clock=clock)
    yield made
    await made.aclose()


@pytest_asyncio.fixture
async def hasty(server: KeyServer, clock: Clock) -> AsyncGenerator[KeySet]:
    """Patient enough for an answer, and soon tired of waiting for none."""
    made = KeySet(PublishedDocument(server.url), refresh_seconds=REFRESH, timeout=0.25, clock=clock)
    yield made
    await made.aclose()


async def settled(keys: KeySet) -> None:
    """Wait for the fetch under way: callers with an unknown ``kid`` share it."""
    await asyncio.gather(keys.find("nobody's"), return_exceptions=True)


async def test_keys_are_fetched_once(server: KeyServer, keys: KeySet, clock: Clock) -> None:
    for _ in range(5):
        key = await keys.find("old")
        assert key is not None
        assert key.kid == "old"
        async with httpx.AsyncClient() as visitor:
            await visitor.get(server.url.replace("jwks", "later"))
        clock.advance(FRESH_SECONDS / 5)
    assert server.paths == ["/jwks", *["/later"] * 5]


async def test_callers_share_one_fetch(server: KeyServer, keys: KeySet) -> None:
    found = await asyncio.gather(*(keys.find("old") for _ in range(100)))
    assert {key and key.kid for key in found} == {"old"}
    assert server.hits == 1


async def test_a_caller_who_gives_up_leaves_the_fetch_to_the_others(
    server: KeyServer, keys: KeySet
) -> None:
    server.manner = "hold"
    impatient, patient = (asyncio.create_task(keys.find("old")) for _ in range(2))
    await server.asked.wait()
    impatient.cancel()
    await asyncio.wait({impatient})
    assert impatient.cancelled()
    server.released.set()
    assert await patient is not None
    assert server.hits == 1


async def test_unknown_names_cause_few_fetches(
    server: KeyServer, keys: KeySet, clock: Clock
) -> None:
    for fetches in (1, 2, 3):
        found = await asyncio.gather(*(keys.find(f"guess-{n}") for n in range(300)))
        assert found == [None] * 300
        assert server.hits == fetches
        clock.advance(REFRESH - 0.5)
        assert await keys.find("guess") is None
        assert server.hits == fetches
        clock.advance(0.5)


async def test_a_new_key_is_found_when_a_token_names_it(
    server: KeyServer, keys: KeySet, clock: Clock
) -> None:
    await keys.find("old")
    server.publish(OLD, NEW)
    assert await keys.find("new") is None
    clock.advance(REFRESH)
    assert await keys.find("new") is not None
    assert await keys.find("old") is not None
    assert server.hits == 2


async def test_a_withdrawn_key_goes_away(server: KeyServer, keys: KeySet, clock: Clock) -> None:
    await keys.find("old")
    server.publish(NEW)
    server.asked.clear()
    clock.advance(FRESH_SECONDS + 1)
    assert await keys.find("old") is not None
    async with asyncio.timeout(120):
        await server.asked.wait()
    await settled(keys)
    assert await keys.find("old") is None
    assert await keys.find("new") is not None
    assert server.hits == 2


async def test_a_known_key_does_not_wait_for_a_provider_that_hangs(
    server: KeyServer, keys: KeySet, clock: Clock
) -> None:
    await keys.find("old")
    server.manner = "hold"
    clock.advance(FRESH_SECONDS + 1)
    for _ in range(3):
        assert await keys.find("old") is not None
    assert not server.released.is_set()


async def test_keys_outlive_the_provider_for_an_hour(
    server: KeyServer, keys: KeySet, clock: Clock
) -> None:
    await keys.find("old")
    server.status = 500
    clock.advance(STALE_SECONDS)
    assert await keys.find("old") is not None
    await settled(keys)
    assert await keys.find("old") is not None
    clock.advance(1)
    with pytest.raises(UnavailableError):
        await keys.find("old")
    server.publish(OLD)
    clock.advance(RETRY_SECONDS)
    assert await keys.find("old") is not None


async def test_an_unknown_name_is_not_judged_while_the_provider_is_away(
    server: KeyServer, keys: KeySet, clock: Clock
) -> None:
    await keys.find("old")
    server.status = 500
    clock.advance(REFRESH)
    for _ in range(5):
        with pytest.raises(UnavailableError):
            await keys.find("new")
        assert await keys.find("old") is not None
    assert server.hits == 2


async def test_a_provider_that_was_away_at_first_is_asked_again_soon(
    server: KeyServer, keys: KeySet, clock: Clock
) -> None:
    server.status = 503
    for _ in range(5):
        with pytest.raises(UnavailableError) as refusal:
            await keys.find("old")
        assert refusal.value.facts["retry_after"] == RETRY_SECONDS
    assert server.hits == 1
    server.publish(OLD)
    clock.advance(RETRY_SECONDS)
    assert await keys.find("old") is not None


def status(code: int, **headers: str) -> Callable[[KeyServer], None]:
    def misbehave(server: KeyServer) -> None:
        server.publish(OLD)
        server.status, server.headers = code, headers

    return misbehave


def body(content: bytes, **headers: str) -> Callable[[KeyServer], None]:
    def misbehave(server: KeyServer) -> None:
        server.status, server.headers, server.body = 200, headers, content

    return misbehave


def hold(server: KeyServer) -> None:
    server.manner = "hold"


def drip(server: KeyServer) -> None:
    server.manner = "drip"


def flood(server: KeyServer) -> None:
    server.manner = "flood"


DOCUMENT = json.dumps({"keys": [OLD]}).encode()
FAILURES = {
    "redirect": status(302, Location="/jwks"),
    "permanent redirect": status(308, Location="http://127.0.0.1:1/jwks"),
    "multiple choices": status(300),
    "no content": status(204),
    "partial content": status(206),
    "not found": status(404),
    "too many requests": status(429),
    "server error": status(500),
    "hangs": hold,
    "drips": drip,
    "floods": flood,
    "one byte too many": body(DOCUMENT + b" " * (MAX_BYTES + 1 - len(DOCUMENT))),
    "ends early": body(DOCUMENT, **{"Content-Length": str(len(DOCUMENT) + 1)}),
    "compressed": body(gzip.compress(DOCUMENT), **{"Content-Encoding": "gzip"}),
    "empty": body(b""),
    "a web page": body(b"<!doctype html>"),
    "not UTF-8": body(b"\xff" + DOCUMENT),
    "too deep": body(b"[" * 100_000),
    "a huge number": body(b'{"keys": ' + b"9" * 10_000 + b"}"),
    "a list": body(b"[]"),
    "no keys": body(b"{}"),
    "keys is an object": body(b'{"keys": {"kid": "old"}}'),
    "keys is empty": body(b'{"keys": []}'),
    "keys are no objects": body(b'{"keys": [null, 1, "old", [], true]}'),
    "only useless keys": body(json.dumps({"keys": list(REFUSED.values())}).encode()),
}


@pytest.mark.parametrize("misbehave", FAILURES.values(), ids=FAILURES)
async def test_a_provider_out_of_order_is_not_the_caller_s_fault(
    server: KeyServer, hasty: KeySet, misbehave: Callable[[KeyServer], None]
) -> None:
    misbehave(server)
    with pytest.raises(UnavailableError):
        await hasty.find("old")
    assert server.paths == ["/jwks"]
    assert server.sent < 64 * MAX_BYTES


@pytest.mark.parametrize("misbehave", FAILURES.values(), ids=FAILURES)
async def test_a_provider_out_of_order_takes_no_key_away(
    server: KeyServer, hasty: KeySet, clock: Clock, misbehave: Callable[[KeyServer], None]
) -> None:
    server.publish(OLD)
    await hasty.find("old")
    misbehave(server)
    clock.advance(FRESH_SECONDS + 1)
    await hasty.find("old")
    await settled(hasty)
    assert await hasty.find("old") is not None
    assert server.hits == 2


async def test_the_largest_page_is_read(server: KeyServer, keys: KeySet) -> None:
    server.body = DOCUMENT + b" " * (MAX_BYTES - len(DOCUMENT))
    assert await keys.find("old") is not None


async def test_a_provider_that_is_not_there(server: KeyServer, keys: KeySet) -> None:
    await server.stop()
    with pytest.raises(UnavailableError):
        await keys.find("old")


async def test_useless_members_do_no_harm(server: KeyServer, keys: KeySet) -> None:
    server.publish(None, *REFUSED.values(), OLD, "x")
    assert await keys.find("old") is not None
    assert await keys.find("k") is None


async def test_of_two_keys_with_one_name_the_first_counts(server: KeyServer, keys: KeySet) -> None:
    server.publish(OLD, {**NEW, "kid": "old"})
    key = await keys.find("old")
    assert key is not None
    assert key.public == RSA.public_key()


async def test_a_key_set_closes_while_it_fetches(server: KeyServer, clock: Clock) -> None:
    server.manner = "hold"
    keys = KeySet(PublishedDocument(server.url), refresh_seconds=REFRESH, clock=clock)
    caller = asyncio.create_task(keys.find("old"))
    await server.asked.wait()
    await keys.aclose()
    await asyncio.wait({caller})
    assert caller.cancelled()


def test_an_address_that_is_none_is_refused_at_once() -> None:
    with pytest.raises(ValueError, match="no address"):
        PublishedDocument("https://id.example.org:port/")


async def test_tokens_are_verified_against_the_provider(server: KeyServer, clock: Clock) -> None:
    server.publish(*PUBLISHED)
    verifier = JwtVerifier(
        RULES, KeySet(PublishedDocument(server.url), refresh_seconds=REFRESH), clock=clock
    )
    for alg in ("RS256", "ES256", "EdDSA"):
        assert await verifier.verify(forge(alg=alg)) == (Principal("anna"), NOW + 600)
    pem = b"-----BEGIN PUBLIC KEY-----"
    wrong = {
        forge(body=claims(aud="other")): "invalid_token",
        forge(body=claims(iat=NOW - 900, exp=NOW - 600)): "token_expired",
        forge(header(kid="unknown")): "invalid_token",
        forge(key=STRANGER): "invalid_token",
        unsigned("none"): "invalid_token",
        forge_mac(pem): "invalid_token",
    }
    for token, code in wrong.items():
        with pytest.raises(UnauthenticatedError) as refusal:
            await verifier.verify(token)
        assert refusal.value.code == code
    assert server.hits == 1
    await verifier.aclose()


async def test_a_rotation_is_followed(server: KeyServer, keys: KeySet, clock: Clock) -> None:
    verifier = JwtVerifier(RULES, keys, clock=clock)
    before, after = forge(header(kid="old")), forge(header(kid="new"), key=STRANGER)
    await verifier.verify(before)
    server.publish(NEW)
    clock.advance(REFRESH)
    assert (await verifier.verify(after))[0].subject == "anna"
    with pytest.raises(UnauthenticatedError):
        await verifier.verify(before)


async def test_a_rotation_is_followed_by_tokens_that_name_no_key(
    server: KeyServer, keys: KeySet, clock: Clock
) -> None:
    verifier = JwtVerifier(RULES, keys, clock=clock)
    before = forge(header(kid=...))
    after = forge(header(kid=...), key=STRANGER)
    await verifier.verify(before)
    server.publish(without(NEW, "kid"))
    # Until it is time to ask again, and whatever is sent meanwhile, the provider is left alone.
    for _ in range(5):
        with pytest.raises(UnauthenticatedError):
            await verifier.verify(after)
    assert server.hits == 1
    clock.advance(REFRESH)
    assert (await verifier.verify(after))[0].subject == "anna"
    with pytest.raises(UnauthenticatedError):
        await verifier.verify(before)
    assert server.hits == 2


async def test_a_token_that_names_no_key_waits_for_a_provider_that_is_away(
    server: KeyServer, keys: KeySet, clock: Clock
) -> None:
    verifier = JwtVerifier(RULES, keys, clock=clock)
    server.status = 500
    with pytest.raises(UnavailableError):
        await verifier.verify(forge(header(kid=...)))
    server.publish(OLD)
    clock.advance(RETRY_SECONDS)
    assert (await verifier.verify(forge(header(kid=...))))[0].subject == "anna"


async def test_a_file_of_keys_is_read_again(tmp_path: Path, clock: Clock) -> None:
    file = tmp_path / "jwks.json"
    file.write_text(json.dumps({"keys": [OLD]}))
    keys = KeySet(StoredDocument(file), refresh_seconds=REFRESH, clock=clock)
    assert await keys.find("old") is not None
    file.write_text(json.dumps({"keys": [NEW]}))
    clock.advance(REFRESH)
    assert await keys.find("new") is not None
    assert await keys.find("old") is None
    file.write_text("x" * (MAX_BYTES + 1))
    clock.advance(FRESH_SECONDS + 1)
    assert await keys.find("new") is not None
    file.unlink()
    clock.advance(STALE_SECONDS + 1)
    with pytest.raises(UnavailableError):
        await keys.find("new")
    await keys.aclose()
