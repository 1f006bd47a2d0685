"""The strict JSON reader: what it refuses, what it takes, and how fast."""

import json
import sys
from collections.abc import Callable
from types import FrameType
from typing import Any

import httpx
import pytest
from fastapi import FastAPI, Request, Response
from fastapi.routing import APIRoute

from groupsvc.domain.strict_json import InvalidJsonError, read_json
from groupsvc.faces.v1.conflicts import PROBLEMS
from groupsvc.http.strict_request import StrictRequest, media_type_is_json

DEPTH = 8
EMPTY = "body is empty"
UTF8 = "body is not UTF-8"
BOM = "body starts with a byte order mark"
TWICE = "an object has the same name twice"
CONSTANT = "NaN and Infinity are not JSON"
DIGITS = "a number has too many digits"
LARGE = "a number is too large"
DEEP = "body is nested too deeply"
SURROGATE = "text contains half of a surrogate pair"
NUL = "text contains a NUL character"
SYNTAX = "body is not JSON at line"

HAZARDS: list[tuple[bytes, str]] = [
    (b"", EMPTY),
    (b" \n\t\r ", EMPTY),
    # encodings
    (b"\xef\xbb\xbf{}", BOM),
    ('{"a": 1}'.encode("utf-16"), UTF8),
    ('{"a": 1}'.encode("utf-16-le"), SYNTAX),
    ('{"a": 1}'.encode("utf-16-be"), SYNTAX),
    ('{"a": 1}'.encode("utf-32"), UTF8),
    ('{"a": 1}'.encode("utf-32-le"), SYNTAX),
    ('{"a": 1}'.encode("utf-32-be"), SYNTAX),
    ('{"a": "é"}'.encode("latin-1"), UTF8),
    (b'"\xff"', UTF8),
    (b'"\xc0\x80"', UTF8),
    (b'"\xc3"', UTF8),
    (b'"\xed\xa0\x80"', UTF8),
    (b'"\xf4\x90\x80\x80"', UTF8),
    # names that repeat
    (b'{"a": 1, "a": 1}', TWICE),
    (b'{"a": 1, "b": 2, "a": 3}', TWICE),
    (b'{"a": 1, "\\u0061": 2}', TWICE),
    (b'{"": 1, "": 2}', TWICE),
    (b'[{"x": {"a": 1, "a": 2}}]', TWICE),
    (b'{"a": 1, "a": {"b": NaN}}', CONSTANT),
    # constants
    (b"NaN", CONSTANT),
    (b"Infinity", CONSTANT),
    (b"-Infinity", CONSTANT),
    (b'{"a": [NaN]}', CONSTANT),
    (b'{"a": -Infinity}', CONSTANT),
    (b"-NaN", SYNTAX),
    (b"nan", SYNTAX),
    (b"inf", SYNTAX),
    # numbers
    (b"123456789012345678901", DIGITS),
    (b"-123456789012345678901", DIGITS),
    (b"[1, 2, 100000000000000000000]", DIGITS),
    (b"9" * 5_000, DIGITS),
    (b"0." + b"1" * 39, DIGITS),
    (b"1e" + b"0" * 39, DIGITS),
    (b"1e309", LARGE),
    (b"-1e309", LARGE),
    (b"1E400", LARGE),
    (b'{"a": [1.5e999]}', LARGE),
    (b"1e99999999999", LARGE),
    (b"01", SYNTAX),
    (b"+1", SYNTAX),
    (b".5", SYNTAX),
    (b"1.", SYNTAX),
    (b"1e", SYNTAX),
    (b"0x10", SYNTAX),
    (b"1_000", SYNTAX),
    (b"--1", SYNTAX),
    ("\u0661".encode(), SYNTAX),
    # depth
    (b"[" * (DEPTH + 1) + b"]" * (DEPTH + 1), DEEP),
    (b'{"a":' * (DEPTH + 1) + b"1" + b"}" * (DEPTH + 1), DEEP),
    (b'[{"a":' * 5 + b"1" + b"}]" * 5, DEEP),
    (b"[1," * 9 + b"1" + b"]" * 9, DEEP),
    (b"[" * 900 + b"]" * 900, DEEP),
    (b"[" * 100_000, DEEP),
    (b"[" * 100_000 + b"]" * 100_000, DEEP),
    (b'{"a":' * 100_000, DEEP),
    # text that PostgreSQL cannot hold
    (b'"\\ud800"', SURROGATE),
    (b'"\\uDFFF"', SURROGATE),
    (b'"\\ude00\\ud83d"', SURROGATE),
    (b'"\\ud83d x"', SURROGATE),
    (b'"\\\\ud83d\\ude00"', SURROGATE),
    (b'{"\\udc00": 1}', SURROGATE),
    (b'[[{"a": "\\uD83D\\uD83D\\uDE00"}]]', SURROGATE),
    (b'"\\u0000"', NUL),
    (b'"a\\u0000b"', NUL),
    (b'"\\\\\\u0000"', NUL),
    (b'{"\\u0000": 1}', NUL),
    (b'[["\\\\u0000", "\\u0000"]]', NUL),
    # grammar
    (b"{", SYNTAX),
    (b"{}{}", SYNTAX),
    (b"{} x", SYNTAX),
    (b"[1,]", SYNTAX),
    (b'{"a": 1,}', SYNTAX),
    (b"{'a': 1}", SYNTAX),
    (b"{a: 1}", SYNTAX),
    (b"{1: 1}", SYNTAX),
    (b"[1 2]", SYNTAX),
    (b"// no\n{}", SYNTAX),
    (b'"a', SYNTAX),
    (b'"\n"', SYNTAX),
    (b'"\x00"', SYNTAX),
    (b'"\\x41"', SYNTAX),
    (b'"\\u12"', SYNTAX),
    (b"undefined", SYNTAX),
    (b"True", SYNTAX),
    (b"a=1&b=2", SYNTAX),
    (b"\x00", SYNTAX),
    ("\u00a0{}".encode(), SYNTAX),
]


