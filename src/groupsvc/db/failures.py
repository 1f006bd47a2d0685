"""What to do about an error of the database that is no refusal."""

from enum import Enum

from asyncpg import InterfaceError, PostgresError
from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError


class Failure(Enum):
    RETRY = "retry"  # lost a race: the same unit of work may succeed
    STALE = "stale"  # a cached plan outlived a migration: once more
    LOST = "lost"  # the connection broke: once more if nothing was committed
    BUSY = "busy"  # a deadline passed or no connection was free: the caller may try later
    PERMANENT = "permanent"  # a refusal or a bug: it would fail the same way again


READ_ONLY = "25006"
SERIALIZATION = {"40001", "40P01"}
# shutdowns, recovery, too many connections, read-only after a failover, connection failures
AWAY = {"57P01", "57P02", "57P03", "53300", READ_ONLY, "08000", "08001", "08003", "08004", "08006"}
# lock not available, query cancelled by a timeout, idle in transaction
TOO_SLOW = {"55P03", "57014", "25P03"}


def classify(error: BaseException) -> Failure:
    """Tell failures apart by SQLSTATE, and raw socket errors that nobody wraps by their type."""
    if isinstance(error, (PoolTimeoutError, TimeoutError)):
        return Failure.BUSY
    if isinstance(error, (OSError, InterfaceError)):
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


def _classify_driver_error(error: DBAPIError | PostgresError) -> Failure:
    cause = driver_error(error)
    wrapped = getattr(error, "orig", error)
    state = getattr(cause, "sqlstate", None) or getattr(wrapped, "sqlstate", None)
    if state in SERIALIZATION:
        return Failure.RETRY
    if type(wrapped).__name__ == "InvalidCachedStatementError":
        return Failure.STALE
    if state in TOO_SLOW:
        return Failure.BUSY
    not_a_primary = type(cause).__name__ == "TargetServerAttributeNotMatched"
    if getattr(error, "connection_invalidated", False) or state in AWAY or not_a_primary:
        return Failure.LOST
    return Failure.PERMANENT
