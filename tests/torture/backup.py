"""A mistake is undone from a base backup and the archive of the log. `make torture` runs this."""

import asyncio
from pathlib import Path
from time import monotonic

from tests.torture.cluster import Cluster
from tests.torture.conftest import MakeCluster, MakeService
from tests.torture.load import make_partition, writing
from tests.torture.service import Service
from tests.waiting import until


def archiving(folder: Path) -> str:
    # The archive never has half a file under its name.
    command = f"test ! -f {folder}/%f && cp %p {folder}/%f.part && mv {folder}/%f.part {folder}/%f"
    return f"-c archive_mode=on -c 'archive_command={command}'"


async def now(cluster: Cluster) -> str:
    ((moment,),) = await cluster.ask("SELECT clock_timestamp()::text")
    return str(moment)


async def restored(backup: Cluster, folder: Path, moment: str) -> Cluster:
    """The server as it was at a moment."""
    (backup.data / "postgresql.auto.conf").write_text(
        f"restore_command = 'cp {folder}/%f %p'\n"
        f"recovery_target_time = '{moment}'\n"
        "recovery_target_action = 'promote'\n"
    )
    (backup.data / "recovery.signal").touch()
    await asyncio.to_thread(backup.start)
    await until(lambda: backup.ask("SELECT 1 WHERE NOT pg_is_in_recovery()"))
    return backup


async def names(cluster: Cluster, partition: int) -> set[str]:
    rows = await cluster.ask(f"SELECT name FROM groups WHERE partition_id = {partition}")
    return {name for (name,) in rows}


async def test_a_mistaken_delete_is_undone_and_the_change_log_is_whole(
    make_cluster: MakeCluster, make_service: MakeService, place: Path
) -> None:
    primary = make_cluster("primary").create()
    archive = primary.own(place / "archive")
    primary.start(archiving(archive))
    service: Service = make_service(primary.url, workers=1)
    service.migrate()
    await service.start().ready()
    partition = await make_partition(primary)
    backups = [make_cluster(f"backup{number}") for number in range(2)]
    async with writing(service, partition) as load:
        await load.acknowledges(20)
        for backup in backups:
            await asyncio.to_thread(backup.copy, primary)
        await load.acknowledges(50)
    assert service.run("audit", "seal").returncode == 0
    known = place / "seals.jsonl"
    known.write_text(service.run("audit", "seals").stdout)
    wanted = await names(primary, partition)
    before = await now(primary)
    async with service.client() as client:
        assert (await client.delete(f"/v1/partitions/{partition}")).status_code == 204
    after = await now(primary)
    await make_partition(primary)  # so that there is a commit to stop at
    ((file,),) = await primary.ask("SELECT pg_walfile_name(pg_current_wal_lsn())")
    await primary.ask("SELECT pg_switch_wal()")
    await until(lambda: asyncio.to_thread((archive / str(file)).exists))
    service.kill()
    primary.kill()

    began = monotonic()
    undone = await restored(backups[0], archive, before)
    assert wanted == set(load.acknowledged) == await names(undone, partition)
    print(f"{len(wanted)} groups as they were, {monotonic() - began:.2f} s after the start")
    again: Service = make_service(undone.url, workers=1)
    verified = again.run("audit", "verify", "--known", str(known))
    print(verified.stdout.strip())
    assert verified.returncode == 0, verified.stdout + verified.stderr
    await again.start().ready()
    async with writing(again, partition) as load:
        await load.acknowledges(20)
    await load.check(undone)
    # The control: a moment later there is nothing left of them.
    assert await names(await restored(backups[1], archive, after), partition) == set()
