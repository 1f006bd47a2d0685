"""The image: built twice, looked at, and run beside a PostgreSQL, all without an engine."""

import json
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psutil
import pytest

import groupsvc
from groupsvc.local.programs import installed
from tests.deployment.confined import assert_has_nothing, confined, end, needs_confinement
from tests.deployment.sbom import ROOT, stored
from tests.live.processes import wait_until
from tests.torture.cluster import Cluster
from tests.torture.conftest import MakeCluster
from tests.torture.engine import BASE, IS_POSSIBLE, Engine

pytestmark = [
    needs_confinement,
    pytest.mark.skipif(not IS_POSSIBLE, reason="needs root, a Debian, buildah and debootstrap"),
]
SOCKET = "/run/database"
LIST = """
import importlib.metadata as m, json
print(json.dumps(sorted([each.metadata["Name"], each.version] for each in m.distributions())))
"""
ASK = """
import json, sys, urllib.request
url, body, token = "http://127.0.0.1:8000" + sys.argv[1], sys.argv[2].encode() or None, sys.argv[3]
headers = {"content-type": "application/x-www-form-urlencoded"}
if token:
    headers = {"authorization": "Bearer " + token}
with urllib.request.urlopen(urllib.request.Request(url, body, headers), timeout=30) as answer:
    print(answer.read().decode())
"""


@pytest.fixture(scope="module")
def engine() -> Iterator[Engine]:
    engine = Engine(Path(tempfile.mkdtemp(prefix="gs-image-", dir="/var/tmp")))
    engine.make_base()
    engine.fetch_wheels()
    yield engine
    engine.remove()


@pytest.fixture(scope="module")
def tree(engine: Engine) -> Path:
    return engine.copy_inputs("first")


@pytest.fixture(scope="module")
def image(engine: Engine, tree: Path) -> str:
    return engine.build(tree)


@pytest.fixture(scope="module")
def root(engine: Engine, image: str) -> Path:
    return engine.unpacked(image)


class Container:
    """What an engine would do with the image; its URL of the database is a secret."""

    def __init__(self, engine: Engine, image: str, root: Path, place: Path) -> None:
        self.config: dict[str, Any] = engine.about(image)["config"]
        self._root, self._place = root, place

    def command(self, *arguments: str, url: str, own_network: bool) -> tuple[str, ...]:
        secrets = Path(tempfile.mkdtemp(dir=self._place))
        secrets.chmod(0o755)
        (secrets / "groupsvc_database_url").write_text(url)
        return confined(
            self._root,
            *(*self.config["Entrypoint"], *arguments),
            environment=dict(pair.split("=", 1) for pair in self.config["Env"]),
            temporary=("/tmp", "/run"),
            files={secrets: "/run/secrets", self._place / "socket": SOCKET},
            own_network=own_network,
        )

    def run(self, *arguments: str, url: str) -> str:
        done = subprocess.run(
            self.command(*arguments, url=url, own_network=True),
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    @contextmanager
    def running(self, url: str) -> Iterator["Running"]:
        command = self.command(*self.config["Cmd"], url=url, own_network=True)
        with (self._place / "log").open("ab") as log:
            process = subprocess.Popen(command, stdout=log, stderr=log)
        try:
            yield Running(process, self.config)
        finally:
            end(process)


class Running:
    def __init__(self, process: subprocess.Popen[bytes], config: dict[str, Any]) -> None:
        self.process, self._config = process, config

    @property
    def first(self) -> psutil.Process:
        """Process 1 of the container."""
        wait_until(lambda: psutil.Process(self.process.pid).children() != [])
        return psutil.Process(self.process.pid).children()[0]

    def enter(self, *words: str) -> subprocess.CompletedProcess[str]:
        command = ("nsenter", "--target", str(self.first.pid), *words)
        return subprocess.run(command, capture_output=True, text=True, check=False)

    def is_healthy(self) -> bool:
        """By the health check of the image."""
        kind, *command = self._config["Healthcheck"]["Test"]
        assert kind == "CMD"
        environment = ("env", "-i", *self._config["Env"])
        return self.enter("--mount", "--net", "--pid", *environment, *command).returncode == 0

    def ask(self, path: str, body: str = "", token: str = "") -> Any:
        done = self.enter("--net", sys.executable, "-c", ASK, path, body, token)
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout)

    def is_ready(self) -> bool:
        assert self.process.poll() is None
        done = self.enter("--net", sys.executable, "-c", ASK, "/health/ready", "", "")
        return done.returncode == 0