@pytest.mark.parametrize(("body", "reason"), HAZARDS)
def test_a_hazard_is_refused(body: bytes, reason: str) -> None:
    with pytest.raises(InvalidJsonError) as refused:
        read_json(body, max_depth=DEPTH)
    assert refused.value.message.startswith(reason)
    assert refused.value.code == "invalid_json"
    assert refused.value.__cause__ is None
    assert refused.value.__suppress_context__ or refused.value.__context__ is None


def test_there_are_enough_hazards() -> None:
    assert len({body for body, _ in HAZARDS}) >= 60


@pytest.mark.parametrize(
    ("body", "value"),
    [
        (b"{}", {}),
        (b"null", None),
        (b" [1] \n", [1]),
        (b'"\xc3\xa9\xf0\x9f\x98\x80"', "é😀"),
        (b'"\\ud83d\\ude00"', "😀"),
        (b'"\\\\ud83d"', "\\ud83d"),
        (b'"\\\\u0000"', "\\u0000"),
        (b'"\\\\\\\\u0000"', "\\\\u0000"),
        (b'"\\u0001"', "\x01"),
        (b"12345678901234567890", 12345678901234567890),
        (b"-12345678901234567890", -12345678901234567890),
        (b"0." + b"1" * 38, float("0." + "1" * 38)),
        (b'"' + b"9" * 50 + b'"', "9" * 50),
        (b"[1.5, -0, 2e3]", [1.5, 0, 2000.0]),
        (b'{"a": {"b": 1}, "b": {"a": 2}}', {"a": {"b": 1}, "b": {"a": 2}}),
        (b"[" * DEPTH + b"]" * DEPTH, [[[[[[[[]]]]]]]]),
        (b'"' + b"[" * 100 + b'"', "[" * 100),
        (b"[[],[],[],[],[],[],[],[],[],[]]", [[]] * 10),
    ],
)
def test_what_is_harmless_is_read(body: bytes, value: object) -> None:
    assert read_json(body, max_depth=DEPTH) == value


