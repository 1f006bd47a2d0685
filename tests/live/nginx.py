"""A real nginx in front of whatever a test serves."""

import asyncio
import os
import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from tests.live.browser import until

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


@asynccontextmanager
async def running_nginx(folder: Path, port: int, servers: str) -> AsyncIterator[None]:
    """Run it with these ``server`` blocks, which listen on ``PORT``."""
    folder.mkdir()  # noqa: ASYNC240
    servers = servers.replace("PORT", f"127.0.0.1:{port}")
    file = folder / "nginx.conf"
    file.write_text(
        CONFIGURATION.format(folder=folder, servers=servers, user=USER), encoding="utf-8"
    )
    process = await asyncio.create_subprocess_exec(
        str(NGINX), "-e", str(folder / "start.log"), "-c", str(file), "-p", str(folder)
    )

    async def listens() -> bool:
        assert process.returncode is None, (folder / "start.log").read_text()
        try:
            _, writer = await asyncio.open_connection("127.0.0.1", port)
        except ConnectionError:
            return False
        writer.close()
        return True

    try:
        await until(listens, "nginx")
        yield
    finally:
        if process.returncode is None:
            process.terminate()
        await process.wait()
