"""Files of which half is wrong: what they cost does not grow with the rows, right or wrong.

Time would tell the same, and depend on the machine.
"""

import csv
import io
from collections.abc import Callable, Sequence

import httpx
import pytest

from tests.conftest import SQL
from tests.test_statements import statements_of
from tests.tour import Stage, set_stage

Cells = Sequence[object]
Half = Callable[[Stage, int], Cells]


def assignments(stage: Stage, n: int) -> Cells:
    """Nobody's names, look-alikes that fit several, damaged numbers, groups that are not there."""
    user = f"{stage.department}-{n}"
    wrong = ((user, "TD", "G001"), (f"4.{n:03}E+09", "TD", "G001"), (stage.username, "TD", user))
    others = ((stage.username, user, "G001"), ("", "TD", "G001"), (user.upper(), "td", "g001"))
    right = (stage.username, "TD", "G001")
    return (stage.key, *([*wrong, *others][n // 2 % 6] if n % 2 else right))


def roster(stage: Stage, n: int) -> Cells:
    user, home = f"{stage.department}-{n}", stage.department
    wrong = (
        (stage.username.upper(), "", "", home, stage.key),
        (user, f"{home}@taken.example", "", home, stage.key),
        (user, "", f"1.{n:03}E+08", home, stage.key),
        ("", "", f"{n}000", home, stage.key),
        (user, "no address", "", home, stage.key),
        (user, "", "", "nowhere", stage.key),
        (user, "", "", home, "nowhere"),
    )
    return wrong[n // 2 % 7] if n % 2 else (user, "", f"{stage.department}{n}", home, stage.key)


def structure(stage: Stage, n: int) -> Cells:
    wrong = (
        (stage.key, "TD", "A", "many"),
        (stage.key, "TD", "", "5"),
        (stage.key, "", "A", "5"),
        ("nowhere", "TD", "A", "5"),
        (stage.key, "TD", "G001", "0"),
    )
    return wrong[n // 2 % 5] if n % 2 else (stage.key, "TD", f"New {n}", "5")


def courses(stage: Stage, n: int) -> Cells:
    key = f"{stage.key}/{n}"
    wrong = (
        (stage.department, key, "2026-09-02", "2026-09-01", ""),
        (stage.department, key, "", "", "42.0"),
        (stage.department, "", "2026-09-01", "", ""),
        ("nowh\u200bere", key, "", "", ""),
    )
    return wrong[n // 2 % 4] if n % 2 else (stage.department, key, "2026-09-01", "", "")


HEADERS = {
    assignments: ("course_key", "user", "partition", "group"),
    roster: ("username", "email", "student_number", "department", "course_key"),
    structure: ("course_key", "partition", "group", "capacity"),
    courses: ("department", "course_key", "starts_on", "ends_on", "programme"),
}


@pytest.mark.parametrize("kind", HEADERS, ids=lambda kind: kind.__name__)
async def test_300_rows_of_which_half_are_wrong_cost_what_30_do(
    client: httpx.AsyncClient, sql: SQL, kind: Half
) -> None:
    found: list[tuple[int, int]] = []
    for size in (30, 300):
        stage = await set_stage(sql, students=4, groups=2)
        text = io.StringIO()
        csv.writer(text).writerows((HEADERS[kind], *(kind(stage, n) for n in range(size))))
        path, headers = f"/v1/import/{kind.__name__}", {"content-type": "text/csv"}
        request = {"content": text.getvalue(), "headers": headers}
        answer = await client.post(path, params={"dry_run": True}, **request)
        counts = answer.json()["counts"]
        assert size * 2 // 5 <= counts["refused"] <= size * 3 // 5, counts
        sent = await statements_of(client, "POST", path, **request)
        looked = sum("rough_name(username)" in statement for statement in sent)
        found.append((len(sent), looked))
    assert found[0] == found[1]
    assert found[0][0] <= 25
    assert found[0][1] <= 1
