"""What other systems import, each declared once: columns, rows, and what they do not take.

What each of them documents is told in docs/api.md, "Exports for other systems".
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Literal

ShapeName = Literal[
    "canvas-groups",
    "moodle-groups",
    "moodle-users",
    "brightspace-groups",
    "openedx-cohorts",
    "openedx-teams",
]


@dataclass(frozen=True, slots=True)
class Unfit:
    """Texts that would be read as something else, by a pattern that PostgreSQL knows too."""

    pattern: str
    why: str


_CONTROLS: Final = Unfit(r"[\x01-\x1f\x7f]", "has a line break or another control character")
# There, the backslash keeps a quote from ending the cell, and the rows behind are swallowed.
_ESCAPES: Final = Unfit(r'\\("|$)', "has a backslash before a quote or at its end")
_ZERO: Final = Unfit(r"^0$", "counts as empty")
_NUMBERS: Final = Unfit(
    r"^[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]+)?$", "is taken for the id of a group"
)


_MARKS: Final = Unfit("^\ufeff", "begins with a byte order mark")
_NO_TEAM_SET: Final = Unfit(
    "[^A-Za-z0-9_. -]",
    "has other characters than letters without accents, digits, _ . - and spaces",
)
_OTHER_COLUMNS: Final = Unfit("^(username|external_user_id|mode)$", "is the name of another column")


@dataclass(frozen=True, eq=False)
class Shape:
    """A file that ``title`` imports, called ``name`` wherever it is asked for.

    ``columns`` have the cells of a row, in which ``{group}``, ``{partition}``, ``{course}``,
    ``{username}``, ``{email}`` and ``{mode}`` are filled in, as in their names. There is a row for
    each member, or for each group if there are ``groups_alone``. Members are those active in the
    course, unless the shape takes ``anybody``: then the addresses that wait for their users are
    rows too. ``kind`` is that of the partition that is meant if none is named. ``unfit`` is so in
    every cell, ``unfit_groups`` only as the name of a group, which has ``longest`` characters at
    most, and ``unfit_partitions`` as that of the partition.
    """

    name: ShapeName
    title: str
    columns: dict[str, str]
    longest: int = 255
    unfit: tuple[Unfit, ...] = (_CONTROLS,)
    unfit_groups: tuple[Unfit, ...] = ()
    unfit_partitions: tuple[Unfit, ...] = ()
    groups_alone: bool = False
    anybody: bool = False
    kind: str | None = None
    most_members: int | None = None
    most_bytes: int | None = None

    def has(self, cell: str) -> bool:
        """Whether ``cell`` is filled in anywhere."""
        return any(f"{{{cell}}}" in text for pair in self.columns.items() for text in pair)

    def why_no_partition(self, name: str) -> str | None:
        return _why((*self.unfit, *self.unfit_partitions), name)

    def why_no_cell(self, text: str) -> str | None:
        return _why(self.unfit, text)

    def why_no_group(self, name: str) -> str | None:
        if len(name) > self.longest:
            return f"has more than {self.longest} characters"
        return _why((*self.unfit, *self.unfit_groups), name)


def _why(unfit: Sequence[Unfit], text: str) -> str | None:
    return next((each.why for each in unfit if re.search(each.pattern, text)), None)


SHAPES: Final = (
    Shape(
        "canvas-groups",
        "Canvas",
        {"login_id": "{username}", "group_name": "{group}"},
    ),
    Shape(
        "moodle-groups",
        "Moodle",
        {"groupname": "{group}", "groupingname": "{partition}"},
        longest=254,
        unfit=(_CONTROLS, _ESCAPES),
        unfit_groups=(_ZERO,),
        groups_alone=True,
    ),
    Shape(
        "moodle-users",
        "Moodle",
        {"username": "{username}", "course1": "{course}", "group1": "{group}"},
        longest=254,
        unfit=(_CONTROLS, _ESCAPES),
        unfit_groups=(_NUMBERS,),
    ),
    Shape(
        "brightspace-groups",
        "Brightspace",
        {
            "Action": "ENROLL",
            "Username": "{username}",
            "Org Defined ID": "",
            "Group Name": "{group}",
            "Group Code": "{group}",
        },
        most_members=200,
    ),
    Shape(
        "openedx-cohorts",
        "Open edX",
        {"username": "{username}", "email": "{email}", "cohort": "{group}"},
        anybody=True,
        kind="cohorts",
        most_bytes=2_000_000,
    ),
    Shape(
        "openedx-teams",
        "Open edX",
        {"username": "{username}", "mode": "{mode}", "{partition}": "{group}"},
        unfit=(_CONTROLS, _MARKS),
        unfit_partitions=(_NO_TEAM_SET, _OTHER_COLUMNS),
        most_members=200,
    ),
)
BY_NAME: Final = {each.name: each for each in SHAPES}
