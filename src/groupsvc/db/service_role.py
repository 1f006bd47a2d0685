"""The role that serves, apart from the one that owns the tables: what it may do."""

import re
from pathlib import Path
from typing import Final

from sqlalchemy import Connection, text

FILE: Final = Path(__file__).with_suffix(".sql")

_FACTS: Final = text("""
    SELECT pg_has_role(CAST(:role AS name), c.relowner, 'MEMBER') AS is_owner
    FROM pg_class c WHERE c.oid = to_regclass('changes')
""")
_EXISTS: Final = text("SELECT EXISTS (SELECT FROM pg_roles WHERE rolname = :role)")
_OWNS_DATABASE: Final = text("""
    SELECT quote_ident(current_database()) FROM pg_database
    WHERE datname = current_database() AND pg_has_role(datdba, 'USAGE')
""")


def grant_service(connection: Connection, role: str) -> None:
    """Let a role serve, and no more. Raises ValueError for one that is not there or owns all."""
    if not connection.scalar(_EXISTS, {"role": role}):
        raise ValueError(f"there is no role {role}: create it first (CREATE ROLE ... LOGIN)")
    if connection.scalar(_FACTS, {"role": role}):
        raise ValueError(f"the role {role} owns the tables: it could rewrite the change log")
    quoted = connection.dialect.identifier_preparer.quote_identifier(role)
    for statement in _statements():
        connection.exec_driver_sql(re.sub(r"\bservice\b", lambda _: quoted, statement))
    database = connection.scalar(_OWNS_DATABASE)
    if database is not None:
        # A temporary table named like one of ours would come before it.
        connection.exec_driver_sql(f"REVOKE TEMPORARY ON DATABASE {database} FROM PUBLIC, {quoted}")
        connection.exec_driver_sql(f"GRANT CONNECT ON DATABASE {database} TO {quoted}")


def _statements() -> list[str]:
    source = re.sub("^--.*\n", "", FILE.read_text(encoding="utf-8"), flags=re.MULTILINE)
    return [statement for part in source.split(";") if (statement := part.strip())]
