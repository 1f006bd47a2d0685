"""Files of old lines of the change log: the texts that are sealed, one a line, compressed."""

import gzip
import json
import os
from collections.abc import Iterable, Iterator, Sequence
from hashlib import sha256
from pathlib import Path
from uuid import UUID

from groupsvc.core.audit.repository import Archive
from groupsvc.core.audit.seals import Line


def write(directory: Path, parts: Iterable[Sequence[Line]]) -> Archive:
    """A new file of some lines, which is on the disk when this returns."""
    lines = [line for part in parts for line in part]
    path = directory / f"changes-{lines[0].seq:012}-{lines[-1].seq:012}.jsonl.gz"
    text = "".join(f"{line.text}\n" for line in lines).encode()
    content = gzip.compress(text, mtime=0)
    unfinished = path.with_suffix(".part")
    with unfinished.open("wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    unfinished.replace(path)
    folder = os.open(directory, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)
    return Archive(lines[-1].seq, len(lines), path.name, sha256(content).digest())


class ArchiveReader:
    """Reads the lines of all archives, in their order."""

    def __init__(self, directory: Path, archives: Sequence[Archive]) -> None:
        self._lines = _read(directory, archives)
        self._next = next(self._lines, None)

    def up_to(self, seq: int) -> list[Line]:
        """The lines that have not been read yet. Raises ValueError for a file that is not as it
        was written, or not there.
        """
        found: list[Line] = []
        while self._next is not None and self._next.seq <= seq:
            found.append(self._next)
            self._next = next(self._lines, None)
        return found


def _read(directory: Path, archives: Sequence[Archive]) -> Iterator[Line]:
    for archive in archives:
        try:
            content = (directory / archive.file).read_bytes()
        except OSError as error:
            raise ValueError(f"the archive {archive.file} cannot be read") from error
        if sha256(content).digest() != archive.sha256:
            raise ValueError(f"the archive {archive.file} was altered")
        # At line feeds alone: names may hold what else counts as a line break.
        for text in gzip.decompress(content).decode().removesuffix("\n").split("\n"):
            line = json.loads(text)
            yield Line(line["seq"], UUID(line["changeset_id"]), text)
