"""Log lines: allowed fields only, nothing private, one line each."""

import io
import json
import logging
import re
import subprocess
import sys
from collections.abc import Iterator
from typing import Any

import pytest
from uvicorn import Config

from groupsvc import logs

TOKEN = "eyJhbGciOiJFZERTQSJ9.eyJzdWIiOiJ4In0.c2ln"


@pytest.fixture
def stream() -> Iterator[io.StringIO]:
    root = logging.getLogger()
    level = root.level
    stream = io.StringIO()
    logs.configure("INFO", stream)
    yield stream
    root.removeHandler(root.handlers[-1])
    root.setLevel(level)


def last(stream: io.StringIO) -> dict[str, Any]:
    line: dict[str, Any] = json.loads(stream.getvalue().splitlines()[-1])
    return line


def test_a_line_has_its_parts_in_order(stream: io.StringIO) -> None:
    token = logs.request_id.set("r1")
    logging.getLogger("groupsvc.x").info("hello %s", "you", extra={"attempt": 2, "secret": "no"})
    logs.request_id.reset(token)
    line = last(stream)
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", line.pop("time"))
    assert list(line.items()) == [
        ("level", "INFO"),
        ("logger", "groupsvc.x"),
        ("message", "hello you"),
        ("request_id", "r1"),
        ("attempt", 2),
    ]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (f"token {TOKEN} seen", "token [removed] seen"),
        ("Authorization: Bearer abc.def-0123456", "Authorization: [removed]"),
        ("authorization: basic QWxhZGRpbg==", "authorization: [removed]"),
        ("mail from ada.l+x@example.org.", "mail from [removed]"),
        ("postgresql://me:pw@db/groups", "postgresql://[removed]db/groups"),
        ("x" * 5_000, "x" * 2_000),
        ("a\r\nlevel: ERROR\u2028\x1b[31m", "a\r\nlevel: ERROR\u2028\x1b[31m"),
        ("basic rules of a bearer", "basic rules of a bearer"),
    ],
)
def test_messages_are_cleaned(stream: io.StringIO, text: str, message: str) -> None:
    logging.getLogger("x").warning(text)
    assert last(stream)["message"] == message
    assert stream.getvalue().isascii()
    assert stream.getvalue().count("\n") == 1
    assert "\r" not in stream.getvalue()


def test_half_a_surrogate_pair_is_escaped() -> None:
    record = logging.makeLogRecord({"msg": "half \ud800", "levelname": "INFO", "name": "x"})
    line = logs.JsonFormatter().format(record)
    assert json.loads(line)["message"] == "half \ud800"
    assert line.isascii()


def test_fields_are_cleaned_and_plain(stream: io.StringIO) -> None:
    logging.getLogger("x").warning(
        "m", extra={"principal": "ada@example.org", "reason": {"pw": 1}, "code": None}
    )
    line = last(stream)
    assert (line["principal"], line["reason"], line["code"]) == ("[removed]", "dict", None)


def test_an_exception_is_logged_without_its_text(stream: io.StringIO) -> None:
    def fail() -> None:
        try:
            int("s3cret")
        except ValueError as error:
            raise ExceptionGroup("s3cret", [KeyError("s3cret")]) from error

    try:
        fail()
    except ExceptionGroup:
        logging.getLogger("x").exception("failed")
    line = last(stream)
    assert "s3cret" not in stream.getvalue()
    assert [each["type"] for each in line["exceptions"]] == [
        "builtins.ExceptionGroup",
        "builtins.KeyError",
        "builtins.ValueError",
    ]
    first = line["exceptions"][0]["at"]
    assert [place.split()[-1] for place in first][-1] == "fail"
    assert first[-1].startswith("tests/edge/test_edge_logs.py:")


def test_circles_of_causes_end(stream: io.StringIO) -> None:
    one, two = ValueError(), KeyError()
    one.__cause__, two.__cause__ = two, one
    logging.getLogger("x").error("failed", exc_info=one)
    assert len(last(stream)["exceptions"]) <= 8


def test_the_loop_does_not_tell_what_a_task_raised(stream: io.StringIO) -> None:
    text = "Task exception was never retrieved\nfuture: <Task exception=ValueError('s3cret')>"
    logging.getLogger("asyncio").error(text)
    assert last(stream)["message"] == "Task exception was never retrieved"


def test_the_server_logs_here_and_its_access_log_is_off(stream: io.StringIO) -> None:
    # Again, for pytest hangs a handler on every logger that does not propagate.
    logs.configure("INFO", stream)
    Config("groupsvc.http.health:router", log_config=None).load()
    logging.getLogger("uvicorn.error").info("Started", extra={"color_message": "x"})
    assert last(stream)["message"] == "Started"
    assert "color_message" not in last(stream)
    assert not logging.getLogger("uvicorn.access").hasHandlers()


def test_lines_go_to_standard_output_at_once() -> None:
    program = (
        "import logging, os; from groupsvc import logs; logs.configure('INFO');"
        "logging.getLogger('x').info('started');"
        "logs.log_access(logging.INFO, {'status': 200}); os._exit(0)"
    )
    ended = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert ended.stderr == ""
    lines = [json.loads(line) for line in ended.stdout.splitlines()]
    assert [line["message"] for line in lines] == ["started", "request"]


def test_configuring_twice_logs_once(stream: io.StringIO) -> None:
    again = io.StringIO()
    logs.configure("WARNING", again)
    logging.getLogger("x").warning("m")
    logging.getLogger("x").info("m")
    assert (stream.getvalue(), again.getvalue().count("\n")) == ("", 1)
