"""Failures of commands that an operator can act on."""

from pydantic import ValidationError
from sqlalchemy.exc import SQLAlchemyError

from groupsvc.auth.development import DevelopmentKeyError
from groupsvc.db.failures import remedy
from groupsvc.domain.errors import GroupsvcError
from groupsvc.local.programs import EmbeddedError
from groupsvc.settings import faults


def explain(error: Exception) -> str | None:
    """One sentence; None for what only a programmer can act on."""
    if isinstance(error, GroupsvcError):
        return error.message
    if isinstance(error, ValidationError):
        return "; ".join(faults(error))
    if isinstance(error, (DevelopmentKeyError, EmbeddedError, ValueError)):
        return str(error)
    if isinstance(error, (SQLAlchemyError, OSError)):
        if (told := remedy(error)) is not None:
            return f"the database cannot be used: {told}"
        return f"the database cannot be used ({type(error).__name__}): try `groupsvc doctor`"
    return None
