"""Large JSON is read as any JSON is, while other threads run."""

import asyncio
from typing import Any

import pytest

from groupsvc.domain import strict_json
from groupsvc.domain.errors import InvalidJsonError
from groupsvc.domain.patient_json import MOST_VALUES, patient
from groupsvc.domain.strict_json import read_json

FILL = b"[" + b"1," * strict_json.VERY_LARGE


def outcome(body: bytes, **options: Any) -> Any:
    try:
        return read_json(body, max_depth=32, **options)
    except InvalidJsonError as error:
        return error.code, error.message


@pytest.mark.parametrize("lenient", [False, True])
@pytest.mark.parametrize(
    "body",
    [
        b"12",
        b'"x"',
        b" [ 1 , { } , [ ] ] ",
        b'{"a": [1, {"b": "x]}"}], "c": {"d": "\\"}"}}',
        b'{"rows": [{"user": "\\\\u0000"}, {"user": "\\ud83d\\ude00"}], "mode": null}',
        b'{"a": 1, "a": 2}',
        b'{"a": {"b": 1, "b": 2}, "c": []}',
        b'{"a": {"b": [' + b"9" * 30 + b"]}}",
        b'{"a": [NaN], "b": {}}',
        b'{"a": [1e999], "b": {}}',
        b'{"a": [[{"b": "\\u0000"}]]}',
        b'{"a": "\\u0000", "b": [[]]}',
        b'{"\\ud800": [[1]]}',
        b'["\\ud800", [[1]]]',
        b"[" * 40 + b"]" * 40,
        b"[" * 2_000,
        b"[1, 2",
        b'{"a": [1,], "b": 1}',
        b'{"a" 1, "b": [[]]}',
        b'{"a": [[1] [2]]}',
        b"[[1]] x",
        b"{,}",
        b'["\xff"]',
    ],
)
def test_the_same_is_read_and_refused(
    body: bytes, lenient: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    at_once = outcome(body, lenient=lenient)
    monkeypatch.setattr(strict_json, "VERY_LARGE", 0)
    assert outcome(body, lenient=lenient) == at_once


def test_more_values_than_any_body_of_ours_has_are_not_read() -> None:
    assert outcome(FILL) == ("body_too_large", f"there are more than {MOST_VALUES} values")


async def test_the_event_loop_turns_while_a_large_body_is_read() -> None:
    """The decoder of the standard library would be one call, in which nothing else runs."""
    turns, seen, done = 0, set[int](), False

    def look(_part: str, _value: Any) -> None:
        seen.add(turns)

    async def turn() -> None:
        nonlocal turns
        while not done:
            turns += 1
            await asyncio.sleep(0)

    turning = asyncio.create_task(turn())
    text = '{"rows": [' + '{"user": "\\u0041", "group": [1, 2]},' * 40_000 + "0]}"
    decoder = patient(strict_json.decoder(int), look)
    value = await asyncio.to_thread(decoder.decode, text)
    done = True
    await turning
    assert len(value["rows"]) == 40_001
    assert len(seen) > 2
