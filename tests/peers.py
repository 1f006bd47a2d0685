"""How other systems read the files that they import, as they document it.

Each returns who is in which group afterwards. AssertionError: the file is refused as a whole.
"""

import csv
import io
from collections.abc import Collection, Iterator, Mapping

Groups = dict[str, set[str]]
MOODLE_FIELDS = {"groupname", "groupingname", "groupidnumber", "description", "enrolmentkey"}
MOST_MEMBERS = 200


def canvas(file: bytes, students: Collection[str]) -> Groups:
    """RFC 4180 in UTF-8. The first row of a student counts; who is no student is skipped."""
    header, *rows = csv.reader(io.StringIO(file.decode("utf-8"), newline=""), strict=True)
    names = [name.strip().lower() for name in header]
    assert {"canvas_user_id", "user_id", "login_id"} & set(names)
    assert {"group_name", "canvas_group_id", "group_id"} & set(names)
    groups, seen = Groups(), set[str]()
    for row in rows:
        cells = dict(zip(names, (cell.strip() for cell in row), strict=True))
        group, user = cells["group_name"], cells["login_id"]
        assert len(group) <= 255
        if group:
            groups.setdefault(group, set())
            if user in students and user not in seen:
                seen.add(user)
                groups[group].add(user)
    return groups


def openedx_teams(file: bytes, modes: Mapping[str, str], team_sets: Collection[str]) -> Groups:
    """Line by line in UTF-8. Columns after the mode are team-sets that there are; users have the
    mode in which they are enrolled, and a row each. Managed teams have 200 members at most."""
    lines = file.decode("utf-8").split("\n")
    rows = csv.DictReader(line.removeprefix("\ufeff").strip() for line in lines)
    header = list(rows.fieldnames or ())
    assert {"username", "mode"} <= set(header)
    told = header[header.index("mode") + 1 :]
    assert len(set(told)) == len(told)
    assert set(told) <= set(team_sets)
    groups, seen = Groups(), set[str]()
    for row in rows:
        assert None not in row
        user = row["username"]
        if not user:
            continue
        assert user not in seen
        assert modes[user] == row["mode"].strip()
        seen.add(user)
        for name in told:
            if row[name]:
                assert len(row[name]) <= 255
                groups.setdefault(row[name], set()).add(user)
    assert all(len(members) <= MOST_MEMBERS for members in groups.values())
    return groups


def php_rows(file: bytes) -> list[list[str]]:
    """Lines end anyhow, and in quotes a backslash keeps what follows it, a quote too."""
    text = file.decode("utf-8").removeprefix("\ufeff")
    text = text.replace("\r\n", "\n").replace("\r", "\n").strip()
    rows = list(_php(text))
    assert all(len(row) == len(rows[0]) for row in rows)
    return [[cell.strip(" \t\n\r\0\x0b") for cell in row] for row in rows]


def _php(text: str) -> Iterator[list[str]]:
    row, cell, quoted, at = list[str](), "", False, 0
    while at < len(text):
        char, two = text[at], text[at : at + 2]
        if quoted and char == "\\":
            cell, at = cell + two, at + 1
        elif quoted and two == '""':
            cell, at = cell + '"', at + 1
        elif quoted:
            quoted = char != '"'
            cell += char if quoted else ""
        elif char == '"' and not cell:
            quoted = True
        elif char in ",\n":
            row.append(cell)
            cell = ""
            if char == "\n":
                yield row
                row = []
        else:
            cell += char
        at += 1
    yield [*row, cell]


def moodle_groups(file: bytes) -> dict[str, list[str]]:
    """Groups by their grouping. An empty name, which "0" is too, ends the import."""
    header, *rows = php_rows(file)
    assert "groupname" in header
    assert set(header) <= MOODLE_FIELDS
    assert rows
    made: dict[str, list[str]] = {}
    for row in rows:
        cells = dict(zip(header, row, strict=True))
        assert cells["groupname"] not in ("", "0")
        assert len(cells["groupname"]) <= 254
        made.setdefault(cells.get("groupingname", ""), []).append(cells["groupname"])
    return made


def moodle_users(file: bytes, course: str) -> Groups:
    """Users by group; whoever is named is enrolled. Numbers are ids of groups."""
    header, *rows = php_rows(file)
    assert header[0] == "username"
    groups = Groups()
    for row in rows:
        cells = dict(zip(header, row, strict=True))
        assert cells["username"]
        assert cells["course1"] == course
        assert not is_numeric(cells["group1"])
        assert len(cells["group1"]) <= 254
        groups.setdefault(cells["group1"], set()).add(cells["username"])
    return groups


def is_numeric(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return text.isascii() and text.strip("+-")[:1] in set(".0123456789") and "_" not in text


def brightspace(file: bytes, codes: Collection[str], classlist: Collection[str]) -> Groups:
    """Groups of a category, which exist, by their codes; one error refuses all."""
    header, *rows = csv.reader(io.StringIO(file.decode("utf-8"), newline=""), strict=True)
    assert header == ["Action", "Username", "Org Defined ID", "Group Name", "Group Code"]
    groups = Groups()
    for action, user, _, _, code in rows:
        assert action == "ENROLL"
        assert user in classlist
        assert code in codes
        groups.setdefault(code, set()).add(user)
    assert all(len(members) <= MOST_MEMBERS for members in groups.values())
    return groups
