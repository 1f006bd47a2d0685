"""How fast rows can come in at all: COPY into the table of memberships, and into one like it."""

import time
from collections.abc import Sequence

from benchmarks.postgres import Postgres
from benchmarks.processes import cpu_seconds

Rows = Sequence[tuple[int, int]]

LIKE = "memberships_copied"
KEYS, TRIGGERS = "COPY with its keys", "COPY with our triggers"
TABLES = {KEYS: LIKE, TRIGGERS: "memberships"}
COPIES = {"bulk": KEYS, "import": TRIGGERS}  # what each kind of item is held against
# The same keys, checks, indexes and foreign keys; no rules and no change log.
MAKE = f"""
    DROP TABLE IF EXISTS {LIKE};
    CREATE TABLE {LIKE} (LIKE memberships INCLUDING ALL,
        FOREIGN KEY (course_id, partition_id, group_id)
            REFERENCES groups (course_id, partition_id, id),
        FOREIGN KEY (user_id) REFERENCES users (id))
"""


async def copy(postgres: Postgres, database: str, table: str, given: Rows) -> tuple[float, float]:
    """The seconds it takes, and those of CPU. *table* has none of the rows."""
    connection = await postgres.connect(database)
    if table == LIKE:
        await connection.execute(MAKE)
    place = await connection.fetchrow(
        "SELECT course_id, partition_id FROM groups WHERE id = $1", given[0][1]
    )
    assert place is not None
    records = [(*place.values(), *row) for row in sorted(given)]
    columns = ("course_id", "partition_id", "user_id", "group_id")
    began, before = time.perf_counter(), cpu_seconds(postgres.pid)
    await connection.copy_records_to_table(table, records=records, columns=columns)
    used = time.perf_counter() - began, cpu_seconds(postgres.pid) - before
    await connection.close()
    return used
