"""Many rows: refused in time, answered from disk, repeated alike."""

import csv
import io
import uuid

import httpx
import pytest

from groupsvc.faces.v1.row_bodies import MOST_ERRORS
from groupsvc.http.routing import MOST_JSON
from groupsvc.http.spool import Spool
from tests.conftest import World

ROWS = 15_000


async def test_a_wrong_row_among_many_is_named_by_its_place(
    client: httpx.AsyncClient, world: World
) -> None:
    rows: list[object] = [{"user_id": 1}] * 2_500
    rows[1_700] = {"user_id": "x"}
    path = f"/v1/partitions/{await world.add_partition()}/assignments"
    answer = await client.post(path, json={"rows": rows, "mode": "maybe"})
    assert answer.status_code == 422
    assert [each["pointer"] for each in answer.json()["errors"]] == [
        "#/rows/1700/user_id",
        "#/mode",
    ]


async def test_of_very_many_wrong_rows_not_all_are_looked_at(
    client: httpx.AsyncClient, world: World
) -> None:
    path = f"/v1/partitions/{await world.add_partition()}/assignments"
    answer = await client.post(path, json={"rows": [1] * 100_000})
    assert answer.status_code == 422
    assert answer.json()["detail"] == f"{MOST_ERRORS} values are not valid"
    one_more = await client.post(path, json={"rows": [1] * 100_001})
    assert [each["code"] for each in one_more.json()["errors"]] == ["too_long"]


@pytest.mark.parametrize("told", [True, False])
async def test_json_has_a_ceiling_of_its_own(
    client: httpx.AsyncClient, world: World, told: bool
) -> None:
    path = f"/v1/partitions/{await world.add_partition()}/assignments"
    body = b"[" + b" " * MOST_JSON

    async def parts() -> object:
        yield body

    answer = await client.post(
        path, content=body if told else parts(), headers={"content-type": "application/json"}
    )
    assert answer.status_code == 413
    assert answer.json()["code"] == "body_too_large"


def table(world: World) -> bytes:
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerow(("course_key", "user", "partition", "group"))
    writer.writerows([("course-v1:Nowhere+X+2026", f"nobody-{n}", "TD", "A") for n in range(ROWS)])
    return text.getvalue().encode()


async def test_a_large_import_is_answered_row_by_row_and_repeated_alike(
    client: httpx.AsyncClient, world: World
) -> None:
    headers = {"content-type": "text/csv", "idempotency-key": uuid.uuid4().hex}

    async def send() -> httpx.Response:
        return await client.post("/v1/import/assignments", content=table(world), headers=headers)

    first, again = await send(), await send()
    assert first.status_code == 200
    assert first.headers["content-length"] == str(len(first.content))
    assert len(first.content) > 1_048_576  # more than is held in memory
    document = first.json()
    assert document["counts"] == {"refused": ROWS}
    assert [row["line"] for row in document["rows"]] == list(range(2, ROWS + 2))
    assert again.headers["idempotent-replayed"] == "true"
    assert again.content == first.content
    other = await client.post("/v1/import/assignments", content=b"course_key\n", headers=headers)
    assert other.json()["code"] == "idempotency_key_reused"


async def test_a_body_that_is_not_json_is_never_held_whole(
    client: httpx.AsyncClient, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    written: list[int] = []
    write = Spool.write

    def noted(spool: Spool, data: bytes) -> int:
        written.append(len(data))
        return write(spool, data)

    monkeypatch.setattr(Spool, "write", noted)
    body = table(world)

    async def parts() -> object:
        for start in range(0, len(body), 10_000):
            yield body[start : start + 10_000]

    headers = {"content-type": "text/csv", "idempotency-key": uuid.uuid4().hex}
    answer = await client.post(
        "/v1/import/assignments", params={"dry_run": True}, content=parts(), headers=headers
    )
    assert answer.json()["counts"] == {"refused": ROWS}
    taken_in = written[: -(-len(body) // 10_000)]
    assert sum(taken_in) == len(body)
    assert max(taken_in) == 10_000
