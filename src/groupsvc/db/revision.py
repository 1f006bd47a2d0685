"""Which revision the database is at and which one this program needs, without alembic.

A server asks at its start, and alembic with all its dialects would take a tenth of that.
"""

from functools import cache
from pathlib import Path
from typing import Final, NamedTuple

from sqlalchemy import text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncEngine

import groupsvc
from groupsvc.db.failures import NO_TABLE, sqlstate

CURRENT: Final = text(
    "SELECT version_num, obj_description('alembic_version'::regclass) FROM alembic_version"
)
OLDEST: Final = "oldest program that may serve: "


class Found(NamedTuple):
    """The revision of a database, and the oldest one of programs that may go on serving on it."""

    revision: str | None = None
    oldest_program: str | None = None

    @property
    def fits(self) -> bool:
        """Whether this program may serve on it."""
        own = head()
        if own is None or self.revision is None or self.revision == own:
            return self.revision == own
        return self.oldest_program is not None and self.oldest_program <= own < self.revision


def scripts() -> Path:
    package = Path(groupsvc.__file__).parent
    installed = package / "alembic"
    return installed if installed.is_dir() else package.parents[1] / "alembic"


@cache
def head() -> str | None:
    """Of files named ``<date>_<revision>_<name>.py`` the last."""
    names = sorted(path.name.split("_")[1] for path in scripts().glob("versions/*_*_*.py"))
    return names[-1] if names else None


async def find(engine: AsyncEngine) -> Found:
    try:
        async with engine.connect() as connection:
            row = (await connection.execute(CURRENT)).one_or_none()
    except DBAPIError as error:
        if sqlstate(error) == NO_TABLE:
            return Found()
        raise
    if row is None:
        return Found()
    told = row[1] if row[1] and row[1].startswith(OLDEST) else None
    return Found(row[0], told.removeprefix(OLDEST) if told else None)


def cure(found: str | None) -> str:
    """What an operator has to do when the database is not at the revision of this program."""
    own = head()
    if found is not None and own is not None and found > own:
        return "this program is older: use the one that has migrated it, or a newer one"
    return "run `groupsvc migrate`"


async def current(engine: AsyncEngine) -> str | None:
    """The revision of the database, or None when it was never migrated."""
    return (await find(engine)).revision
