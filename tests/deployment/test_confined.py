"""The service as a container runs it, from this environment instead of an image."""

import signal
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import httpx
import psutil
import pytest
import uvicorn

import groupsvc
from tests.deployment.confined import USER, assert_has_nothing, confined, end, needs_confinement
from tests.live.browser import free_port
from tests.live.processes import wait_until

TEMPORARY = "/mnt"
SECRETS = "/run/secrets"
MAIN = "from groupsvc.cli import main; main()"


def of_this_environment(*arguments: str, files: Mapping[Path, str]) -> tuple[str, ...]:
    return confined(
        Path("/"),
        *(sys.executable, "-P", "-c", MAIN, *arguments),
        environment={
            "GROUPSVC_ENV": "production",
            "PYTHONPATH": ":".join(path for path in sys.path if path),
            "TMPDIR": TEMPORARY,
        },
        temporary=(TEMPORARY, "/run"),
        files=files,
        own_network=False,
    )


def is_readable() -> bool:
    """Whether that user may read what is installed here, whatever the program does with it."""
    of_that_user = ("setpriv", "--reuid", USER, "--regid", USER, "--clear-groups")
    files = (str(Path(module.__file__ or "")) for module in (groupsvc, uvicorn))
    tests = [(*of_that_user, sys.executable, "-P", "-c", "pass")]
    tests += [(*of_that_user, "test", "-r", file) for file in files]
    return all(subprocess.run(each, check=False).returncode == 0 for each in tests)


@needs_confinement
def test_it_serves_without_a_writable_root_and_without_capabilities(tmp_path: Path) -> None:
    if not is_readable():
        pytest.skip("the environment is not readable to others")
    tmp_path.chmod(0o755)
    (tmp_path / "groupsvc_database_url").write_text("postgresql://127.0.0.1:1/none")
    port = free_port()
    command = of_this_environment(
        *("serve", "--workers", "2", "--port", str(port)), files={tmp_path: SECRETS}
    )
    with subprocess.Popen(command, stdout=subprocess.DEVNULL) as process:

        def is_alive() -> bool:
            assert process.poll() is None
            try:
                answer = httpx.get(f"http://127.0.0.1:{port}/health/live", trust_env=False)
            except httpx.TransportError:
                return False
            assert answer.json() == {"status": "alive", "version": groupsvc.__version__}
            return True

        try:
            wait_until(is_alive)
            (service,) = psutil.Process(process.pid).children()
            workers = service.children()
            assert len(workers) == 2
            for each in (service, *workers):
                assert_has_nothing(each.pid)
            service.send_signal(signal.SIGINT)
            assert process.wait(100) == 0
        finally:
            end(process)
