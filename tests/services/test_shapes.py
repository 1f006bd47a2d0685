"""Whatever a shape takes, the other system reads as it is."""

import re
from typing import get_args

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from groupsvc.domain.errors import InvalidError
from groupsvc.domain.names import normalise
from groupsvc.import_export.shapes.declared import BY_NAME, SHAPES, Shape, ShapeName
from groupsvc.import_export.shapes.service import ShapeExport
from groupsvc.import_export.writing import TextWriter
from tests import peers

NAMES = st.one_of(
    st.text("ab0.\\\",;='@+-\r\n\t é", min_size=1, max_size=6), st.text(min_size=1, max_size=255)
).filter(lambda text: text != "last" and is_stored(text))


def is_stored(text: str) -> bool:
    """Whether it can be stored as it is."""
    try:
        return normalise(text) == text
    except InvalidError:
        return False


def written(shape: Shape, group: str, username: str = "ada") -> bytes:
    """The group, and one behind it that must come through whatever is before it."""
    export = ShapeExport(shape, 1, 1, "PROG1", "TD", [], [])
    rows = [export.cells(group, username), export.cells("last", "eve")]
    return TextWriter(guarded=False).add([export.header(), *rows])


def test_the_names_are_those_of_the_declarations() -> None:
    assert get_args(ShapeName) == tuple(BY_NAME) == tuple(shape.name for shape in SHAPES)


@given(NAMES)
@example("=cmd|' /C calc'!A0")
@example("'TD 1")
@example("0012")
def test_canvas_reads_names_as_they_are(name: str) -> None:
    shape = BY_NAME["canvas-groups"]
    if shape.why_no_group(name) is None:
        found = peers.canvas(written(shape, name), ("ada", "eve"))
        assert found == {name: {"ada"}, "last": {"eve"}}


@given(NAMES)
@example("a\\")
@example('a,b\\"c')
@example("0")
@example("a" * 255)
def test_moodle_reads_names_as_they_are(name: str) -> None:
    shape = BY_NAME["moodle-groups"]
    if shape.why_no_group(name) is None:
        assert peers.moodle_groups(written(shape, name)) == {"TD": [name, "last"]}
    shape = BY_NAME["moodle-users"]
    if shape.why_no_group(name) is None:
        found = peers.moodle_users(written(shape, name), "PROG1")
        assert found == {name: {"ada"}, "last": {"eve"}}


@given(NAMES)
@example('ad,a\\"')
def test_moodle_reads_usernames_as_they_are(username: str) -> None:
    shape = BY_NAME["moodle-users"]
    if shape.why_no_cell(username) is None:
        found = peers.moodle_users(written(shape, "TD 1", username), "PROG1")
        assert found == {"TD 1": {username}, "last": {"eve"}}


@given(NAMES)
def test_brightspace_reads_names_as_they_are(name: str) -> None:
    shape = BY_NAME["brightspace-groups"]
    if shape.why_no_group(name) is None:
        found = peers.brightspace(written(shape, name), (name, "last"), ("ada", "eve"))
        assert found == {name: {"ada"}, "last": {"eve"}}


@given(NAMES)
@example('"')
@example("a,b")
def test_openedx_reads_teams_as_they_are(name: str) -> None:
    shape, modes = BY_NAME["openedx-teams"], {"ada": "audit", "eve": "audit"}
    if shape.why_no_group(name) is None:
        found = peers.openedx_teams(written(shape, name), modes, ["TD"])
        assert found == {name: {"ada"}, "last": {"eve"}}
    if shape.why_no_cell(name) is None:
        found = peers.openedx_teams(written(shape, "T", name), {name: "audit", **modes}, ["TD"])
        assert found == {"T": {name}, "last": {"eve"}}


@given(NAMES)
@example("mode")
@example("TD 1.2_a-b")
def test_openedx_knows_team_sets_by_the_names_that_are_taken(name: str) -> None:
    shape = BY_NAME["openedx-teams"]
    if shape.why_no_partition(name) is None:
        assert re.fullmatch("[A-Za-z0-9_. -]+", name)
        export = ShapeExport(shape, 1, 1, "PROG1", name, [], [], mode="verified")
        file = TextWriter(guarded=False).add([export.header(), export.cells("T", "ada")])
        assert peers.openedx_teams(file, {"ada": "verified"}, [name]) == {"T": {"ada"}}


LONG = "a" * 255
CONTROL = "has a line break or another control character"
ESCAPE = "has a backslash before a quote or at its end"
NUMBER = "is taken for the id of a group"


@pytest.mark.parametrize(
    ("shape", "name", "why"),
    [
        ("canvas-groups", LONG, None),
        ("canvas-groups", "a\nb", CONTROL),
        ("moodle-groups", LONG, "has more than 254 characters"),
        ("moodle-groups", "0", "counts as empty"),
        ("moodle-groups", "12", None),
        ("moodle-groups", "a\\", ESCAPE),
        ("moodle-groups", 'a\\"b', ESCAPE),
        ("moodle-groups", 'a\\b"', None),
        ("moodle-users", "12", NUMBER),
        ("moodle-users", "-1.5e3", NUMBER),
        ("moodle-users", ".5", NUMBER),
        ("moodle-users", "12a", None),
        ("moodle-users", "a\rb", CONTROL),
        ("brightspace-groups", "a\x7f", CONTROL),
        ("openedx-cohorts", "12", None),
        ("openedx-cohorts", "a\tb", CONTROL),
        ("openedx-teams", "a\nb", CONTROL),
        ("openedx-teams", "\ufeffa", "begins with a byte order mark"),
        ("openedx-teams", "TD é", None),
    ],
)
def test_names_that_would_be_misread_are_not_taken(
    shape: ShapeName, name: str, why: str | None
) -> None:
    assert BY_NAME[shape].why_no_group(name) == why
