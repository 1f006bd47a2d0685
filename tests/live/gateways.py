"""Programs that stand in front of what a test serves, and what the guides say about them."""

import asyncio
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path

import psutil

from tests.live.browser import until


def lines_of_guide(document: str, start: str) -> str:
    """The lines of a page in docs/ from this text to the end of their block."""
    text = (Path("docs") / document).read_text(encoding="utf-8")
    block = text[text.index(start) :]
    end = re.search(r"^ *```", block, re.MULTILINE)
    assert end is not None
    return block[: end.start()]


@asynccontextmanager
async def running(port: int, log: Path, *command: str) -> AsyncIterator[None]:
    """Run a program that listens on a port of this machine until the end of the block."""
    with log.open("ab") as output:
        process = await asyncio.create_subprocess_exec(*command, stdout=output, stderr=output)

    async def listens() -> bool:
        """It, and not somebody else who took the port."""
        assert process.returncode is None, log.read_text(encoding="utf-8")  # noqa: ASYNC240
        with suppress(psutil.Error):
            opened = psutil.Process(process.pid).net_connections("tcp")
            return any(each.laddr[1] == port and each.status == "LISTEN" for each in opened)
        return False

    try:
        await until(listens, command[0])
        yield
    finally:
        if process.returncode is None:
            process.terminate()
        await process.wait()
