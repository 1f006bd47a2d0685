"""Several files that belong together: a directory, or a .zip of them."""

import zlib
from collections.abc import Callable, Generator, Iterable, Mapping
from contextlib import AbstractContextManager, contextmanager
from functools import partial
from pathlib import Path
from typing import IO, Final
from zipfile import BadZipFile, ZipFile

from groupsvc.import_export.raw_rows import UnusableTableError
from groupsvc.import_export.tables import Form, Table, read_table

_MOST_UNPACKED: Final = 1_073_741_824
_MOST_FILES: Final = 1_000
_BROKEN: Final = (BadZipFile, zlib.error, EOFError, RuntimeError, NotImplementedError)


Opener = Callable[[], AbstractContextManager[IO[bytes]]]


class Files:
    """Files by name, whatever folder of an archive they are in."""

    def __init__(self, openers: Mapping[str, Opener], form: Form) -> None:
        self._openers = openers
        self._form = form

    def __contains__(self, name: str) -> bool:
        return name in self._openers

    def has_all(self, names: Iterable[str]) -> bool:
        return all(name in self for name in names)

    @contextmanager
    def table(self, name: str) -> Generator[Table]:
        """Raises UnusableTableError, also for what is found out while it is read."""
        try:
            with self._openers[name]() as stream:
                yield read_table(stream, self._form)
        except UnusableTableError as error:
            error.message = f"{name}: {error.message}"
            raise
        except _BROKEN as error:
            raise UnusableTableError(f"{name}: this archive is damaged", 1) from error


def files_of_directory(path: Path, form: Form) -> Files:
    return Files({each.name.lower(): partial(_open, each) for each in path.iterdir()}, form)


def files_of_archive(file: IO[bytes] | Path, form: Form) -> Files | None:
    """None for what is no archive. Raises UnusableTableError for one that is too large."""
    try:
        with ZipFile(file) as archive:
            members = [each for each in archive.infolist() if not each.is_dir()]
    except BadZipFile:
        return None
    if len(members) > _MOST_FILES or sum(each.file_size for each in members) > _MOST_UNPACKED:
        raise UnusableTableError("the archive is too large once it is unpacked", 1)
    names = [each.filename for each in members if not each.filename.startswith("__MACOSX/")]
    return Files(
        {name.rpartition("/")[2].lower(): partial(_unpack, file, name) for name in names}, form
    )


def _open(path: Path) -> IO[bytes]:
    return path.open("rb")


@contextmanager
def _unpack(file: IO[bytes] | Path, name: str) -> Generator[IO[bytes]]:
    with ZipFile(file) as archive, archive.open(name) as stream:
        yield stream
