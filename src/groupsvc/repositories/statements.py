"""Statements in SQL, with a type for every parameter.

A parameter of one name has one type in all statements. PostgreSQL is told it with every use, so
that no statement depends on what the server would have guessed.
"""

from typing import Any

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
)
NUMBERS = (
    "limit",
    "capacity",
    "status",
    "hours",
    "random",
    "tries",
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
    "own",
    "groups_editable",
    "show_in_lists",
    "bul_show_rank",
    "is_locked",
    "is_active",
    "is_cohorted",
    "with_members",
    "in_reach",
)
TIMES = ("as_of", "since", "until", "expires_at")
SECONDS = ("seconds",)
BYTES = ("digest", "fingerprint", "body", "payload")
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
    "kinds",
    "edt_ids",
    "assignment_types",
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


def sql(source: str) -> TextClause:
    """A statement; parameters that no list above names are text."""
    clause = text(source)
    names = clause.compile().params
    return clause.bindparams(*(bindparam(name, type_=TYPES.get(name, Text())) for name in names))