def make_roles(cluster: Cluster, place: Path) -> tuple[str, str]:
    """As the compose file does; the URLs of owner and service."""
    shutil.copytree(ROOT / "deploy/compose", place / "compose")
    shutil.rmtree(place / "compose/secrets", ignore_errors=True)
    subprocess.run(("sh", place / "compose/secrets.sh"), check=True, stdout=subprocess.DEVNULL)
    secrets = place / "compose/secrets"
    environment = {
        "PATH": f"{installed()}:/usr/bin:/bin",
        "PGHOST": "127.0.0.1",
        "PGPORT": str(cluster.port),
        "POSTGRES_USER": "postgres",
        "SECRETS": str(secrets),
    }
    subprocess.run((place / "compose/roles.sh",), env=environment, check=True)
    owner, service = (
        re.sub("@postgres/", "@/", (secrets / name).read_text())
        + f"?host={SOCKET}&port={cluster.port}"
        for name in ("owner_url", "service_url")
    )
    return owner, service


def test_the_same_inputs_give_the_same_bytes(engine: Engine, image: str, tree: Path) -> None:
    again = engine.build(engine.copy_inputs("second", tree))
    first, second = (engine.about(each)["rootfs"]["diff_ids"] for each in (image, again))
    print(first)
    assert (first, len(first)) == (second, 2)


def test_another_package_than_the_one_that_was_locked_is_refused(
    engine: Engine, tree: Path
) -> None:
    changed = engine.copy_inputs("third", tree)
    lock = changed / "requirements.txt"
    text = re.sub(r"(?<=sha256:)[0-9a-f]{64}", "0" * 64, lock.read_text())
    lock.write_text(text)
    with pytest.raises(AssertionError, match="DO NOT MATCH THE HASHES"):
        engine.build(changed)


def test_the_bill_of_materials_is_what_is_installed(engine: Engine, image: str, root: Path) -> None:
    config = engine.about(image)["config"]
    assert config["Labels"]["org.opencontainers.image.version"] == groupsvc.__version__
    assert config["User"] == "10001:10001"
    document = json.loads((root / "opt/groupsvc/share/sbom.cdx.json").read_text())
    assert document == stored("")
    told = [document["metadata"]["component"], *document["components"]]
    listed = confined(
        root, "/opt/groupsvc/bin/python", "-c", LIST, environment={}, own_network=True
    )
    found = json.loads(subprocess.run(listed, capture_output=True, text=True, check=True).stdout)
    assert found == sorted([each["name"], each["version"]] for each in told)


def test_no_file_in_it_runs_in_the_name_of_another(engine: Engine, root: Path) -> None:
    """A control is the base, which has some."""

    def found(tree: Path) -> list[str]:
        special = ("find", str(tree), "-xdev", "-type", "f", "-perm", "/6000")
        return subprocess.run(special, capture_output=True, text=True, check=True).stdout.split()

    assert found(root) == []
    assert found(engine.unpacked(BASE)) != []


async def test_it_migrates_serves_and_stops_with_nothing_but_what_it_needs(
    engine: Engine, image: str, root: Path, place: Path, make_cluster: MakeCluster
) -> None:
    (place / "socket").mkdir()
    (place / "socket").chmod(0o777)
    sockets = f"-c unix_socket_directories={place}/socket -c unix_socket_permissions=0777"
    cluster = make_cluster("primary").create().start(sockets)
    owner, service = make_roles(cluster, place)
    hashed = await cluster.ask(
        "SELECT rolname, left(rolpassword, 5) FROM pg_authid WHERE rolname LIKE 'groupsvc%'"
        " ORDER BY rolname"
    )
    assert hashed == [("groupsvc", "SCRAM"), ("groupsvc_owner", "SCRAM")]

    container = Container(engine, image, root, place)
    assert container.run("--version", url=service) == f"{groupsvc.__version__}\n"
    assert "migrated" in container.run("migrate", "--grant-to", "groupsvc", url=owner)
    made = container.run("account", "create", "bridge", "--grant", "groups:read", url=service)
    secret = re.search(r"secret: (\S+)", made)
    assert secret, made

    began = time.monotonic()
    with container.running(service) as running:
        wait_until(running.is_ready)
        print(f"ready after {time.monotonic() - began:.1f} s")
        assert running.is_healthy()
        alive = {"status": "alive", "version": groupsvc.__version__}
        assert running.ask("/health/live") == alive
        body = f"grant_type=client_credentials&client_id=bridge&client_secret={secret[1]}"
        token = running.ask("/v1/token", body)["access_token"]
        assert running.ask("/v1/me", token=token)["subject"] == "account:bridge"
        processes = [running.first, *running.first.children(recursive=True)]
        assert processes[0].name() == "tini"
        assert len(processes) >= 4
        for each in processes:
            assert_has_nothing(each.pid)
        began = time.monotonic()
        running.first.send_signal(signal.SIGTERM)
        assert running.process.wait(60) == 0
        print(f"stopped after {time.monotonic() - began:.1f} s")
