"""What to do about an error of the database that is no refusal."""

from collections.abc import Mapping
from enum import Enum
from typing import Final

from asyncpg import InterfaceError, PostgresError
from asyncpg.exceptions import InternalClientError
from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError


class Failure(Enum):
    RETRY = "retry"  # lost a race: the same unit of work may succeed
    STALE = "stale"  # a cached plan outlived a migration: once more
    LOST = "lost"  # the connection broke: once more if nothing was committed
    BUSY = "busy"  # a deadline passed or no connection was free: the caller may try later
    UNFIT = "unfit"  # the database is there and cannot be used until an operator acts
    PERMANENT = "permanent"  # a refusal or a bug: it would fail the same way again


READ_ONLY = "25006"
SERIALIZATION = {"40001", "40P01"}
# shutdowns, recovery, too many connections, read-only after a failover, connection failures
AWAY = {"57P01", "57P02", "57P03", "53300", READ_ONLY, "08000", "08001", "08003", "08004", "08006"}
# What an operator has to do, by SQLSTATE.
NO_TABLE: Final = "42P01"
_NOT_MIGRATED: Final = "it is not at the revision of this program: run `groupsvc migrate`"
POOLED: Final = "08P01"
_POOLER: Final = (
    "a pooler stands between, or refuses the connection: set GROUPSVC_POOLER=true; "
    "if it is set, look at the pooler's log"
)
REMEDIES: Final[Mapping[str, str]] = {
    NO_TABLE: _NOT_MIGRATED,
    "42703": _NOT_MIGRATED,
    "42883": _NOT_MIGRATED,
    "3D000": "there is no such database: create it, and run `groupsvc migrate`",
    "28000": "it refuses the role: look at pg_hba.conf and at GROUPSVC_DATABASE_URL",
    "28P01": "it refuses the password: look at GROUPSVC_DATABASE_URL",
    "42501": "the role lacks a privilege: it must own the database, or be granted its tables",
    "55000": "it takes no connections: has it been moved elsewhere?",
    "53100": "its disk is full",
    "53200": "it is out of memory",
    "58030": "it cannot read or write its files",
    "XX001": "its data is damaged: look at its log, and restore it",
    "XX002": "an index of it is damaged: look at its log, and build it again",
    POOLED: _POOLER,
    "26000": _POOLER,
    "42P05": _POOLER,
}
# lock not available, query cancelled by a timeout, idle in transaction
LOCKED: Final = "55P03"
TOO_SLOW = {LOCKED, "57014", "25P03", "25P04"}
# By their class: connections, and what an operator has done; resources, and the system itself.
_AWAY_CLASSES: Final = ("08", "57")
_UNFIT_CLASSES: Final = ("53", "58")
_ELSE: Final = "it lacks something that it needs: look at its log"


def classify(error: BaseException) -> Failure:
    """Tell failures apart by SQLSTATE, and raw socket errors that nobody wraps by their type."""
    if isinstance(error, (PoolTimeoutError, TimeoutError)):
        return Failure.BUSY
    if isinstance(error, (OSError, InterfaceError, InternalClientError)):
        return Failure.LOST
    if not isinstance(error, (DBAPIError, PostgresError)):
        return Failure.PERMANENT
    return _classify_driver_error(error)


def driver_error(error: BaseException) -> BaseException | None:
    """What asyncpg raised. SQLAlchemy's own property raises for errors made by the dialect."""
    if not isinstance(error, DBAPIError):
        return error
    try:
        return error.driver_exception
    except ValueError:
        return None


def sqlstate(error: BaseException) -> str | None:
    """The code of the server's error, if it is one."""
    found = getattr(driver_error(error), "sqlstate", None)
    wrapped = getattr(getattr(error, "orig", error), "sqlstate", None)
    return found or wrapped


def remedy(error: BaseException) -> str | None:
    """What an operator has to do about a database that cannot be used as it is."""
    state = sqlstate(error) or ""
    lacks = state.startswith(_UNFIT_CLASSES) and state not in AWAY
    return REMEDIES.get(state, _ELSE if lacks else None)


def _classify_driver_error(error: DBAPIError | PostgresError) -> Failure:
    cause = driver_error(error)
    wrapped = getattr(error, "orig", error)
    state = sqlstate(error)
    if state in SERIALIZATION:
        return Failure.RETRY
    if type(wrapped).__name__ == "InvalidCachedStatementError":
        return Failure.STALE
    if state in TOO_SLOW:
        return Failure.BUSY
    if state in REMEDIES:
        return Failure.UNFIT
    not_a_primary = type(cause).__name__ == "TargetServerAttributeNotMatched"
    is_broken = isinstance(cause, InternalClientError) or getattr(
        error, "connection_invalidated", False
    )
    if is_broken or state in AWAY or not_a_primary:
        return Failure.LOST
    # Whatever else there is of these kinds: that it is not known here makes it nobody's bug.
    if state is not None and state.startswith(_AWAY_CLASSES):
        return Failure.LOST
    if state is not None and state.startswith(_UNFIT_CLASSES):
        return Failure.UNFIT
    return Failure.PERMANENT