def _wide() -> bytes:
    rows = [{"user_id": i, "group_id": 7, "name": f"étudiant {i}"} for i in range(20_000)]
    return json.dumps(rows, ensure_ascii=False).encode()


@pytest.mark.parametrize(
    "make",
    [
        _wide,
        lambda: b"[" + b"[]," * 330_000 + b"[]]",
        lambda: b"[" + b"12345678901234567890," * 50_000 + b"1]",
        lambda: b"[" + b"1.5," * 250_000 + b"1]",
        lambda: b'"' + b"\\\\" * 500_000 + b'\\u0041"',
        lambda: b'["' + b"\\\\" * 250_000 + b'\\\\u0000", "' + b"\\ud83d\\ude00" * 40_000 + b'"]',
    ],
    ids=["objects", "arrays", "integers", "floats", "backslashes", "escapes"],
)
def test_a_megabyte_is_read_with_a_few_calls(make: Callable[[], bytes]) -> None:
    """What is called in Python for each value, or for each byte of a text, would be felt here."""
    body = make()
    calls = 0

    def count(_: FrameType, event: str, __: object) -> None:
        nonlocal calls
        calls += event == "call"

    sys.setprofile(count)
    try:
        value = read_json(body, max_depth=DEPTH)
    finally:
        sys.setprofile(None)
    assert value == json.loads(body)
    assert calls < 400_000


@pytest.mark.parametrize(
    ("content_type", "answer"),
    [
        ("application/json", True),
        ("Application/JSON", True),
        ("application/json; charset=utf-8", True),
        ('application/json;charset="UTF-8"', True),
        ("application/merge-patch+json", True),
        ("application/json; profile=x", True),
        ("application/json; charset=utf-16", False),
        ("application/json; charset=latin-1", False),
        ("application/jsonp", False),
        ("application/x-www-form-urlencoded", False),
        ("multipart/form-data; boundary=x", False),
        ("text/json", False),
        ("text/plain; application/json", False),
        ("application/xml+jsonx", False),
        ("json", False),
        ("", False),
        (None, False),
    ],
)
def test_media_types(content_type: str | None, answer: bool) -> None:
    assert media_type_is_json(content_type) is answer


class StrictRoute(APIRoute):
    def get_route_handler(self) -> Callable[[Request], Any]:
        handle = super().get_route_handler()

        async def strict(request: Request) -> Response:
            return await handle(StrictRequest(request.scope, request.receive, max_depth=DEPTH))

        return strict


@pytest.fixture
def client() -> httpx.AsyncClient:
    app = FastAPI()
    app.router.route_class = StrictRoute
    PROBLEMS.install(app)

    @app.post("/echo")
    async def echo(body: dict[str, Any]) -> dict[str, Any]:
        return body

    return httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://test")


async def test_a_route_reads_strictly_and_the_reason_comes_through(
    client: httpx.AsyncClient,
) -> None:
    good = await client.post("/echo", json={"a": [1]})
    headers = {"content-type": "application/json"}
    bad = await client.post("/echo", content=b'{"secret": 1, "secret": 2}', headers=headers)
    assert good.json() == {"a": [1]}
    assert (bad.status_code, bad.headers["content-type"]) == (400, "application/problem+json")
    assert bad.json() == {
        "type": "urn:groupsvc:problem:invalid_json",
        "title": "Bad request",
        "status": 400,
        "detail": TWICE,
        "code": "invalid_json",
        "request_id": None,
    }


async def test_a_large_body_is_read_too(client: httpx.AsyncClient) -> None:
    body = {"rows": list(range(100_000))}
    assert (await client.post("/echo", json=body)).json() == body
