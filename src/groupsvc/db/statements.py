"""Statements in SQL files, each with its name, its kind and the reason for its form.

A file stands beside the module that runs its statements. A statement begins with a line such as
``-- read: in_course`` and ends with a semicolon; parameters are written ``:name::type``, so that a
statement can be pasted into psql as it stands. The kinds:

* ``read`` returns rows and changes nothing. For a caller whose token is cached it can be sent
  with the check of that token around it.
* ``placed read`` is one whose rows have ``department`` and ``course``, and answers a caller who
  sees those places or not at all. It is sent with what they see around it: what is out of sight is
  not built, and takes as long as what is not there.
* ``primary read`` is one that no standby answers: who a caller is.
* ``write`` changes something and is sent once the caller is certain.
* ``checked write`` stands alone, sets the audit context and checks a cached token by itself: it
  returns no row, and writes nothing, when what tokens stand for has changed since. It has a
  parameter for that, ``access_version``, null when there is no cached token.

A kind followed by ``, gathered`` may be sent once for several calls: see ``gathering.py``. Each of
them gets the rows that it would get alone. For a read that is all there is to say. For a write a
``gathered write`` of the same name says how: it takes an array of each parameter that calls may
differ in (arrays go as text), and its rows end with ``call``, the number of the call that they are
for. With ``by user_id`` two calls with the same user do not go together.
"""

import re
from collections.abc import Callable, Iterator, Sequence
from functools import cached_property
from operator import itemgetter
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Literal, cast

Kind = Literal["read", "placed read", "primary read", "write", "checked write"]
WRITES: Final = ("write", "checked write")

# A colon that begins a parameter: neither a cast nor a slice of an array.
_PARAMETER: Final = re.compile(r"(?<![:\w]):([a-z_]\w*)")
_TYPED: Final = re.compile(_PARAMETER.pattern + r"::(\w+(?:\[\])?)")
_COMMENT: Final = re.compile(r"(?:--.*\n)*")  # why it is as it is: PostgreSQL need not know
_HEADING: Final = re.compile(
    r"^-- (read|placed read|primary read|write|checked write|gathered write)"
    r"(, gathered)?: (\w+)(?: by (\w+))?\n",
    re.MULTILINE,
)


class Statement:
    """One statement as the driver takes it: ``query`` with the ``names`` of its arguments."""

    def __init__(
        self,
        name: str,
        kind: Kind,
        source: str,
        *,
        may_be_gathered: bool = False,
        checks_token: bool = False,
    ) -> None:
        self.name, self.source = name, source
        self.kind: Kind = kind
        self.may_be_gathered, self._checks_token = may_be_gathered, checks_token
        stated = _COMMENT.sub("", source, count=1)
        self.names, self.query = _numbered(_CHECKED_READ % stated if checks_token else stated)

    @cached_property
    def with_token_check(self) -> "Statement | None":
        """The same for a caller whose token is cached: one round trip for both.

        No row at all comes back when what tokens stand for has changed since. Where a read
        finds nothing, one row comes back whose ``found`` is null. None for a plain write.
        """
        if self.kind == "checked write":
            return self
        if self.kind == "write":
            return None
        kind: Kind = "primary read" if self.kind == "primary read" else "read"
        return self._as(kind, self.source, checks_token=True)

    @cached_property
    def in_sight(self) -> "Statement":
        """The same for a caller who does not see everything."""
        return self._as("read", _PLACED_READ % self.source)

    @cached_property
    def gathered(self) -> "GatheredStatement":
        """The same for several calls at once. That of a write is in its file."""
        types = dict(_TYPED.findall(self.source))
        form = _CHECKED_READS if self._checks_token else _READS
        source = form.format(
            # Behind a SELECT the planner does not see how many there are: one plan is for all.
            arrays=", ".join(f"(SELECT :{name}::{_element(types[name])}[])" for name in types),
            columns=", ".join(f'"{name}"' for name in types),
            source=_PARAMETER.sub(r'call."\1"', _COMMENT.sub("", self.source, count=1)),
        )
        return GatheredStatement(self, source)

    def _as(self, kind: Kind, source: str, *, checks_token: bool = False) -> "Statement":
        return Statement(
            self.name,
            kind,
            source,
            may_be_gathered=self.may_be_gathered,
            checks_token=checks_token,
        )


