import asyncio
from typing import Any

import httpx
import pytest

from tests.api.refusals import invalid, problem, told
from tests.conftest import SQL, MakeWorld, World

NOWHERE = problem(404, "not_found", "no such course")


class Cohorts:
    """A cohorted course."""

    def __init__(self, client: httpx.AsyncClient, world: World) -> None:
        self.client, self.world = client, world
        self.path = f"/v1/courses/{world.course_id}"
        self.partition = 0

    async def configure(self, **settings: Any) -> httpx.Response:
        body = {"is_cohorted": True, **settings}
        return await self.client.put(f"{self.path}/cohort-settings", json=body)

    async def add(self, name: str, assignment_type: str = "random", **columns: Any) -> int:
        if not self.partition:
            self.partition = await self.world.add_partition("Cohorts", "cohorts")
        columns = {"assignment_type": assignment_type, **columns}
        return await self.world.add_group(self.partition, name, **columns)

    async def arrive(self, user: int) -> tuple[int | None, bool]:
        path = f"{self.path}/cohort-assignments"
        answer = await self.client.post(path, json={"user_id": user})
        assert answer.status_code == 200, answer.text
        return answer.json()["group_id"], answer.json()["assigned"]

    async def await_user(self, user: int, group: int) -> None:
        """Have the e-mail address of a user wait for them."""
        await self.world.sql(
            "INSERT INTO preassignments (course_id, partition_id, group_id, email)"
            " SELECT :course, :partition, :group, upper(email) FROM users WHERE id = :user",
            course=self.world.course_id,
            partition=self.partition,
            group=group,
            user=user,
        )

    async def waiting(self) -> int:
        statement = "SELECT count(*) FROM preassignments WHERE course_id = :id"
        ((count,),) = await self.world.sql(statement, id=self.world.course_id)
        return count


@pytest.fixture
async def cohorts(client: httpx.AsyncClient, world: World) -> Cohorts:
    made = Cohorts(client, world)
    await made.configure()
    return made


async def test_a_course_that_nobody_has_configured_is_not_cohorted(
    client: httpx.AsyncClient, world: World
) -> None:
    before = await world.log()
    read = await client.get(f"/v1/courses/{world.course_id}/cohort-settings")
    assert read.json() == {"is_cohorted": False, "random_assignment": "uniform"}
    assert await world.log() == before


async def test_settings_are_put_and_kept(client: httpx.AsyncClient, world: World) -> None:
    path = f"/v1/courses/{world.course_id}/cohort-settings"
    for settings in (
        {"is_cohorted": True, "random_assignment": "balanced"},
        {"is_cohorted": True, "random_assignment": "uniform"},
        {"is_cohorted": False, "random_assignment": "uniform"},
    ):
        put = await client.put(path, json=settings)
        assert (put.status_code, put.json()) == (200, settings)
        read = await client.get(path)
        assert (read.content, read.headers["etag"]) == (put.content, put.headers["etag"])
    await client.put(path, json={"is_cohorted": False})
    kinds = [line[0] for line in await world.log("cohort_settings.%")]
    assert kinds == ["cohort_settings.created", *["cohort_settings.updated"] * 2]


async def test_settings_of_no_course(client: httpx.AsyncClient) -> None:
    path = f"/v1/courses/{2**62}/cohort-settings"
    assert told(await client.get(path)) == NOWHERE
    assert told(await client.put(path, json={"is_cohorted": True})) == NOWHERE


async def test_in_a_course_that_is_not_cohorted_nobody_is_given_a_cohort(
    cohorts: Cohorts, world: World
) -> None:
    group = await cohorts.add("A")
    user = world.users[0]
    await cohorts.await_user(user, group)
    await cohorts.configure(is_cohorted=False)
    before = await world.log()
    assert await cohorts.arrive(user) == (None, False)
    assert (await world.log(), await cohorts.waiting()) == (before, 1)


