"""The page about privacy speaks of every column that can hold a text or key, a new one too."""

import re
from pathlib import Path

from tests.conftest import SQL

PAGE = Path(__file__).parents[2] / "docs" / "privacy.md"
ROW = re.compile(r"^\| `(\w+)`: (.+?) \| (.+?) \| (.+?) \|$", re.MULTILINE)
TEXTS = (
    *("text", "character varying", "character", "name", "json", "jsonb", "bytea", "ARRAY", "xml"),
    "uuid",
)


def spoken_of() -> list[str]:
    return [
        f"{table}.{column}"
        for table, columns, _, _ in ROW.findall(PAGE.read_text(encoding="utf-8"))
        for column in re.findall(r"`(\w+)`", columns)
    ]


def personal() -> set[str]:
    """Columns in which something of a person is."""
    return {
        f"{table}.{column}"
        for table, columns, held, _ in ROW.findall(PAGE.read_text(encoding="utf-8"))
        for column in re.findall(r"`(\w+)`", columns)
        if not held.startswith("nothing")
    }


async def test_every_column_that_can_hold_text_is_spoken_of_once(sql: SQL) -> None:
    found = await sql(
        "SELECT table_name || '.' || column_name FROM information_schema.columns"
        " JOIN information_schema.tables USING (table_schema, table_name)"
        " WHERE table_schema = 'public' AND table_type = 'BASE TABLE'"
        " AND table_name <> 'alembic_version' AND data_type = ANY (:texts)",
        texts=list(TEXTS),
    )
    assert sorted(spoken_of()) == sorted(column for (column,) in found)


def test_who_is_somewhere_goes_from_there() -> None:
    rows = ROW.findall(PAGE.read_text(encoding="utf-8"))
    assert [row for row in rows if not row[2].startswith("nothing") and row[3] == "-"] == []
