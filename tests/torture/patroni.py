"""Patroni and etcd move the primary by themselves. `make torture` runs this."""

import asyncio
import json
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from time import monotonic
from typing import Any

import httpx
import psutil
import pytest

from groupsvc.local.programs import ENVIRONMENT, account_for
from tests.live.processes import running, wait_until
from tests.torture.cluster import DEBIAN_15, Cluster, free_port, url_of
from tests.torture.conftest import MakeService
from tests.torture.load import Load, make_partition, writing
from tests.waiting import until

PROGRAMS = ("/usr/bin/etcd", "/usr/bin/patroni", str(DEBIAN_15 / "postgres"))
pytestmark = pytest.mark.skipif(
    not all(Path(program).exists() for program in PROGRAMS),
    reason="Patroni, etcd or PostgreSQL 15 is not installed",
)
# In a container nobody may reap what has lost its parent: a postmaster that was killed would look
# as if it lived.
REAPER = """
import ctypes, os, sys
ctypes.CDLL(None).prctl(36, 1)
child = os.fork()
if not child:
    os.execv(sys.argv[1], sys.argv[1:])
while os.wait()[0] != child:
    pass
"""
# As in docs/operations.md.
CLUSTER = {
    "ttl": 20,
    "loop_wait": 2,
    "retry_timeout": 3,
    "synchronous_mode": True,
    "failsafe_mode": True,
    "primary_start_timeout": 0,
    "master_start_timeout": 0,  # as it was called before Patroni 4
    "postgresql": {"use_slots": True, "parameters": {"synchronous_commit": "on"}},
}
ANYBODY = [f"host {what} all 127.0.0.1/32 trust" for what in ("all", "replication")]
SECONDS = {"database": 10, "machine": CLUSTER["ttl"] + 10}  # type: ignore[operator]


class Node(Cluster):
    """A machine with a server and the Patroni that minds it."""

    def __init__(self, home: Path, name: str, etcd: int) -> None:
        self.home = home / name
        self.home.mkdir()
        super().__init__(self.home, "data", DEBIAN_15)
        self.api, self._etcd = free_port(), etcd
        self.own(self.home)

    def configuration(self) -> dict[str, Any]:
        return {
            "scope": "groupsvc",
            "name": self.home.name,
            "restapi": {"listen": f"127.0.0.1:{self.api}"},
            "etcd3": {"host": f"127.0.0.1:{self._etcd}"},
            "bootstrap": {
                "dcs": CLUSTER,
                "initdb": [{"encoding": "UTF8"}, {"locale": "C"}],
                "pg_hba": ANYBODY,
            },
            "postgresql": {
                "listen": self.address,
                "connect_address": self.address,
                "data_dir": str(self.data),
                "bin_dir": str(DEBIAN_15),
                "pg_hba": ANYBODY,
                "authentication": {
                    "superuser": {"username": "postgres"},
                    "replication": {"username": "postgres"},
                },
                "parameters": {"unix_socket_directories": ""},
            },
        }

    def mind(self) -> None:
        # JSON is YAML.
        file = self.home / "patroni.yml"
        file.write_text(json.dumps(self.configuration()))
        launch(self.home, "/usr/bin/python3", "-c", REAPER, "/usr/bin/patroni", str(file))

    def members(self) -> dict[str, str]:
        """The role of each node that runs, as this one sees it."""
        with suppress(httpx.TransportError):
            answer = httpx.get(f"http://127.0.0.1:{self.api}/cluster", timeout=5)
            listed = answer.json()["members"]
            return {m["name"]: m["role"] for m in listed if m["state"] in ("running", "streaming")}
        return {}

    def has_fault(self, fault: str) -> None:
        gone = running(self.data if fault == "database" else self.home)
        for process in gone:
            with suppress(psutil.NoSuchProcess):
                process.kill()


# Python warns of what is not waited for.
launched: list[subprocess.Popen[bytes]] = []


def launch(folder: Path, *command: str) -> None:
    """Start a program as the user of PostgreSQL; it works in its folder, and is found by that."""
    user, group = account_for(folder) or (None, None)
    with (folder / "log").open("ab") as log:
        process = subprocess.Popen(
            command,
            cwd=folder,
            env=ENVIRONMENT,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            user=user,
            group=group,
            extra_groups=None if user is None else [],
            start_new_session=True,
        )
    launched.append(process)


@pytest.fixture
def etcd(place: Path) -> int:
    client, peer = free_port(), free_port()
    folder = place / "etcd"
    Cluster(place, "etcd").own(folder)
    own, others = f"http://127.0.0.1:{client}", f"http://127.0.0.1:{peer}"
    launch(
        folder, "/usr/bin/etcd", "--data-dir", str(folder / "data"),
        "--listen-client-urls", own, "--advertise-client-urls", own,
        "--listen-peer-urls", others, "--initial-advertise-peer-urls", others,
        "--initial-cluster", f"default={others}",
    )  # fmt: skip
    return client


@pytest.fixture
def nodes(place: Path, etcd: int) -> Iterator[list[Node]]:
    made = [Node(place, name, etcd) for name in ("one", "two")]
    try:
        made[0].mind()
        wait_until(lambda: "leader" in made[0].members().values())
        made[1].mind()
        wait_until(lambda: made[0].members() == {"one": "leader", "two": "sync_standby"})
        yield made
    finally:
        for process in running(place):
            with suppress(psutil.NoSuchProcess):
                process.kill()
        for own in launched:
            own.wait()
        launched.clear()
        shutil.rmtree(place, ignore_errors=True)


def longest_pause(load: Load, since: float) -> float:
    times = sorted(at for at in load.acknowledged.values() if at >= since)
    return max(b - a for a, b in zip([since, *times], times, strict=False))


@pytest.mark.parametrize("fault", ["database", "machine"])
async def test_the_primary_moves_and_nothing_acknowledged_is_lost(
    nodes: list[Node], make_service: MakeService, fault: str
) -> None:
    first, second = nodes
    make_service(first.url).migrate()
    partition = await make_partition(first)
    service = await make_service(url_of(first, second)).start().ready()
    async with writing(service, partition) as load:
        await load.acknowledges(50)
        struck = monotonic()
        await asyncio.to_thread(first.has_fault, fault)
        await until(lambda: asyncio.to_thread(lambda: second.members().get("two") == "leader"))
        await load.acknowledges(100)
    pause = longest_pause(load, struck)
    print(f"{fault}: {pause:.1f} s without a write")
    await load.check(second)
    assert pause < SECONDS[fault]
