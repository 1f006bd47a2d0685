"""No text that somebody sends keeps a regular expression busy."""

import importlib
import pkgutil
import re
import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, cast

import pytest

import groupsvc

ROOT = Path(groupsvc.__file__).parent
LENGTH = 50_000
MOST_CPU = 1  # seconds, for what takes milliseconds; one that backtracks takes minutes
# What expressions stumble over: one thing again and again, and something else at the end.
UNITS = [
    "a",
    "0",
    " ",
    "\t",
    "-",
    "_",
    ".",
    "/",
    ":",
    ",",
    "=",
    '"',
    "\\",
    "é",
    "a ",
    "a.",
    "a-a",
    "%2",
]
ENDS = ["", "!", "\n", "\x00", "@", "\x7f"]


def modules() -> Iterator[Any]:
    for found in pkgutil.walk_packages(groupsvc.__path__, "groupsvc."):
        if not found.name.endswith("__main__"):
            yield importlib.import_module(found.name)


SOURCES = "".join(path.read_text(encoding="utf-8") for path in ROOT.rglob("*.py"))


def uses() -> dict[str, Callable[[Any], object]]:
    """Expressions that modules keep, by where they are, and the way in which they are used."""
    return {
        f"{module.__name__}.{name}": value.search if is_searched(name) else value.fullmatch
        for module in modules()
        for name, value in vars(module).items()
        if isinstance(value, re.Pattern)
    }


def is_searched(name: str) -> bool:
    return re.search(rf"\b{name}\.(search|sub|split|finditer|findall)\(", SOURCES) is not None


class TooLongError(Exception):
    """It would go on."""


@contextmanager
def cpu_of(seconds: float) -> Iterator[None]:
    """Of this process alone: a busy machine changes nothing."""

    def stop(*_: Any) -> None:
        raise TooLongError

    before = signal.signal(signal.SIGVTALRM, stop)
    signal.setitimer(signal.ITIMER_VIRTUAL, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_VIRTUAL, 0)
        signal.signal(signal.SIGVTALRM, before)


def try_out(use: Callable[[Any], object], length: int = LENGTH) -> None:
    of_bytes = isinstance(cast("Any", use).__self__.pattern, bytes)
    for unit in UNITS:
        for end in ENDS:
            text = (unit * length)[:length] + end
            with cpu_of(MOST_CPU):
                use(text.encode() if of_bytes else text)


USES = uses()


@pytest.mark.parametrize("name", USES)
def test_no_text_keeps_an_expression_busy(name: str) -> None:
    try_out(USES[name])


@pytest.mark.parametrize(("expression", "length"), [(r"(a+)+$", 60), (r"\s*\n\s*", LENGTH)])
def test_control_one_that_goes_back_and_forth_is_found(expression: str, length: int) -> None:
    with pytest.raises(TooLongError):
        try_out(re.compile(expression).search, length)


def test_there_are_enough_of_them() -> None:
    assert len(USES) > 30
    assert sum("search" in repr(use) for use in USES.values()) > 10
