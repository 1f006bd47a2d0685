"""Entity tags: what callers have already is not sent, what they have not seen is not replaced."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import httpx
import pytest

from tests.api.refusals import problem, told
from tests.conftest import EVERYTHING, SQL, Auth
from tests.tour import TOUR, Stage, Visit, patch, put, set_stage

COURSE = "/v1/courses/{course}"
ENROLLMENT = COURSE + "/enrollments/{member}"


@dataclass(frozen=True)
class Resource:
    """Where it is, what is written to it, and what somebody else does to it: the last line."""

    path: str
    writes: Sequence[Visit]
    other: Visit
    kind: str


RESOURCES = {
    "partition": Resource(
        "/v1/partitions/{partition}",
        [TOUR["edit_partition"], TOUR["order_groups"], TOUR["delete_partition"]],
        patch("/v1/partitions/{partition}", lambda _: {"show_in_lists": False}),
        "partition.updated",
    ),
    "partition with its groups": Resource(
        "/v1/partitions/{partition}",
        [TOUR["edit_partition"]],
        patch("/v1/groups/{group}", lambda _: {"name": "other"}),
        "group.updated",
    ),
    "partitions": Resource(
        COURSE + "/partitions",
        [TOUR["order_partitions"]],
        patch("/v1/partitions/{partition}", lambda _: {"show_in_lists": False}),
        "partition.updated",
    ),
    "group": Resource(
        "/v1/groups/{group}",
        [TOUR["edit_group"], TOUR["delete_group"]],
        patch("/v1/groups/{group}", lambda _: {"timetable_id": "other"}),
        "group.updated",
    ),
    "course": Resource(
        COURSE,
        [
            put("/v1/courses/by-key/{key}", lambda stage: {"department": stage.department}),
            TOUR["lock_course"],
            TOUR["unlock_course"],
            TOUR["delete_course"],
        ],
        put(
            "/v1/courses/by-key/{key}",
            lambda stage: {"department": stage.department, "title": "other"},
        ),
        "course.updated",
    ),
    "user": Resource(
        "/v1/users/{member}",
        [
            TOUR["edit_user"],
            put("/v1/users/by-name/{username}", lambda _: {"family_name": "New"}),
            TOUR["delete_user"],
        ],
        patch("/v1/users/{member}", lambda _: {"given_name": "Other"}),
        "user.updated",
    ),
    "enrollment": Resource(
        ENROLLMENT,
        [TOUR["put_enrollment"], TOUR["edit_enrollment"], TOUR["delete_enrollment"]],
        patch(ENROLLMENT, lambda _: {"state": "defaulted"}),
        "enrollment.updated",
    ),
    "department": Resource(
        "/v1/departments/{empty}",
        [put("/v1/departments/{empty}", lambda _: {"name": "New"}), TOUR["delete_department"]],
        put("/v1/departments/{empty}", lambda _: {"name": "Other"}),
        "department.updated",
    ),
    "cohort settings": Resource(
        COURSE + "/cohort-settings",
        [TOUR["put_cohort_settings"]],
        put(COURSE + "/cohort-settings", lambda _: {"is_cohorted": False}),
        "cohort_settings.updated",
    ),
    "account": Resource(
        "/v1/accounts/{account}",
        [
            put("/v1/accounts/{account}", lambda _: {"grants": ["groups:read"]}),
            TOUR["delete_account"],
        ],
        put("/v1/accounts/{account}", lambda _: {"grants": [], "is_active": False}),
        "account.updated",
    ),
}
READS = [
    *(resource.path for resource in RESOURCES.values()),
    "/v1/courses/by-key/{key}",
    "/v1/users/by-name/{username}",
    COURSE + "/board",
    COURSE + "/users/{member}/groups",
    COURSE + "/content-partitions",
    "/v1/users/{member}/groups",
    "/v1/me",
    "/v1/me/groups",
]
WRITES = [
    pytest.param(name, write, id=f"{name}-{write.method}-{write.path}")
    for name, resource in RESOURCES.items()
    for write in resource.writes
]


@pytest.fixture
async def stage(sql: SQL) -> Stage:
    return await set_stage(sql)


async def tag_of(client: httpx.AsyncClient, path: str) -> str:
    answer = await client.get(path)
    assert answer.status_code == 200, answer.text
    return answer.headers["etag"]


async def send(
    client: httpx.AsyncClient, write: Visit, stage: Stage, if_match: str, **headers: str
) -> httpx.Response:
    return await client.request(
        write.method,
        write.path_on(stage),
        headers={"if-match": if_match, **headers},
        **write.payload(stage),
    )


@pytest.mark.parametrize("path", dict.fromkeys(READS))
async def test_what_the_caller_has_is_not_sent_again(
    client: httpx.AsyncClient, stage: Stage, path: str
) -> None:
    path = path.format(**vars(stage))
    tag = await tag_of(client, path)
    assert (tag[0], tag[-1], len(tag)) == ('"', '"', 26)
    for known in (tag, f'"x", {tag}', f'"x",W/{tag}', f"W/{tag}", f'{tag[:-1]}-gzip"', "*"):
        answer = await client.get(path, headers={"if-none-match": known})
        assert (answer.status_code, answer.content, answer.headers["etag"]) == (304, b"", tag)
    for unknown in ('"x"', tag.strip('"'), "", ","):
        answer = await client.get(path, headers={"if-none-match": unknown})
        assert (answer.status_code, answer.headers["etag"]) == (200, tag)


async def test_a_tag_is_the_same_for_every_caller(
    client: httpx.AsyncClient, anonymous: httpx.AsyncClient, stage: Stage, auth: Auth
) -> None:
    path = RESOURCES["partition"].path.format(**vars(stage))
    answer = await anonymous.get(path, headers=auth("groups:read", subject="reader"))
    assert answer.headers["etag"] == await tag_of(client, path)


async def test_a_tag_is_as_good_as_the_token(
    anonymous: httpx.AsyncClient, client: httpx.AsyncClient, stage: Stage, auth: Auth
) -> None:
    path = RESOURCES["partition"].path.format(**vars(stage))
    known = {"if-none-match": await tag_of(client, path)}
    assert (await anonymous.get(path, headers=known)).status_code == 401
    elsewhere = auth("groups:read@department:nowhere")
    assert (await anonymous.get(path, headers=known | elsewhere)).status_code == 404


@pytest.mark.parametrize(("name", "write"), WRITES)
async def test_what_the_caller_has_seen_he_may_overwrite(
    client: httpx.AsyncClient, stage: Stage, name: str, write: Visit
) -> None:
    path = RESOURCES[name].path.format(**vars(stage))
    answer = await send(client, write, stage, await tag_of(client, path))
    assert answer.status_code == write.status, answer.text
    if answer.status_code == 200:
        assert answer.headers["etag"] == await tag_of(client, path)


@pytest.mark.parametrize(
    "form",
    [
        *("{0}", "W/{0}", '"x", {0}', '{0},"x","y"', '"x" ,  {0} ', "*", " * "),
        *('"{1}-gzip"', '"x","{1}-br"', 'W/"{1}-zstd"'),
    ],
)
async def test_one_of_several_tags_is_enough_and_a_star_is_any(
    client: httpx.AsyncClient, stage: Stage, form: str
) -> None:
    tag = await tag_of(client, RESOURCES["group"].path.format(**vars(stage)))
    answer = await send(client, TOUR["edit_group"], stage, form.format(tag, tag.strip('"')))
    assert answer.status_code == 200, answer.text


@pytest.mark.parametrize(("name", "write"), WRITES)
async def test_what_somebody_else_has_changed_he_may_not(
    client: httpx.AsyncClient, stage: Stage, auth: Auth, name: str, write: Visit
) -> None:
    resource = RESOURCES[name]
    path = resource.path.format(**vars(stage))
    seen = await tag_of(client, path)
    other = auth(*EVERYTHING, subject="somebody else")
    changed = await send(client, resource.other, stage, "*", **other)
    assert changed.status_code == 200, changed.text
    now = await client.get(path)
    answer = told(await send(client, write, stage, seen))
    changes = answer.pop("changes")
    assert answer == problem(
        412,
        "precondition_failed",
        "the resource has changed since",
        etag=now.headers["etag"],
        current=now.json(),
    )
    assert (changes[0]["actor"], changes[0]["kind"]) == ("somebody else", resource.kind)
    lines = await client.get("/v1/changes", params={"request_id": changes[0]["request_id"]})
    assert changes[0] in lines.json()["items"]
    assert (await client.get(path)).content == now.content


@pytest.mark.parametrize(("name", "write"), WRITES)
async def test_anything_but_a_strong_tag_does_not_match(
    client: httpx.AsyncClient, stage: Stage, name: str, write: Visit
) -> None:
    path = RESOURCES[name].path.format(**vars(stage))
    tag = await tag_of(client, path)
    bare = tag.strip('"')
    for given in (
        *('"x"', '"x", "y"', bare, f'"{bare}', "", ",", '"*"', "W/*"),
        *(f'"{bare}-other"', f'"{bare}-gzip', '"-gzip"'),
    ):
        answer = told(await send(client, write, stage, given))
        assert (answer["status"], answer["etag"]) == (412, tag)
    assert await tag_of(client, path) == tag


async def test_changes_that_do_not_show_are_not_held_against_the_caller(
    client: httpx.AsyncClient, stage: Stage
) -> None:
    path = RESOURCES["partition"].path.format(**vars(stage))
    tag = await tag_of(client, path)
    await client.put(f"/v1/groups/{stage.other}/members/{stage.loose}")
    await client.patch(RESOURCES["group"].path.format(**vars(stage)), json={"name": "other"})
    for user in stage.users:
        await client.put(f"/v1/groups/{stage.group}/members/{user}")
    answer = told(await send(client, TOUR["edit_partition"], stage, tag))
    assert [change["kind"] for change in answer["changes"]] == [
        "group.updated",
        *["group.created"] * 2,
        "partition.created",
    ]


CREATING = [
    put("/v1/courses/by-key/{key}/new", lambda stage: {"department": stage.department}),
    put("/v1/users/by-name/new-{username}", lambda stage: {"department": stage.department}),
    put("/v1/departments/new-{department}", lambda _: {}),
    put("/v1/accounts/new-{account}", lambda _: {"grants": []}),
    put(COURSE + "/tracks", lambda _: {"codes": ["A"]}),
]


@pytest.mark.parametrize("write", CREATING, ids=lambda write: write.path)
@pytest.mark.parametrize("given", ["*", '"x"'])
async def test_nothing_is_created_for_a_caller_who_has_seen_it_already(
    client: httpx.AsyncClient, stage: Stage, write: Visit, given: str
) -> None:
    for _ in range(2):
        answer = told(await send(client, write, stage, given))
        answer["changes"] = [] if "account" in write.path else answer["changes"]
        assert answer == problem(
            412,
            "precondition_failed",
            "the resource has changed since",
            etag=None,
            current=None,
            changes=[],
        )


async def test_content_groups_have_tags_too(client: httpx.AsyncClient, stage: Stage) -> None:
    path = f"/v1/courses/{stage.course}/content-partitions/50"
    first = await client.put(path, json={"name": "one"})
    seen = {"if-match": first.headers["etag"]}
    assert (await client.put(path, json={"name": "two"}, headers=seen)).status_code == 200
    refused = told(await client.put(path, json={"name": "three"}, headers=seen))
    assert refused["changes"][0]["kind"] == "content_partition.updated"
    assert told(await client.delete(path, headers=seen))["etag"] == refused["etag"]
    now = {"if-match": refused["etag"]}
    assert (await client.delete(path, headers=now)).status_code == 204


@pytest.mark.parametrize("name", ["put_enrollment", "edit_enrollment", "delete_enrollment"])
async def test_an_enrollment_that_has_ended_tells_who_ended_it(
    client: httpx.AsyncClient, stage: Stage, name: str
) -> None:
    await client.delete(ENROLLMENT.format(**vars(stage)))
    answer = told(await send(client, TOUR[name], stage, "*"))
    assert (answer["status"], answer["etag"]) == (412, None)
    assert answer["changes"][0]["kind"] == "enrollment.deleted"


@pytest.mark.parametrize("name", ["edit_partition", "delete_partition", "edit_group", "edit_user"])
async def test_what_is_not_there_is_not_found_whatever_is_expected(
    client: httpx.AsyncClient, stage: Stage, name: str
) -> None:
    nothing = {"partition": 2**62, "group": 2**62, "member": 2**62}
    gone = Stage(**{**vars(stage), **nothing})
    assert told(await send(client, TOUR[name], gone, '"x"'))["status"] == 404


@pytest.mark.parametrize(
    "path", ["/v1/courses/by-key/{key}", "/v1/users/by-name/{username}"], ids=["course", "user"]
)
async def test_what_is_out_of_sight_does_not_tell_who_changed_it(
    anonymous: httpx.AsyncClient, stage: Stage, auth: Auth, path: str
) -> None:
    headers = auth("roster:write@department:nowhere") | {"if-match": '"x"'}
    body = {"department": stage.department}
    answer = told(await anonymous.put(path.format(**vars(stage)), headers=headers, json=body))
    assert (answer["status"], "changes" in answer) == (404, False)


async def test_of_two_who_have_seen_the_same_one_writes(
    client: httpx.AsyncClient, stage: Stage
) -> None:
    path = f"/v1/groups/{stage.group}"
    headers = {"if-match": await tag_of(client, path)}

    async def rename(number: int) -> httpx.Response:
        return await client.patch(path, json={"name": f"N{number}"}, headers=headers)

    answers = await asyncio.gather(*(rename(number) for number in range(8)))
    assert sorted(answer.status_code for answer in answers) == [200, *[412] * 7]
    (winner,) = [answer.json()["name"] for answer in answers if answer.status_code == 200]
    assert (await client.get(path)).json()["name"] == winner


async def test_a_header_that_is_sent_twice_is_refused(
    client: httpx.AsyncClient, stage: Stage
) -> None:
    headers: Any = [("if-match", '"x"'), ("if-match", "*")]
    answer = await client.patch(f"/v1/groups/{stage.group}", json={}, headers=headers)
    assert (answer.status_code, answer.json()["code"]) == (400, "repeated_header")
