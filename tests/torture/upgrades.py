"""From PostgreSQL 15 to 18 with a service that writes. `make torture` runs this."""

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path
from time import monotonic
from typing import Any

import pytest

from tests.torture.cluster import DEBIAN_15, Cluster
from tests.torture.conftest import MakeService
from tests.torture.load import Load, make_partition, writing
from tests.torture.service import Service
from tests.waiting import until

pytestmark = pytest.mark.skipif(
    not (DEBIAN_15 / "postgres").exists(), reason="PostgreSQL 15 is not installed"
)
Carry = Callable[[Cluster, Cluster, Path], Awaitable[None]]
# Of the old server, whose data go over without being read.
AS_BEFORE = "--no-data-checksums"
IDS_OF_A_FILE = 1_048_576
LOGICAL = "-c wal_level=logical"
# Where each sequence goes on.
SEQUENCES = """
    SELECT format('SELECT setval(%L, %s)', quote_ident(sequencename), last_value)
    FROM pg_sequences WHERE schemaname = 'public' AND last_value IS NOT NULL
"""
CAUGHT_UP = """
    SELECT 1 FROM pg_stat_replication WHERE application_name = 'moved'
    AND replay_lsn >= pg_current_wal_lsn()
"""
NOT_COPIED = "SELECT 1 FROM pg_subscription_rel WHERE srsubstate <> 'r'"
# Lines of the change log that look as if their transaction were still to come.
HIDDEN = """
    SELECT count(*) FROM changes WHERE transaction_id >= pg_snapshot_xmin(pg_current_snapshot())
"""
TABLES = "SELECT table_name FROM information_schema.tables WHERE table_schema = 'public'"


async def upgraded(old: Cluster, new: Cluster, place: Path) -> None:
    """By ``pg_upgrade``: both stand still meanwhile."""
    await asyncio.to_thread(old.stop)
    # It leaves a script where it is started.
    await asyncio.to_thread(place.chmod, 0o777)
    await asyncio.to_thread(
        new._do, "pg_upgrade", "-b", str(old.folder), "-d", str(old.data), "-U", "postgres",
        "-p", str(old.port), "-P", str(new.port), "-s", str(place),
    )  # fmt: skip
    await asyncio.to_thread(place.chmod, 0o755)
    await asyncio.to_thread(new.start)
    reached = ("-h", "127.0.0.1", "-p", str(new.port), "-U", "postgres")
    await asyncio.to_thread(new.run, "vacuumdb", *reached, "--all", "--analyze-only")


async def prepare_replica(old: Cluster, new: Cluster, place: Path) -> None:
    """The new server follows by logical replication, while the old one serves."""
    ((xid,),) = await old.ask("SELECT (pg_snapshot_xmax(pg_current_snapshot())::text)::bigint")
    # The change log is read by transaction ids, which must be beyond those that there are by then.
    # At the beginning of a file of states, which needs no states before it.
    beyond = (xid // IDS_OF_A_FILE + 1) * IDS_OF_A_FILE
    await asyncio.to_thread(new._do, "pg_resetwal", "-x", str(beyond))
    await asyncio.to_thread(new.start, LOGICAL)
    schema = new.data / "schema.sql"
    reached = ("-h", "127.0.0.1", "-U", "postgres")
    await asyncio.to_thread(
        new.run, "pg_dump", *reached, "-p", str(old.port), "-s", "-f", str(schema), "postgres"
    )
    await asyncio.to_thread(
        new.run, "psql", *reached, "-p", str(new.port), "-q", "-v", "ON_ERROR_STOP=1",
        "-f", str(schema),
    )  # fmt: skip
    await old.ask("CREATE PUBLICATION move FOR ALL TABLES")
    source = f"host=127.0.0.1 port={old.port} user=postgres dbname=postgres"
    await new.ask(f"CREATE SUBSCRIPTION moved CONNECTION '{source}' PUBLICATION move")


async def switched(old: Cluster, new: Cluster, _: Path) -> None:
    """Nobody writes any more: wait for the last of it, and let sequences go on."""
    await until(lambda: old.ask(CAUGHT_UP))
    await until(lambda: _none(new, NOT_COPIED))
    for (statement,) in await old.ask(SEQUENCES):
        await new.ask(statement)
    await new.ask("DROP SUBSCRIPTION moved")
    await asyncio.to_thread(old.stop)


async def _none(cluster: Cluster, query: str) -> bool:
    return not await cluster.ask(query)


async def content(cluster: Cluster) -> dict[str, Any]:
    """What each table holds, in any order."""
    found = {}
    for (table,) in await cluster.ask(TABLES):
        query = f"SELECT count(*), md5(string_agg(x::text, ' ' ORDER BY x::text)) FROM {table} x"
        ((found[table]),) = await cluster.ask(query)
    return found


async def move(
    service: Service, after: Service, old: Cluster, new: Cluster, carry: Carry, place: Path
) -> float:
    """Stop the service, carry the data over, start the service on it; the seconds in between."""
    service.kill()
    before = await content(old)
    began = monotonic()
    await carry(old, new, place)
    print(f"carried over in {monotonic() - began:.1f} s")
    assert await content(new) == before
    await after.start().ready()
    return monotonic() - began


@pytest.mark.parametrize("way", ["pg_upgrade", "logical"])
async def test_a_new_major_version_has_all_that_was_acknowledged(
    make_service: MakeService, place: Path, way: str
) -> None:
    old, new = Cluster(place, "old", DEBIAN_15), Cluster(place, "new")
    try:
        old.create().start(LOGICAL)
        new.create(AS_BEFORE)
        service = make_service(old.url)
        service.migrate()
        await service.start().ready()
        partition = await make_partition(old)
        after = make_service(new.url)
        async with writing(service, partition) as load:
            await load.acknowledges(50)
            if way == "logical":
                await prepare_replica(old, new, place)
            await load.acknowledges(50)
        carry = upgraded if way == "pg_upgrade" else switched
        seconds = await move(service, after, old, new, carry, place)
        print(f"{way}: {seconds:.1f} s without the service")
        await check_moved(after, new, partition, load)
    finally:
        old.remove()
        new.remove()


async def check_moved(service: Service, new: Cluster, partition: int, load: Load) -> None:
    await load.check(new)
    ((version,),) = await new.ask("SHOW server_version_num")
    assert str(version).startswith("18")
    for arguments in (("audit", "seal"), ("audit", "verify")):
        done = service.run(*arguments)
        assert done.returncode == 0, done.stdout + done.stderr
    assert await new.ask(HIDDEN) == [(0,)]
    async with writing(service, partition) as more:
        await more.acknowledges(50)
    await more.check(new)
