"""What a broken constraint means: one table from its name to a refusal.

The names in lower case without a prefix belong to the rules in triggers, see ``alembic/``.
"""

from collections.abc import Callable

from asyncpg import PostgresError

from groupsvc.domain import rules
from groupsvc.domain.errors import (
    ConflictError,
    GroupsvcError,
    InvalidError,
    NotFoundError,
)


def _out_of_range() -> GroupsvcError:
    return InvalidError("a value is out of range or cannot be stored")


def _invalid_name() -> GroupsvcError:
    return InvalidError("the name cannot be stored as it is", code="invalid_name")


def _key_taken() -> GroupsvcError:
    return ConflictError("another record has this key", code="key_taken")


MEANING: dict[str, Callable[[], GroupsvcError]] = {
    "course_open": rules.course_locked,
    "groups_editable": rules.not_editable,
    "group_capacity": rules.group_full,
    "capacity_below_members": rules.capacity_below_members,
    "member_enrolled": rules.not_enrolled,
    "default_partition": lambda: rules.default_partition(
        "the default partition is derived from the roster and cannot be edited"
    ),
    "uq_partitions_name": lambda: rules.name_taken("a partition of the course has this name"),
    "uq_partitions_kind": rules.kind_taken,
    "uq_groups_name": lambda: rules.name_taken("a group of the partition has this name"),
    "uq_departments_acronym": lambda: rules.name_taken("a department has this acronym"),
    "uq_courses_key": lambda: rules.name_taken("a course has this key"),
    "uq_users_username": lambda: rules.name_taken("a user has this name"),
    "uq_users_email": lambda: ConflictError("a user has this e-mail", code="email_taken"),
    "uq_users_student_number": lambda: ConflictError(
        "a user of the department has this student number", code="number_taken"
    ),
    "uq_users_national_number": lambda: ConflictError(
        "a user of the department has this national number", code="number_taken"
    ),
    "uq_external_ids": lambda: ConflictError(
        "another user has this id there", code="external_id_taken"
    ),
    **{
        f"uq_{table}_imported_key": _key_taken
        for table in ("users", "courses", "partitions", "groups")
    },
    "uq_preassignments_email": lambda: ConflictError(
        "the address waits in another group", code="address_taken"
    ),
    "uq_accounts_name": lambda: rules.name_taken("an account has this name"),
    "ck_partitions_tracks": rules.tracks_not_editable,
    # The server may know newer characters, and other ways to compose them, than Python does.
    "ck_departments_acronym": _invalid_name,
    "ck_users_username": _invalid_name,
    "ck_courses_key": _invalid_name,
    "ck_courses_dates": rules.ends_before_it_starts,
    "ck_partitions_name": _invalid_name,
    "ck_groups_name": _invalid_name,
    "ck_accounts_name": _invalid_name,
    "fk_users_department": lambda: ConflictError(
        "the department still has users", code="department_in_use"
    ),
    "fk_courses_department": lambda: ConflictError(
        "the department still has courses", code="department_in_use"
    ),
    "fk_enrollments_user": lambda: NotFoundError("no such user"),
    "fk_enrollments_course": lambda: NotFoundError("no such course"),
    "fk_memberships_user": lambda: NotFoundError("no such user"),
    "fk_memberships_group": lambda: NotFoundError("no such group"),
    "fk_groups_partition": lambda: NotFoundError("no such partition"),
    "fk_partitions_course": lambda: NotFoundError("no such course"),
    "fk_preassignments_group": lambda: NotFoundError("no such group"),
}

# Whose id the database says with the rule.
_DETAIL: dict[str, str] = {
    "course_open": "course_id",
    "group_capacity": "group_id",
    "capacity_below_members": "group_id",
}

# Class 22: a value that the column cannot hold, whatever slipped past the schemas.
DATA_EXCEPTION = "22"


def raise_refusal(error: PostgresError) -> None:
    """Raises what the constraint stands for that the database found broken, if it is one."""
    constraint = getattr(error, "constraint_name", None) or ""
    meaning = MEANING.get(constraint)
    if meaning is not None:
        refusal = meaning()
        if constraint in _DETAIL:
            refusal.about = {_DETAIL[constraint]: int(getattr(error, "detail", None) or 0)}
        raise refusal from error
    if str(error.sqlstate).startswith(DATA_EXCEPTION):
        raise _out_of_range() from error
