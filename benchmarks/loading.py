"""Fill a database with the institution; ``benchmarks.data`` is that of the tree on the path."""

import asyncio
import sys

from asyncpg.connection import connect

from benchmarks import data


async def load(url: str, size: data.Size) -> None:
    connection = await connect(url, command_timeout=900)
    await data.load(connection, data.institution(size))
    await connection.close()


if __name__ == "__main__":
    asyncio.run(load(sys.argv[1], data.Size(*map(int, sys.argv[2:]))))
