"""Bodies of v1, in the words of the framework of the platform."""

import json
from typing import Any

import httpx
import pytest

from tests.api.openedx.conftest import NOWHERE, V1, Course, envelope, told, unknown
from tests.api.openedx.test_users import result

JSON = {"content-type": "application/json"}
NO_OBJECT = (400, envelope("Invalid data. Expected a dictionary."))


def unparsed(words: str) -> tuple[int, Any]:
    return 400, envelope(f"JSON parse error - {words}")


TEXTS: list[tuple[bytes, tuple[int, Any]]] = [
    (b"{", unparsed("Expecting property name enclosed in double quotes: line 1 column 2 (char 1)")),
    (b'{"name":}', unparsed("Expecting value: line 1 column 9 (char 8)")),
    (b'{"a":1}x', unparsed("Extra data: line 1 column 8 (char 7)")),
    (b'{"a":"\t"}', unparsed("Invalid control character at: line 1 column 7 (char 6)")),
    (b'{"a" 1}', unparsed("Expecting ':' delimiter: line 1 column 6 (char 5)")),
    (b'\n{"a":1 "b"}', unparsed("Expecting ',' delimiter: line 2 column 8 (char 8)")),
    (b"\xff", unparsed("'utf-8' codec can't decode byte 0xff in position 0: invalid start byte")),
    (b"null", NO_OBJECT),
    (b"[]", NO_OBJECT),
    (b'["name"]', NO_OBJECT),
    (b'"is_cohorted"', NO_OBJECT),
    (b"5", NO_OBJECT),
]


@pytest.mark.parametrize(("content", "expected"), TEXTS)
async def test_what_is_no_object_wherever_there_is_a_body(
    staff: httpx.AsyncClient, course: Course, content: bytes, expected: Any
) -> None:
    cohort = await course.add("A")
    for method, path in (
        ("PUT", course.settings),
        ("POST", course.cohorts),
        ("PATCH", course.cohort(cohort)),
        ("POST", course.users(cohort)),
        ("POST", course.users(cohort, "bob")),
    ):
        answer = await staff.request(method, path, content=content, headers=JSON)
        assert told(answer) == expected


@pytest.mark.parametrize("kind", ["text/plain", "application/merge-patch+json", "json", "a/b; c=d"])
async def test_other_types_are_refused_unless_the_body_is_empty(
    staff: httpx.AsyncClient, course: Course, kind: str
) -> None:
    cohort = await course.add("A")
    bare: dict[tuple[str, str], tuple[str, ...]] = {
        ("PUT", course.settings): ('Missing field "is_cohorted".',),
        ("POST", course.cohorts): (
            '"name" must be specified to create cohort.',
            "missing-cohort-name",
        ),
        ("PATCH", course.cohort(cohort)): (
            "Request must include name, assignment_type, and/or group_id.",
            "missing-fields",
        ),
        ("POST", course.users(cohort)): ("Missing users key in payload", "missing-users"),
    }
    headers = {"content-type": kind}
    for (method, path), words in bare.items():
        refused = await staff.request(method, path, content=b"{}", headers=headers)
        assert told(refused) == (415, envelope(f'Unsupported media type "{kind}" in request.'))
        empty = await staff.request(method, path, content=b"", headers=headers)
        assert told(empty) == (400, envelope(*words))


@pytest.mark.parametrize("kind", ["application/json; charset=utf-8", "APPLICATION/JSON"])
async def test_json_by_other_names(staff: httpx.AsyncClient, course: Course, kind: str) -> None:
    content = json.dumps({"name": "é", "assignment_type": "manual"}, ensure_ascii=False)
    headers = {"content-type": kind}
    answer = await staff.post(course.cohorts, content=content.encode(), headers=headers)
    assert (
        answer.content
        == (
            f'{{"name":"é","id":{answer.json()["id"]},"user_count":0,"assignment_type":"manual",'
            '"user_partition_id":null,"group_id":null}'
        ).encode()
    )


@pytest.mark.parametrize(
    ("charset", "codec"),
    [
        ("latin-1", "latin-1"),
        ("ISO-8859-15", "iso-8859-15"),
        ('"cp1252"', "cp1252"),
        ("utf-16", "utf-16"),
        ("utf-32-le", "utf-32-le"),
        ("utf-8-sig", "utf-8-sig"),
        ("utf-7", "utf-7"),
        ("unheard-of", "utf-8"),
        ("", "utf-8"),
    ],
)
async def test_json_in_the_charset_that_it_names(
    staff: httpx.AsyncClient, course: Course, charset: str, codec: str
) -> None:
    text = json.dumps({"name": "\u00e9\u00df", "assignment_type": "manual"}, ensure_ascii=False)
    headers = {"content-type": f"application/json; charset={charset}"}
    for path in (course.cohorts, f"{course.v2}/cohorts/"):
        answer = await staff.post(path, content=text.encode(codec), headers=headers)
        assert answer.json().get("name") == "\u00e9\u00df", answer.text
        cohort = course.cohort(answer.json()["id"])
        assert (await staff.patch(cohort, json={"name": path})).status_code == 204


