import httpx
import pytest

from tests.api.logins import SECRET, fresh_name, log_in, put
from tests.conftest import SQL, Auth, World


@pytest.fixture
def name() -> str:
    return fresh_name()


async def test_me(
    client: httpx.AsyncClient,
    anonymous: httpx.AsyncClient,
    auth: Auth,
    world: World,
    name: str,
    sql: SQL,
) -> None:
    ((username,),) = await sql("SELECT username FROM users WHERE id = :id", id=world.users[0])
    grants = ["groups:read", f"groups:write@department:{world.department}"]
    await put(client, name, secret=SECRET, username=username, grants=grants)
    answer = await anonymous.get("/v1/me", headers=await log_in(anonymous, name))
    assert answer.status_code == 200
    assert answer.json() == {
        "subject": f"account:{name}",
        "username": username,
        "grants": grants,
        "user": {
            "id": world.users[0],
            "username": username,
            "email": f"{username}@example.org",
            "family_name": "Family1",
            "given_name": "Given",
            "usual_name": None,
            "civility": "X",
            "student_number": None,
            "national_number": None,
            "department": world.department,
            "is_active": True,
        },
    }
    again = {**auth(subject="anna"), "if-none-match": answer.headers["etag"]}
    other = await anonymous.get("/v1/me", headers=again)
    assert other.json() == {"subject": "anna", "username": None, "grants": [], "user": None}
    assert (await anonymous.get("/v1/me")).status_code == 401


async def test_my_groups(
    client: httpx.AsyncClient, anonymous: httpx.AsyncClient, auth: Auth, world: World, sql: SQL
) -> None:
    partition = await world.add_partition("TD")
    group = await world.add_group(partition, "A")
    assert (await client.put(f"/v1/groups/{group}/members/{world.users[0]}")).status_code == 200
    ((username,),) = await sql("SELECT username FROM users WHERE id = :id", id=world.users[0])
    mine = await anonymous.get("/v1/me/groups", headers=auth(username=username))
    assert mine.status_code == 200
    assert mine.json() == [
        {
            "course_key": world.course,
            "course_title": "Course",
            "partition_name": "TD",
            "id": group,
            "course_id": world.course_id,
            "partition_id": partition,
            "name": "A",
            "position": 1,
            "capacity": None,
            "timetable_id": None,
            "assignment_type": "manual",
            "content_link": None,
        }
    ]
    assert (await anonymous.get("/v1/me/groups", headers=auth())).json() == []
    assert (await anonymous.get("/v1/me/groups")).status_code == 401