async def test_a_member_keeps_his_cohort_and_what_waits_for_him(
    cohorts: Cohorts, client: httpx.AsyncClient, world: World
) -> None:
    mine, other = await cohorts.add("A"), await cohorts.add("B")
    user = world.users[0]
    await client.put(f"/v1/groups/{mine}/members/{user}")
    await cohorts.await_user(user, other)
    before = await world.log()
    assert await cohorts.arrive(user) == (mine, False)
    assert (await world.log(), await cohorts.waiting()) == (before, 1)


async def test_turning_cohorts_off_hides_them_and_on_shows_them_again(
    cohorts: Cohorts, world: World
) -> None:
    user = world.users[0]
    group, _ = await cohorts.arrive(user)
    await cohorts.configure(is_cohorted=False)
    assert await cohorts.arrive(user) == (None, False)
    await cohorts.configure(is_cohorted=True)
    assert await cohorts.arrive(user) == (group, False)


async def test_an_address_that_waits_is_used_up(cohorts: Cohorts, world: World) -> None:
    await cohorts.add("A")
    waiting = await cohorts.add("B", "manual")
    user = world.users[0]
    await cohorts.await_user(user, waiting)
    assert await cohorts.arrive(user) == (waiting, True)
    assert await cohorts.waiting() == 0
    assert await cohorts.arrive(user) == (waiting, False)
    lines = await world.log()
    assert [line[0] for line in lines[-2:]] == ["preassignment.deleted", "membership.assigned"]


async def test_the_log_of_an_address_that_waits_does_not_name_it(
    cohorts: Cohorts, sql: SQL, world: World
) -> None:
    user = world.users[0]
    await cohorts.await_user(user, await cohorts.add("A"))
    await cohorts.arrive(user)
    ((email,),) = await sql("SELECT email FROM users WHERE id = :id", id=user)
    assert all(email not in str(line).lower() for line in await world.log())


async def test_chance_chooses_among_random_cohorts_only(
    client: httpx.AsyncClient, make_world: MakeWorld
) -> None:
    world = await make_world(40)
    cohorts = Cohorts(client, world)
    await cohorts.configure()
    await cohorts.add("manual", "manual")
    chances = [await cohorts.add("A"), await cohorts.add("B")]
    # Forty times the same is as likely as one in five hundred thousand million.
    given = [await cohorts.arrive(user) for user in world.users]
    assert {group for group, _ in given} == set(chances)
    assert all(assigned for _, assigned in given)


async def test_balance_fills_the_smallest_cohort(cohorts: Cohorts, world: World) -> None:
    await cohorts.configure(random_assignment="balanced")
    groups = [await cohorts.add("A"), await cohorts.add("B")]
    given = [(await cohorts.arrive(user))[0] for user in world.users]
    assert given == [groups[0], groups[1], groups[0], groups[1], groups[0]]


@pytest.mark.parametrize("random_assignment", ["uniform", "balanced"])
async def test_chance_passes_by_a_cohort_that_is_full(
    cohorts: Cohorts, world: World, random_assignment: str
) -> None:
    await cohorts.configure(random_assignment=random_assignment)
    await cohorts.add("A", capacity=0)
    room = await cohorts.add("B")
    given = {await cohorts.arrive(user) for user in world.users}
    assert given == {(room, True)}


async def test_when_all_are_full_nobody_comes_in(
    cohorts: Cohorts, client: httpx.AsyncClient, world: World
) -> None:
    await cohorts.add("A", capacity=0)
    path = f"{cohorts.path}/cohort-assignments"
    refused = await client.post(path, json={"user_id": world.users[0]})
    assert told(refused) == problem(409, "group_full", "the group has no place left")


async def test_without_random_cohorts_a_default_one_is_made_once(
    cohorts: Cohorts, client: httpx.AsyncClient, world: World
) -> None:
    await cohorts.add("manual", "manual")
    first, second = world.users[:2]
    group, assigned = await cohorts.arrive(first)
    assert (assigned, await cohorts.arrive(second)) == (True, (group, True))
    made = (await client.get(f"/v1/groups/{group}")).json()
    assert (made["name"], made["assignment_type"]) == ("Default Group", "random")