@pytest.mark.parametrize(
    ("charset", "words"),
    [
        *(
            (name, f'Unsupported charset "{name}" in request Content-Type header.')
            for name in ("hex", "zip", "rot13", "undefined", "idna", "unicode_escape")
        ),
        (
            "ascii",
            "JSON parse error - 'ascii' codec can't decode byte 0xe9 in position 9:"
            " ordinal not in range(128)",
        ),
        (
            "utf-8",
            "JSON parse error - 'utf-8' codec can't decode byte 0xe9 in position 9:"
            " invalid continuation byte",
        ),
    ],
)
async def test_a_charset_that_the_body_is_not_in(
    staff: httpx.AsyncClient, course: Course, charset: str, words: str
) -> None:
    headers = {"content-type": f"application/json; charset={charset}"}
    answer = await staff.post(course.cohorts, content=b'{"name":"\xe9"}', headers=headers)
    assert told(answer) == (400, envelope(words))


async def test_a_form_in_the_charset_that_it_names(
    staff: httpx.AsyncClient, course: Course
) -> None:
    headers = {"content-type": "application/x-www-form-urlencoded; charset=latin-1"}
    content = b"name=%e9\xdf&assignment_type=manual"
    made = await staff.post(course.cohorts, content=content, headers=headers)
    assert (made.status_code, made.json()["name"]) == (200, "\u00e9\u00df")


async def test_other_faces_read_nothing_but_utf_8(client: httpx.AsyncClient) -> None:
    headers = {"content-type": "application/json; charset=latin-1"}
    content = '{"name": "\u00e9"}'.encode("latin-1")
    native = await client.put("/v1/departments/X", content=content, headers=headers)
    assert (native.status_code, native.json()["code"]) == (415, "unsupported_media_type")


async def test_of_members_of_one_name_the_last_counts(
    staff: httpx.AsyncClient, course: Course
) -> None:
    content = b'{"name":"A","assignment_type":"manual","name":"B"}'
    made = await staff.post(course.cohorts, content=content, headers=JSON)
    assert (made.status_code, made.json()["name"]) == (200, "B")


@pytest.mark.parametrize("name", [r"a\u0000b", r"a\ud800b", r"\udc00"])
async def test_a_name_that_cannot_be_stored(
    staff: httpx.AsyncClient, course: Course, name: str
) -> None:
    cohort = await course.add("A")
    content = f'{{"name":"{name}","assignment_type":"manual"}}'
    for method, path in (("POST", course.cohorts), ("PATCH", course.cohort(cohort))):
        answer = await staff.request(method, path, content=content, headers=JSON)
        words = "The name must have 1 to 255 characters that can be stored."
        assert told(answer) == (400, envelope(words))


async def test_one_entry_that_is_nobody_blocks_no_other(
    staff: httpx.AsyncClient, course: Course
) -> None:
    cohort = await course.add("A")
    person = await course.person(course.world.users[0])
    odd = [r'"a\u0000b"', r'"\ud800"', r'"\ud800@x.org"', r'"\u0000@x.org"', r'"x@\udc00.org"']
    entries = [*odd, "null", '""', "7", f'"{person["username"]}"', '"x@y.org"']
    content = f'{{"users":[{",".join(entries)}]}}'
    answer = await staff.post(course.users(cohort), content=content, headers=JSON)
    assert told(answer) == result(
        added=[person],
        unknown=["a\x00b", "\ud800", "7"],
        preassigned=["x@y.org"],
        invalid=["\ud800@x.org", "\x00@x.org", "x@\udc00.org"],
    )
    assert await course.waiting() == {"x@y.org": cohort}


ADDRESSES = [
    "a@b.co",
    "a@localhost",
    "a@[127.0.0.1]",
    "a@[::1]",
    "a@é.org",
    "a@b.中国",
    "a@xn--9ca.org",
    '"a@b"@b.co',
    "a+b'c@b-c.co",
    "a" * 313 + "@b.com",
]
NO_ADDRESSES = [
    "foo@bar",
    "email@",
    "@email",
    "x@y.",
    "@",
    "a@b.c",
    "a@b.c1",
    "a@b.11",
    "a@-b.co",
    "a@b-.co",
    "a@b..co",
    "a@b_c.co",
    "a@b.co.",
    ".a@b.co",
    "a..b@b.co",
    "é@b.co",
    "a b@b.co",
    "a@b co.org",
    "a@LOCALHOST",
    "a@[300.1.1.1]",
    "a@" + "b" * 64 + ".co",
    "a" * 315 + "@b.com",
    "a@b.co,c@d.eu",
]


