"""Statements in SQL, with a type for every parameter.

A parameter of one name has one type in all statements. PostgreSQL is told it with every use, so
that no statement depends on what the server would have guessed.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Final

from sqlalchemy import (
    BigInteger,
    Boolean,
    Double,
    Integer,
    LargeBinary,
    Text,
    TextClause,
    bindparam,
    text,
)
from sqlalchemy.dialects.postgresql import ARRAY, JSONB, TIMESTAMP
from sqlalchemy.dialects.postgresql.asyncpg import PGDialect_asyncpg
from sqlalchemy.types import TypeEngine

IDS = (
    "id",
    "after",
    "before",
    "course_id",
    "user_id",
    "group_id",
    "partition_id",
    "account_id",
    "department_id",
    "content_partition_id",
    "content_group_id",
    "position",
    "offset",
    "after_seq",
    "mark",
)
NUMBERS = (
    "limit",
    "capacity",
    "status",
    "hours",
    "random",
    "tries",
    "lifetime",
    "days",
    "total",
    "attempted",
    "succeeded",
    "skipped",
    "preassigned",
    "failed",
)
FLAGS = (
    "everywhere",
    "groups_editable",
    "show_in_lists",
    "bul_show_rank",
    "is_locked",
    "is_active",
    "is_cohorted",
    "with_members",
    "visible_users_only",
)
TIMES = ("as_of", "since", "until", "expires_at")
SECONDS = ("seconds",)
BYTES = ("digest", "bearer_digest", "fingerprint", "body", "payload")
ID_LISTS = (
    "ids",
    "user_ids",
    "group_ids",
    "partition_ids",
    "course_ids",
    "department_ids",
    "content_partition_ids",
    "content_group_ids",
    "positions",
    "lines",
)
NUMBER_LISTS = ("capacities",)
FLAG_LISTS = ("actives", "editables", "listed", "ranked")
TEXT_LISTS = (
    "departments",
    "courses",
    "names",
    "usernames",
    "emails",
    "states",
    "permissions",
    "course_keys",
    "group_names",
    "partition_names",
    "family_names",
    "given_names",
    "usual_names",
    "civilities",
    "student_numbers",
    "national_numbers",
    "sort_keys",
    "acronyms",
    "identifiers",
    "titles",
    "kinds",
    "nouns",
    "edt_ids",
    "assignment_types",
    "running",
)
DOCUMENTS = ("headers", "decisions", "groups", "result")

TYPES: dict[str, TypeEngine[Any]] = {
    **dict.fromkeys(IDS, BigInteger()),
    **dict.fromkeys(NUMBERS, Integer()),
    **dict.fromkeys(FLAGS, Boolean()),
    **dict.fromkeys(TIMES, TIMESTAMP(timezone=True)),
    **dict.fromkeys(SECONDS, Double()),
    **dict.fromkeys(BYTES, LargeBinary()),
    **dict.fromkeys(ID_LISTS, ARRAY(BigInteger())),
    **dict.fromkeys(NUMBER_LISTS, ARRAY(Integer())),
    **dict.fromkeys(FLAG_LISTS, ARRAY(Boolean())),
    **dict.fromkeys(TEXT_LISTS, ARRAY(Text())),
    **dict.fromkeys(DOCUMENTS, JSONB()),
}


# Opens a statement that stands alone and changes something: triggers read these settings.
AUDIT_CONTEXT: Final = """acting AS MATERIALIZED (
    SELECT set_config('groupsvc.actor', :actor, true),
           set_config('groupsvc.request_id', :request_id, true),
           set_config('groupsvc.cause', :cause, true)
)"""

# Whom a token stands for, in one text, while it does.
BEARER: Final = """
    SELECT json_build_array(a.name, a.username, coalesce((
        SELECT json_agg(json_build_array(g.permission, d.acronym, c.key)
                        ORDER BY g.permission, d.acronym, c.key)
        FROM grants g
        LEFT JOIN departments d ON d.id = g.department_id
        LEFT JOIN courses c ON c.id = g.course_id
        WHERE g.account_id = a.id), '[]'))::text AS bearer,
        t.expires_at <= now() AS is_expired
    FROM tokens t JOIN accounts a ON a.id = t.account_id AND a.is_active
    WHERE t.digest = :bearer_digest AND t.expires_at > '-infinity'
"""
TOKEN_STILL_VALID: Final = f"""standing AS MATERIALIZED (
    SELECT true AS stands FROM ({BEARER}) b WHERE b.bearer = :bearer AND NOT b.is_expired
)"""
_WRITES: Final = re.compile(r"\b(INSERT|UPDATE|DELETE)\b(?! OF\b)")
_DIALECT: Final = PGDialect_asyncpg()  # type: ignore[no-untyped-call]


@dataclass(frozen=True, slots=True)
class Native:
    """A statement as the driver takes it, with the names of its arguments in their order."""

    query: str
    names: tuple[str, ...]

    def arguments(self, parameters: Mapping[str, Any]) -> list[Any]:
        return [parameters[name] for name in self.names]


class Statement:
    """One statement, in every form in which it may be sent."""

    def __init__(self, source: str) -> None:
        self._source = source

    @cached_property
    def clause(self) -> TextClause:
        """For a session."""
        return _typed(self._source)

    @cached_property
    def native(self) -> Native | None:
        """For the driver; None with parameters that need more than the driver does."""
        return _native(self._source)

    @cached_property
    def with_token_check(self) -> Native | None:
        """The same for a caller whose token is known from before: one round trip for both.

        No row at all comes back, and nothing is written, when the token no longer stands for what
        it did. Where a read finds nothing, one row comes back whose ``found`` is null. None for
        what can only be sent when the caller is certain.
        """
        # What writes must tell so in a row, or it would be taken for undone and be done again.
        if self._source.strip().startswith(f"WITH {AUDIT_CONTEXT},"):
            acting = AUDIT_CONTEXT.removesuffix("\n)") + "\n    FROM standing\n)"
            return _native(self._source.replace(AUDIT_CONTEXT, f"{TOKEN_STILL_VALID}, {acting}", 1))
        if _WRITES.search(self._source):
            return None
        return _native(f"""
            WITH {TOKEN_STILL_VALID} SELECT answer.* FROM standing LEFT JOIN LATERAL (
                SELECT stated.*, true AS found FROM ({self._source}) stated) answer ON true
        """)


def sql(source: str) -> Statement:
    """A statement; parameters that no list above names are text."""
    return Statement(source)


def _typed(source: str) -> TextClause:
    clause = text(source)
    names = clause.compile().params
    return clause.bindparams(*(bindparam(name, type_=TYPES.get(name, Text())) for name in names))


def _native(source: str) -> Native | None:
    compiled = _typed(source).compile(dialect=_DIALECT)
    names = tuple(compiled.positiontup or ())
    return None if set(names) & set(DOCUMENTS) else Native(str(compiled), names)
