"""``python -m benchmarks.growing_imports``: time and memory of an import as its table grows.

``groupsvc import`` reads assignments of a course of 200,000 users, as CSV, into partitions that it
makes. Shown is the peak of its memory, which is not to depend on the number of rows.
"""

import csv
import os
import subprocess
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Annotated

import typer

from benchmarks import data, servers
from benchmarks.builds import OURS
from benchmarks.entrants import DATABASE, load
from benchmarks.postgres import Postgres

SIZE = data.Size(courses=1, giant=200_000)
GROUPS = 50
MEBIBYTE = 1024  # of what the system counts in


def _rows(course: data.Course, rows: int, name: str) -> Iterator[tuple[str, str, str, str]]:
    for place in range(rows):
        turn, user = divmod(place, course.size)
        named = data.username(course.user(user))
        yield course.key, named, f"{name} {turn + 1}", f"G{user % GROUPS + 1}"


def _import(postgres: Postgres, url: str, table: Path) -> tuple[float, int]:
    """Seconds, and the peak in KiB."""
    given = {**os.environ, **OURS.environment, **servers.environment(url, postgres.home)}
    began = time.perf_counter()
    with subprocess.Popen(
        (*OURS.command, "import", "--create", str(table)), env=given, stdout=subprocess.PIPE
    ) as process:
        assert process.stdout is not None
        said = process.stdout.read().decode()
        _, status, used = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise RuntimeError(said)
    return time.perf_counter() - began, used.ru_maxrss


def main(
    rows: Annotated[list[int] | None, typer.Argument(help="10,000, 100,000 and 1,000,000.")] = None,
) -> None:
    """Import tables, each with more rows than the one before."""
    sizes: Sequence[int] = rows or (10_000, 100_000, 1_000_000)
    course = data.institution(SIZE).giant
    with Postgres() as postgres:
        load(postgres, OURS, DATABASE, SIZE)
        for size in sizes:
            table = postgres.home / f"{size}.csv"
            with table.open("w", newline="") as file:
                writer = csv.writer(file)
                writer.writerow(("course_key", "user", "partition", "group"))
                writer.writerows(_rows(course, size, f"T{size}"))
            seconds, peak = _import(postgres, postgres.url(DATABASE), table)
            print(
                f"{size:>9,} rows: {seconds:7.1f} s, {size / seconds:8,.0f} a second, "
                f"peak {peak / MEBIBYTE:.0f} MiB",
                flush=True,
            )


if __name__ == "__main__":
    typer.run(main)
