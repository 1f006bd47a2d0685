"""Bundles of OneRoster 1.1 and 1.2: users, classes, enrollments in files that refer to one another.

A class is a course with its sourcedId as key, and its school the department. Students are on the
roster of their classes, and whoever else is enrolled in one has a role in it.
"""

from collections.abc import Callable, Generator, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from functools import cached_property
from pathlib import Path
from typing import IO, Final, NamedTuple

from groupsvc.domain.roles import Role
from groupsvc.import_export.columns import Kind, plain
from groupsvc.import_export.foreign.archives import Files, files_of_archive, files_of_directory
from groupsvc.import_export.kinds import COURSES, REMOVE, ROLES, ROSTER
from groupsvc.import_export.lines import Line
from groupsvc.import_export.never_here import TO_BE_GONE
from groupsvc.import_export.raw_rows import UnusableTableError
from groupsvc.import_export.tables import Form, Row, Table

NAME: Final = "oneroster"
TITLE: Final = "OneRoster 1.1 and 1.2, a bundle of CSV files"
FILES: Final = ("users.csv", "classes.csv", "enrollments.csv")  # without these it is none
_STUDENT: Final = "student"
_ROLES: Final[Mapping[str, Role]] = {
    "administrator": Role.STAFF,
    "teacher": Role.INSTRUCTOR,
    "aide": Role.MODERATOR,
    "proctor": Role.MODERATOR,
}
_NEEDED: Final = {
    "orgs.csv": ("sourcedId", "name", "type"),
    "classes.csv": ("sourcedId", "title", "schoolSourcedId"),
    "users.csv": ("sourcedId",),
    "roles.csv": ("userSourcedId", "role"),
    "enrollments.csv": ("classSourcedId", "userSourcedId", "role"),
}
_SCHOOLS: Final = ("school", "department")

Cells = Mapping[str, str]


class Source(NamedTuple):
    """What a file of a bundle brings of one kind of table."""

    file: str
    kind: Kind
    rows: Callable[[Cells], Iterator[dict[str, str]]]


class Person(NamedTuple):
    """What they are called by: a username, or an address if they have none."""

    column: str
    text: str
    is_deleted: bool