async def test_what_is_an_address(staff: httpx.AsyncClient, course: Course) -> None:
    cohort = await course.add("A")
    sent = {"users": [*ADDRESSES, *NO_ADDRESSES]}
    answer = await staff.post(course.users(cohort), json=sent)
    assert told(answer) == result(preassigned=ADDRESSES, invalid=NO_ADDRESSES)
    assert set(await course.waiting()) == set(ADDRESSES)


# What is looked at first


async def test_a_course_that_is_not_there_comes_before_its_lists(staff: httpx.AsyncClient) -> None:
    cohorts = f"{V1}/courses/{NOWHERE}/cohorts/"
    for query in ("?ordering=x", "?page=x", "?page=9", "?ordering="):
        assert told(await staff.get(cohorts + query)) == unknown(NOWHERE)
        assert told(await staff.get(f"{cohorts}1/users/{query}")) == unknown(NOWHERE)
    refused = await staff.patch(cohorts, json={"name": "A"})
    expected = envelope("Request method requires cohort_id in path", "missing-cohort-id")
    assert told(refused) == (405, expected)


async def test_a_change_of_nothing_comes_before_the_cohort(
    staff: httpx.AsyncClient, course: Course
) -> None:
    answer = await staff.patch(course.cohort(10**9), json={"user_partition_id": 5})
    expected = envelope(
        "Request must include name, assignment_type, and/or group_id.", "missing-fields"
    )
    assert told(answer) == (400, expected)


async def test_a_cohort_of_another_course_has_no_users_here(
    staff: httpx.AsyncClient, course: Course, make_course: Any
) -> None:
    other: Course = await make_course(1)
    cohort = await other.add("A")
    await other.join(cohort, other.world.users[0])
    username = (await other.person(other.world.users[0]))["username"]
    words = f"Cohort (ID {cohort}) not found for {course.key}"
    for method in ("GET", "POST", "DELETE"):
        answer = await staff.request(method, course.users(cohort, username))
        assert told(answer) == (404, envelope(words, "cohort-not-found"))
    assert await other.members(cohort) == other.world.users[:1]


# Whole answers


async def test_the_list_of_cohorts_whole(staff: httpx.AsyncClient, course: Course) -> None:
    second = await course.add("Beta", "random", content_partition_id=50, content_group_id=0)
    first = await course.add("Alpha")
    await course.join(second, *course.world.users[:2])
    answer = await staff.get(course.cohorts)
    assert answer.status_code == 200
    assert answer.text == (
        f'[{{"name":"Alpha","id":{first},"user_count":0,"assignment_type":"manual",'
        '"user_partition_id":null,"group_id":null},'
        f'{{"name":"Beta","id":{second},"user_count":2,"assignment_type":"random",'
        '"user_partition_id":50,"group_id":0}]'
    )


async def test_a_user_is_moved_by_his_name_in_the_path(
    staff: httpx.AsyncClient, course: Course
) -> None:
    first, second = await course.add("First"), await course.add("Second", "random")
    person = await course.person(course.world.users[0])
    await course.join(first, course.world.users[0])
    path = course.users(second, person["username"])
    moved = {"email": person["email"], "previous_cohort": "First", "username": person["username"]}
    assert told(await staff.post(path)) == result(changed=[moved])
    assert told(await staff.post(path)) == result(present=[person["username"]])
    assert told(await staff.post(course.users(first, person["email"]))) == result(
        changed=[{**moved, "previous_cohort": "Second"}]
    )
    assert told(await staff.post(course.users(first, "new@example.org"))) == result(
        preassigned=["new@example.org"]
    )
    assert told(await staff.post(course.users(first, "no@where"))) == result(invalid=["no@where"])


@pytest.mark.parametrize("kind", ["manual", "random"])
async def test_any_cohort_can_be_linked_and_have_a_long_name(
    staff: httpx.AsyncClient, course: Course, kind: str
) -> None:
    cohort = await course.add("A", kind)
    body = {"name": "x" * 255, "group_id": 2, "user_partition_id": 50, "assignment_type": kind}
    answer = await staff.patch(course.cohort(cohort), json=body)
    assert (answer.status_code, answer.content) == (204, b"")
    assert (await staff.get(course.cohort(cohort))).json() == {
        "id": cohort,
        "user_count": 0,
        **body,
    }


async def test_a_partition_without_a_group_links_nothing(
    staff: httpx.AsyncClient, course: Course
) -> None:
    body = {"name": "A", "assignment_type": "manual", "user_partition_id": "whatever"}
    made = (await staff.post(course.cohorts, json=body)).json()
    assert (made["user_partition_id"], made["group_id"]) == (None, None)


async def test_more_values_than_a_body_may_have(staff: httpx.AsyncClient, course: Course) -> None:
    path = course.users(await course.add("A"))
    for count, status in ((250_001, 413), (100, 200)):
        content = json.dumps({"users": ["nobody"] * count}).encode()
        answer = await staff.post(path, content=content, headers=JSON)
        assert answer.status_code == status
        if status == 413:
            assert told(answer) == (413, envelope("the body is too large"))
