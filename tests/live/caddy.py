"""A real Caddy in front of whatever a test serves."""

import shutil
from contextlib import AbstractAsyncContextManager
from pathlib import Path

import pytest

from tests.live.gateways import running

CADDY = shutil.which("caddy")
needs_caddy = pytest.mark.skipif(CADDY is None, reason="caddy is not installed")

# All it would keep stays in the folder.
CONFIGURATION = """
{{
    admin off
    auto_https off
    storage file_system {folder}
}}
:{port} {{
    bind 127.0.0.1
    {site}
}}
"""


def running_caddy(folder: Path, port: int, site: str) -> AbstractAsyncContextManager[None]:
    """Run it in a new folder with the directives of one site."""
    folder.mkdir()
    file, log = folder / "Caddyfile", folder / "start.log"
    file.write_text(CONFIGURATION.format(folder=folder, port=port, site=site), encoding="utf-8")
    environment = ("env", f"XDG_DATA_HOME={folder}", f"XDG_CONFIG_HOME={folder}")
    options = ("--config", str(file), "--adapter", "caddyfile")
    return running(port, log, *environment, str(CADDY), "run", *options)