async def test_a_manual_cohort_of_that_name_is_used_as_it_is(
    cohorts: Cohorts, client: httpx.AsyncClient, world: World
) -> None:
    manual = await cohorts.add("Default Group", "manual")
    assert await cohorts.arrive(world.users[0]) == (manual, True)
    assert (await client.get(f"/v1/groups/{manual}")).json()["assignment_type"] == "manual"


async def test_the_first_cohort_makes_the_partition_too(
    client: httpx.AsyncClient, world: World
) -> None:
    """Whatever another partition is called."""
    await world.add_partition("Cohorts")
    path = f"/v1/courses/{world.course_id}"
    whole = {"name": " Red ", "assignment_type": "random", "capacity": 3, "position": 1}
    second = await client.post(f"{path}/cohorts", json={"name": "Blue"})
    first = await client.post(f"{path}/cohorts", json=whole)
    assert (first.status_code, second.status_code) == (201, 201)
    made = first.json()
    assert first.headers["location"] == f"/v1/groups/{made['id']}"
    assert made == {
        "id": made["id"],
        "course_id": world.course_id,
        "partition_id": second.json()["partition_id"],
        "name": "Red",
        "position": 1,
        "capacity": 3,
        "timetable_id": None,
        "assignment_type": "random",
        "content_link": None,
    }
    partition = (await client.get(f"/v1/partitions/{made['partition_id']}")).json()
    assert (partition["kind"], partition["name"]) == ("cohorts", "Cohorts (2)")
    assert [group["name"] for group in partition["groups"]] == ["Red", "Blue"]


async def test_cohorts_that_are_refused_leave_nothing(
    client: httpx.AsyncClient, world: World
) -> None:
    path = f"/v1/courses/{world.course_id}"
    empty = await client.post(f"{path}/cohorts", json={"name": " "})
    assert (empty.status_code, empty.json()["code"]) == (422, "invalid_name")
    assert (await client.get(f"{path}/partitions")).json() == []
    await client.post(f"{path}/cohorts", json={"name": "Red"})
    again = await client.post(f"{path}/cohorts", json={"name": "Red"})
    assert (again.status_code, again.json()["code"]) == (409, "name_taken")
    await client.put(f"{path}/lock")
    locked = await client.post(f"{path}/cohorts", json={"name": "Blue"})
    assert (locked.status_code, locked.json()["code"]) == (409, "course_locked")
    nowhere = await client.post(f"/v1/courses/{2**40}/cohorts", json={"name": "Blue"})
    assert told(nowhere) == NOWHERE


async def test_the_first_cohort_is_made_once_at_a_time(
    client: httpx.AsyncClient, world: World
) -> None:
    path = f"/v1/courses/{world.course_id}"
    answers = await asyncio.gather(
        *(client.post(f"{path}/cohorts", json={"name": f"C{n}"}) for n in range(8))
    )
    assert {answer.status_code for answer in answers} == {201}
    assert len({answer.json()["partition_id"] for answer in answers}) == 1


async def test_the_first_visitor_makes_the_partition_too(
    cohorts: Cohorts, client: httpx.AsyncClient, world: World
) -> None:
    await cohorts.arrive(world.users[0])
    (partition,) = (await client.get(f"{cohorts.path}/partitions")).json()
    assert (partition["kind"], partition["name"]) == ("cohorts", "Cohorts")


async def test_a_visitor_need_not_be_enrolled_but_known(
    cohorts: Cohorts, client: httpx.AsyncClient, world: World
) -> None:
    (stranger,) = await world.add_users(1)
    group, assigned = await cohorts.arrive(stranger)
    assert (assigned, await world.members(group or 0)) == (True, [stranger])
    path = f"{cohorts.path}/cohort-assignments"
    refused = await client.post(path, json={"user_id": 2**62})
    assert told(refused) == problem(404, "not_found", "no such user")
    nowhere = f"/v1/courses/{2**62}/cohort-assignments"
    assert told(await client.post(nowhere, json={"user_id": stranger})) == NOWHERE


