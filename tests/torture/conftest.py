"""Servers and services of one drill, which end with it."""

import shutil
import tempfile
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

import psutil
import pytest

from tests.torture.cluster import Cluster
from tests.torture.service import Service


@pytest.fixture
def place() -> Iterator[Path]:
    """A folder that the user of PostgreSQL can reach."""
    path = Path(tempfile.mkdtemp(prefix="gs-", dir="/tmp"))
    path.chmod(0o755)
    yield path
    shutil.rmtree(path, ignore_errors=True)


MakeCluster = Callable[[str], Cluster]
MakeService = Callable[..., Service]


@pytest.fixture
def make_cluster(place: Path) -> Iterator[MakeCluster]:
    made: list[Cluster] = []

    def make(name: str) -> Cluster:
        made.append(Cluster(place, name))
        return made[-1]

    yield make
    for cluster in made:
        cluster.remove()


@pytest.fixture
def make_service(place: Path) -> Iterator[MakeService]:
    made: list[Service] = []

    def make(url: str | None, **more: object) -> Service:
        made.append(Service(place, url, **more))
        return made[-1]

    yield make
    for service in made:
        with suppress(psutil.NoSuchProcess):
            service.kill()
