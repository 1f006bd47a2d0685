"""The metrics of ``groupsvc serve`` with two workers, as Prometheus gets them."""

import os
import re
import socket
import subprocess
import sys
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

import httpx
import psutil
import pytest
from sqlalchemy import URL

import groupsvc
from groupsvc.settings import Settings
from groupsvc.telemetry.listener import listening
from tests.conftest import EVERYTHING, Auth
from tests.live.browser import free_port
from tests.live.processes import wait_until
from tests.telemetry.test_rules import ALERTS, RUNBOOKS, expressions

COMMAND = (sys.executable, "-P", "-c", "from groupsvc.cli import main; main()", "serve")
SAMPLE = re.compile(r"^(groupsvc_\w+)(\S*) (\S+)$", re.MULTILINE)
ME = 'requests_total{face="native",method="GET",route="/v1/me",status="200"}'


@dataclass
class Served:
    process: psutil.Process
    api: str
    metrics: str

    def get(self, path: str, headers: dict[str, str] | None = None) -> int:
        """The status; 0 while nobody listens."""
        try:
            return httpx.get(self.api + path, headers=headers, trust_env=False).status_code
        except httpx.TransportError:
            return 0

    def samples(self) -> dict[str, float]:
        answer = httpx.get(self.metrics, trust_env=False, timeout=60)
        assert answer.headers["content-type"].startswith("text/plain")
        return {name + labels: float(value) for name, labels, value in SAMPLE.findall(answer.text)}

    def sample(self, name: str) -> float:
        return self.samples().get(f"groupsvc_{name}", 0)


@contextmanager
def served(
    url: URL, home: Path, temporary: Path, *, workers: int, **variables: str
) -> Generator[Served]:
    port, other = free_port(), free_port()
    environment = {
        **os.environ,
        "GROUPSVC_DATABASE_URL": url.render_as_string(hide_password=False),
        "GROUPSVC_HOME": str(home),
        "GROUPSVC_METRICS_ADDRESS": f"127.0.0.1:{other}",
        "TMPDIR": str(temporary),
        **variables,
    }
    command = [*COMMAND, "--port", str(port), "--workers", str(workers)]
    with subprocess.Popen(command, env=environment, stdout=subprocess.DEVNULL) as process:
        found = Served(
            psutil.Process(process.pid), f"http://127.0.0.1:{port}", f"http://127.0.0.1:{other}"
        )
        try:
            wait_until(lambda: found.get("/health/live") == 200)
            yield found
        finally:
            process.terminate()
            process.wait()


def test_two_workers_are_one_to_prometheus(
    url: URL, home: Path, auth: Auth, tmp_path: Path
) -> None:
    headers = auth(*EVERYTHING)
    nowhere = {"GROUPSVC_READ_HOSTS": "127.0.0.1:1"}
    with served(url, home, tmp_path, workers=2, **nowhere) as service:
        wait_until(lambda: service.sample("workers") == 2)
        # Both workers have looked for the standby, which is away.
        wait_until(lambda: service.sample('standby_readers{standby="standby1"}') == 0)
        assert service.sample('standby_lag_seconds{standby="standby1"}') == float("inf")
        for _ in range(20):
            assert service.get("/v1/me", headers) == 200
        wait_until(lambda: service.sample(ME) == 20)
        exported = {re.split(r"[{ ]", name)[0] for name in service.samples()}
        used = " ".join([ALERTS.read_text(), RUNBOOKS.read_text(), *expressions()])
        names = set(re.findall(r"groupsvc_\w+", used))
        assert (names - exported, len(names) > 15) == (set(), True)
        # Every family is looked at by somebody.
        families = {re.sub(r"_(bucket|sum|count)$", "", name) for name in exported}
        assert families == {re.sub(r"_(bucket|sum|count)$", "", name) for name in names}
        about = f'build_info{{python="{sys.version.split()[0]}",version="{groupsvc.__version__}"}}'
        assert (service.sample(about), service.sample("database_up")) == (1, 1)

        starts = service.sample("worker_starts_total")
        service.process.children()[0].kill()
        wait_until(lambda: service.sample("worker_starts_total") > starts)
        wait_until(lambda: service.sample("workers") == 2)
        assert service.sample(ME) == 20
    assert list(tmp_path.iterdir()) == []


@contextmanager
def collecting() -> Generator[tuple[str, list[bytes]]]:
    """The address of a collector of traces, and what it gets."""
    got: list[bytes] = []

    class Collector(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            got.append(self.rfile.read(int(self.headers["content-length"])))
            self.send_response(200)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Collector) as server:
        thread = Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}", got
        server.shutdown()
        thread.join()


def test_a_collector_that_is_named_gets_traces(home: Path, tmp_path: Path, auth: Auth) -> None:
    """The metrics meanwhile say that the database is away."""
    nowhere = URL.create("postgresql", "nobody", host="127.0.0.1", port=1, database="nothing")
    with collecting() as (address, got):
        variables = {
            "OTEL_EXPORTER_OTLP_ENDPOINT": address,
            "OTEL_EXPORTER_OTLP_COMPRESSION": "none",
            "OTEL_BSP_SCHEDULE_DELAY": "50",
            "OTEL_SERVICE_NAME": "groups-of-ours",
        }
        with served(nowhere, home, tmp_path, workers=1, **variables) as service:
            sampled = {"traceparent": f"00-{'ab' * 16}-{'cd' * 8}-01"}
            assert service.get("/v1/me", auth(*EVERYTHING) | sampled) == 200
            wait_until(lambda: any(b"GET /v1/me" in each for each in got))
            assert any(b"groups-of-ours" in each for each in got)
            samples = service.samples()
    assert samples["groupsvc_database_up"] == 0
    assert [name for name in samples if "job" in name or "lock_w" in name] == []


def test_an_address_that_cannot_be_had_is_told(home: Path, url: URL) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        environment = {
            **os.environ,
            "GROUPSVC_DATABASE_URL": url.render_as_string(hide_password=False),
            "GROUPSVC_HOME": str(home),
            "GROUPSVC_METRICS_ADDRESS": f"127.0.0.1:{taken.getsockname()[1]}",
        }
        done = subprocess.run(
            COMMAND, env=environment, capture_output=True, text=True, timeout=200, check=False
        )
    assert done.returncode == 2
    assert "GROUPSVC_METRICS_ADDRESS" in done.stderr
    assert "in use" in done.stderr


def test_a_port_that_is_none_is_told(tmp_path: Path) -> None:
    settings = Settings(metrics_address="127.0.0.1:99999")
    with (
        pytest.raises(ValueError, match=r"GROUPSVC_METRICS_ADDRESS: .*65535"),
        listening(settings, None, str(tmp_path)),
    ):
        pass