class Bundle:
    """Reads a file as often as it is asked for. What others refer to is kept.

    ``opened`` are the tables as they were read last, by file.
    """

    def __init__(self, files: Files, department: str | None) -> None:
        self.files = files
        self.opened: dict[str, Table] = {}
        self._department = department

    @property
    def sources(self) -> list[Source]:
        found = (
            Source("orgs.csv", COURSES, self._school),
            Source("classes.csv", COURSES, self._course),
            Source("users.csv", ROSTER, self._user),
            Source("enrollments.csv", ROSTER, self._student),
            Source("enrollments.csv", ROLES, self._team),
        )
        return [source for source in found if source.file in self.files]

    @contextmanager
    def table(self, file: str) -> Generator[Table]:
        """Its columns go by their plain names. Raises UnusableTableError."""
        with self.files.table(file) as table:
            keys = tuple(map(plain, table.header))
            missing = [name for name in _NEEDED[file] if plain(name) not in keys]
            if missing:
                raise UnusableTableError(f"it needs the columns {', '.join(missing)}", 1)
            self.opened[file] = table
            yield replace(table, header=keys)

    def rows(self, source: Source, table: Table) -> Iterator[Row]:
        for row in table.rows:
            if row.fault is not None:
                yield Row(Line(row.line, 0, source.file), fault=row.fault)
                continue
            try:
                for nth, cells in enumerate(source.rows(row.cells)):
                    yield Row(Line(row.line, nth, source.file), cells, has_ids=True)
            except ValueError as fault:
                yield Row(Line(row.line, 0, source.file), fault=str(fault))

    def _school(self, cells: Cells) -> Iterator[dict[str, str]]:
        if self._department is None and cells["sourcedid"] in self._schools:
            yield {"department": cells["sourcedid"], "department_name": cells["name"]}

    def _course(self, cells: Cells) -> Iterator[dict[str, str]]:
        if not _is_deleted(cells):
            yield {
                "department": self._department or cells["schoolsourcedid"],
                "course_key": cells["sourcedid"],
                "title": cells["title"],
            }

    def _user(self, cells: Cells) -> Iterator[dict[str, str]]:
        key = cells["sourcedid"]
        is_student = key in self._students or cells.get("role", "").lower() == _STUDENT
        if not is_student and key not in self._enrolled:
            return
        is_active = not _is_deleted(cells) and cells.get("enableduser", "").lower() != "false"
        found = {
            "username": cells.get("username", ""),
            "email": cells.get("email", ""),
            "family_name": cells.get("familyname", ""),
            "given_name": cells.get("givenname", ""),
            "student_number": cells.get("identifier", "") if is_student else "",
            "department": self._department or self._school_of(cells),
            "is_active": "true" if is_active else "false",
        }
        is_gone = {TO_BE_GONE: "true"} if _is_deleted(cells) else {}
        yield {name: text for name, text in found.items() if text} | is_gone

    def _student(self, cells: Cells) -> Iterator[dict[str, str]]:
        if cells["role"].lower() == _STUDENT:
            person = self._person(cells)
            is_gone = _is_deleted(cells) or cells["classsourcedid"] in self._closed
            found = {person.column: person.text, "course_key": cells["classsourcedid"]}
            found |= {"action": REMOVE} if is_gone else {"state": "active"}
            yield found | ({TO_BE_GONE: "true"} if is_gone or person.is_deleted else {})

    def _team(self, cells: Cells) -> Iterator[dict[str, str]]:
        if cells["role"].lower() == _STUDENT or cells["classsourcedid"] in self._closed:
            return
        role = _ROLES.get(cells["role"].lower())
        if role is None:
            raise ValueError(f"the role is none of {', '.join((_STUDENT, *_ROLES))}")
        action = {"action": REMOVE} if _is_deleted(cells) else {}
        person, course = self._person(cells), cells["classsourcedid"]
        is_gone = {TO_BE_GONE: "true"} if action or person.is_deleted else {}
        yield {"user": person.text, "role": role, "course_key": course, **action, **is_gone}

    def _person(self, cells: Cells) -> Person:
        person = self._people.get(cells["usersourcedid"])
        if person is None:
            raise ValueError("users.csv has no user with this userSourcedId")
        return person

    def _school_of(self, cells: Cells) -> str:
        given = cells.get("primaryorgsourcedid") or cells.get("orgsourcedids", "")
        schools = (*given.split(","), self._students.get(cells["sourcedid"], ""))
        return next((each.strip() for each in schools if each.strip() in self._schools), "")

    @cached_property
    def _schools(self) -> set[str]:
        return {
            cells["sourcedid"]
            for cells in self._read("orgs.csv")
            if cells.get("type", "").lower() in _SCHOOLS and not _is_deleted(cells)
        }

    @cached_property
    def _people(self) -> dict[str, Person]:
        return {
            cells["sourcedid"]: Person("username", cells["username"], _is_deleted(cells))
            if cells.get("username")
            else Person("email", cells.get("email", ""), _is_deleted(cells))
            for cells in self._read("users.csv")
        }

    @cached_property
    def _students(self) -> dict[str, str]:
        """Schools of the students, which 1.2 has in a file of their own."""
        return {
            cells["usersourcedid"]: cells.get("orgsourcedid", "")
            for cells in self._read("roles.csv")
            if cells.get("role", "").lower() == _STUDENT
        }

    @cached_property
    def _enrolled(self) -> set[str]:
        return {cells["usersourcedid"] for cells in self._read("enrollments.csv")}

    @cached_property
    def _closed(self) -> set[str]:
        return {cells["sourcedid"] for cells in self._read("classes.csv") if _is_deleted(cells)}

    def _read(self, file: str) -> Iterator[Cells]:
        if file in self.files:
            with self.table(file) as table:
                yield from (row.cells for row in table.rows if row.fault is None)


def bundle_in(file: IO[bytes] | Path, form: Form, department: str | None) -> Bundle | None:
    """The bundle in an archive, which is left at its start, or in a directory; None for others."""
    if isinstance(file, Path) and file.is_dir():
        files: Files | None = files_of_directory(file, form)
    else:
        files = files_of_archive(file, form)
        if not isinstance(file, Path):
            file.seek(0)
    return Bundle(files, department) if files is not None and files.has_all(FILES) else None


def _is_deleted(cells: Cells) -> bool:
    return cells.get("status", "").lower() == "tobedeleted"