async def test_a_locked_course_gives_no_new_cohort_but_tells_the_old_one(
    cohorts: Cohorts, client: httpx.AsyncClient, world: World
) -> None:
    old, new = world.users[:2]
    group, _ = await cohorts.arrive(old)
    await client.put(f"{cohorts.path}/lock")
    assert await cohorts.arrive(old) == (group, False)
    refused = await client.post(f"{cohorts.path}/cohort-assignments", json={"user_id": new})
    assert told(refused) == problem(409, "course_locked", "the course is locked")


async def test_an_arrival_says_in_the_log_that_it_was_one(
    cohorts: Cohorts, sql: SQL, world: World
) -> None:
    await cohorts.arrive(world.users[0])
    causes = "SELECT DISTINCT kind, cause FROM changes WHERE user_id = :id AND cause IS NOT NULL"
    assert await sql(causes, id=world.users[0]) == [("membership.assigned", "lazy")]


CONTENT = {
    "scheme": "cohort",
    "name": "Content Groups",
    "description": "What to show",
    "is_active": False,
    "groups": [{"id": 0, "name": "a"}, {"id": 2**63 - 1, "name": "b"}],
}


async def test_content_groups_are_declared_under_the_ids_of_their_platform(
    client: httpx.AsyncClient, world: World
) -> None:
    path = f"/v1/courses/{world.course_id}/content-partitions"
    made = await client.put(f"{path}/0", json=CONTENT)
    assert (made.status_code, made.json()) == (201, {"id": 0, **CONTENT})
    plain = await client.put(f"{path}/{2**63 - 1}", json={"name": "plain"})
    expected = {
        "id": 2**63 - 1,
        "scheme": "cohort",
        "name": "plain",
        "description": "",
        "is_active": True,
        "groups": [],
    }
    assert (plain.status_code, plain.json()) == (201, expected)
    again = await client.put(f"{path}/0", json={"name": "other"})
    assert (again.status_code, again.json()) == (200, expected | {"id": 0, "name": "other"})
    listed = await client.get(path)
    assert listed.json() == [again.json(), plain.json()]


async def test_content_groups_are_forgotten_but_links_stay(
    cohorts: Cohorts, client: httpx.AsyncClient
) -> None:
    link = {"content_partition_id": 50, "content_group_id": 1}
    columns = {"content_partition_id": 50, "content_group_id": 1}
    group = await cohorts.add("A", **columns)
    path = f"{cohorts.path}/content-partitions"
    await client.put(f"{path}/50", json={"name": "Content"})
    for _ in range(2):
        assert (await client.delete(f"{path}/50")).status_code == 204
    assert (await client.get(path)).json() == []
    assert (await client.get(f"/v1/groups/{group}")).json()["content_link"] == link


@pytest.mark.parametrize(
    ("change", "pointer", "code", "message"),
    [
        ({"name": None}, "#/name", "string_type", "Input should be a valid string"),
        (
            {"groups": [{"id": -1, "name": "a"}]},
            "#/groups/0/id",
            "greater_than_equal",
            "Input should be greater than or equal to 0",
        ),
        ({"groups": [{"id": 1}]}, "#/groups/0/name", "missing", "Field required"),
        ({"more": 1}, "#/more", "extra_forbidden", "Extra inputs are not permitted"),
    ],
)
async def test_content_groups_that_make_no_sense_are_refused(
    client: httpx.AsyncClient,
    world: World,
    change: dict[str, Any],
    pointer: str,
    code: str,
    message: str,
) -> None:
    path = f"/v1/courses/{world.course_id}/content-partitions/1"
    answer = await client.put(path, json=CONTENT | change)
    assert told(answer) == invalid(pointer, code, message)
