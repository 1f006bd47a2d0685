"""A real nginx in front of whatever a test serves."""

import os
import shutil
from contextlib import AbstractAsyncContextManager
from pathlib import Path

import pytest

from tests.live.gateways import running

NGINX = shutil.which("nginx", path="/usr/sbin:/usr/local/sbin:/usr/bin:/usr/local/bin")
needs_nginx = pytest.mark.skipif(NGINX is None, reason="nginx is not installed")

# Its workers would otherwise be somebody who may not read the folder.
USER = "user root;" if os.geteuid() == 0 else ""

CONFIGURATION = """
{user}
daemon off;
pid {folder}/nginx.pid;
error_log {folder}/error.log;
worker_processes 1;
events {{ worker_connections 256; }}
http {{
    access_log off;
    default_type application/octet-stream;
    client_body_temp_path {folder}/body;
    proxy_temp_path {folder}/proxy;
    fastcgi_temp_path {folder}/fastcgi;
    uwsgi_temp_path {folder}/uwsgi;
    scgi_temp_path {folder}/scgi;
    {servers}
}}
"""


def running_nginx(folder: Path, port: int, servers: str) -> AbstractAsyncContextManager[None]:
    """Run it in a new folder with these ``server`` blocks, which listen on ``PORT``."""
    folder.mkdir()
    servers = servers.replace("PORT", f"127.0.0.1:{port}")
    file, log = folder / "nginx.conf", folder / "start.log"
    file.write_text(
        CONFIGURATION.format(folder=folder, servers=servers, user=USER), encoding="utf-8"
    )
    return running(port, log, str(NGINX), "-e", str(log), "-c", str(file), "-p", str(folder))
