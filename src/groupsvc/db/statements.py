"""Statements in SQL files, each with its name, its kind and the reason for its form.

A file stands beside the module that runs its statements. A statement begins with a line such as
``-- read: in_course`` and ends with a semicolon; parameters are written ``:name::type``, so that a
statement can be pasted into psql as it stands. The kinds:

* ``read`` returns rows and changes nothing. For a caller whose token is cached it can be sent
  with the check of that token around it.
* ``write`` changes something and is sent once the caller is certain.
* ``checked write`` stands alone, sets the audit context and checks a cached token by itself: it
  returns no row, and writes nothing, when the token no longer stands for what it did. It has two
  parameters for that, ``bearer_key`` and ``bearer``, null when there is no cached token.
"""

import re
from collections.abc import Iterator
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Final, Literal, cast

Kind = Literal["read", "write", "checked write"]

# A colon that begins a parameter: neither a cast nor a slice of an array.
_PARAMETER: Final = re.compile(r"(?<![:\w]):([a-z_]\w*)")
_HEADING: Final = re.compile(r"^-- (read|write|checked write): (\w+)\n", re.MULTILINE)


class Statement:
    """One statement as the driver takes it: ``query`` with the ``names`` of its arguments."""

    def __init__(self, name: str, kind: Kind, source: str) -> None:
        self.name, self.kind, self.source = name, kind, source
        self.names = tuple(dict.fromkeys(_PARAMETER.findall(source)))
        numbers = {each: f"${number}" for number, each in enumerate(self.names, 1)}
        self.query = _PARAMETER.sub(lambda found: numbers[found[1]], source)

    @cached_property
    def with_token_check(self) -> "Statement | None":
        """The same for a caller whose token is cached: one round trip for both.

        No row at all comes back when the token no longer stands for what it did. Where a read
        finds nothing, one row comes back whose ``found`` is null. None for a plain write.
        """
        if self.kind == "checked write":
            return self
        return (
            Statement(self.name, "read", _CHECKED_READ % self.source)
            if self.kind == "read"
            else None
        )


class SqlFile:
    """The statements of the SQL file beside a module: ``SqlFile(__file__).in_course``."""

    def __init__(self, module: str) -> None:
        path = Path(module).with_suffix(".sql")
        _, *parts = _HEADING.split(path.read_text(encoding="utf-8"))
        vars(self).update(
            (name, Statement(name, cast("Kind", kind), source.rstrip().removesuffix(";")))
            for kind, name, source in zip(parts[::3], parts[1::3], parts[2::3], strict=True)
        )

    def __iter__(self) -> Iterator[Statement]:
        return iter(vars(self).values())

    if TYPE_CHECKING:

        def __getattr__(self, name: str) -> Statement: ...


TOKENS: Final = SqlFile(__file__)
_CHECKED_READ: Final = f"""
WITH token AS MATERIALIZED (
    SELECT true AS stands FROM ({TOKENS.holder.source}) b
    WHERE b.bearer = :bearer::text AND NOT b.is_expired
)
SELECT answer.* FROM token LEFT JOIN LATERAL (
    SELECT stated.*, true AS found FROM (%s) stated) answer ON true
"""