class GatheredStatement:
    """One for several calls, whose rows end with the number of the call that they are for.

    Calls go together when they have the same of what is ``shared`` and differ in what is
    ``apart``: places of the arguments that each would have alone.
    """

    def __init__(self, alone: Statement, source: str, by: str | None = None) -> None:
        names, self.query = _numbered(_COMMENT.sub("", source, count=1))
        types, own = dict(_TYPED.findall(source)), dict(_TYPED.findall(alone.source))
        place = alone.names.index
        differ = [name for name in names if types[name].endswith("[]")]
        self.shared = [place(name) for name in names if name not in differ]
        self.apart = place(by) if by else None
        self._columns = [
            (place(name), _column(own[name]) if name in differ else itemgetter(0)) for name in names
        ]

    def arguments(self, calls: Sequence[Sequence[Any]]) -> list[Any]:
        """Of the arguments that each call would have alone."""
        columns = tuple(zip(*calls, strict=True))
        return [column(columns[place]) for place, column in self._columns]


def _numbered(source: str) -> tuple[tuple[str, ...], str]:
    """The names of the parameters, and the text in which each has the number of its name."""
    names = tuple(dict.fromkeys(_PARAMETER.findall(source)))
    numbers = {each: f"${number}" for number, each in enumerate(names, 1)}
    return names, _PARAMETER.sub(lambda found: numbers[found[1]], source)


def _element(type_name: str) -> str:
    """An array of arrays would be one list to ``unnest``: each goes as text."""
    return "text" if type_name.endswith("[]") else type_name


def _column(type_name: str) -> Callable[[Sequence[Any]], Any]:
    return _literals if type_name.endswith("[]") else list


def _literals(arrays: Sequence[Sequence[object] | None]) -> list[str | None]:
    """Arrays as PostgreSQL writes them."""
    return [None if each is None else f"{{{','.join(map(_quoted, each))}}}" for each in arrays]


def _quoted(element: object) -> str:
    escaped = str(element).replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'


class SqlFile:
    """The statements of the SQL file beside a module: ``SqlFile(__file__).in_course``."""

    def __init__(self, module: str) -> None:
        path = Path(module).with_suffix(".sql")
        _, *parts = _HEADING.split(path.read_text(encoding="utf-8"))
        for kind, may, name, by, text in zip(*(parts[n::5] for n in range(5)), strict=True):
            source = text.rstrip().removesuffix(";")
            if kind == "gathered write":
                alone = vars(self)[name]
                alone.gathered = GatheredStatement(alone, source, by)
            else:
                kind = cast("Kind", kind)
                vars(self)[name] = Statement(name, kind, source, may_be_gathered=bool(may))

    def __iter__(self) -> Iterator[Statement]:
        return iter(vars(self).values())

    if TYPE_CHECKING:

        def __getattr__(self, name: str) -> Statement: ...


SQL: Final = SqlFile(__file__)
_PLACED_READ: Final = """
SELECT placed.* FROM (%s) placed
WHERE placed.department = ANY (:seen_departments::text[])
   OR placed.course = ANY (:seen_courses::text[])
"""
_TOKEN: Final = f"WITH token AS MATERIALIZED ({SQL.current_access.source})"
_CHECKED_READ: Final = f"""
{_TOKEN}
SELECT answer.* FROM token LEFT JOIN LATERAL (
    SELECT stated.*, true AS found FROM (%s) stated) answer ON true
"""
# OFFSET 0 keeps each call from being planned into a join of all of them.
_READS: Final = """
SELECT answer.*, call.call
FROM unnest({arrays}) WITH ORDINALITY AS call ({columns}, call)
CROSS JOIN LATERAL (SELECT stated.* FROM ({source}) stated OFFSET 0) answer
"""
_CHECKED_READS: Final = f"""
{_TOKEN}
SELECT answer.*, call.call
FROM token CROSS JOIN unnest({{arrays}}) WITH ORDINALITY AS call ({{columns}}, call)
LEFT JOIN LATERAL (SELECT stated.*, true AS found FROM ({{source}}) stated OFFSET 0) answer ON true
"""
