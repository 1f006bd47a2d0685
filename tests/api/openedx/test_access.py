"""Who may do what, caller by caller and address by address."""

from typing import Any

import httpx
import pytest

from groupsvc.auth.development import DevelopmentKey
from tests.api.openedx.conftest import (
    FORBIDDEN,
    HIDDEN,
    NOWHERE,
    UNAUTHENTICATED,
    Callers,
    Course,
    envelope,
    told,
    unknown,
)
from tests.conftest import SQL

OK = "ok"
CALLERS = ("anonymous", "learner", "staff elsewhere", "moderator", "course staff", "global staff")
# What callers, in the order above, are answered.
EVERYBODY_ELSE = (UNAUTHENTICATED, FORBIDDEN, FORBIDDEN)
COLUMNS: dict[str, tuple[list[tuple[str, str, Any]], tuple[Any, ...]]] = {
    "settings GET": ([("GET", "settings", None)], (*EVERYBODY_ELSE, HIDDEN, OK, OK)),
    "settings PUT": (
        [("PUT", "settings", {"is_cohorted": True})],
        (*EVERYBODY_ELSE, FORBIDDEN, OK, OK),
    ),
    "cohorts GET": (
        [("GET", "cohorts", None), ("GET", "cohort", None)],
        (*EVERYBODY_ELSE, OK, OK, OK),
    ),
    "cohorts POST, PATCH": (
        [
            ("POST", "cohorts", {"name": "new", "assignment_type": "manual"}),
            ("PATCH", "cohort", {"name": "renamed"}),
        ],
        (*EVERYBODY_ELSE, FORBIDDEN, OK, OK),
    ),
    "users GET": (
        [("GET", "users", None), ("GET", "user", None)],
        (*EVERYBODY_ELSE, HIDDEN, OK, OK),
    ),
    "users POST, DELETE": (
        [
            ("POST", "users", {"users": ["nobody"]}),
            ("POST", "user", None),
            ("DELETE", "user", None),
        ],
        (*EVERYBODY_ELSE, FORBIDDEN, OK, OK),
    ),
    "upload POST": ([("POST", "upload", None)], (*EVERYBODY_ELSE, FORBIDDEN, FORBIDDEN, OK)),
}
CASES = [
    pytest.param(
        method, address, body, caller, expected, id=f"{column} {method} {address}: {caller}"
    )
    for column, (requests, answers) in COLUMNS.items()
    for method, address, body in requests
    for caller, expected in zip(CALLERS, answers, strict=True)
]


@pytest.mark.parametrize(("method", "address", "body", "caller", "expected"), CASES)
async def test_the_table_of_callers(
    anonymous: httpx.AsyncClient,
    course: Course,
    callers: Callers,
    method: str,
    address: str,
    body: Any,
    caller: str,
    expected: Any,
) -> None:
    cohort = await course.add("A")
    member = await course.person(course.world.users[0])
    await course.join(cohort, course.world.users[0])
    path = {
        "settings": course.settings,
        "cohorts": course.cohorts,
        "cohort": course.cohort(cohort),
        "users": course.users(cohort),
        "user": course.users(cohort, member["username"]),
        "upload": course.upload,
    }[address]
    more: dict[str, Any] = {"json": body} if body is not None else {}
    if address == "upload":
        more = {"files": {"uploaded-file": ("a.csv", b"cohort,email\n")}}
    answer = await anonymous.request(method, path, headers=callers[caller], **more)
    if expected is OK:
        assert answer.status_code in (200, 204), answer.text
    else:
        assert told(answer) == expected


@pytest.mark.parametrize("address", ["settings", "cohorts"])
async def test_staff_of_the_department_are_strangers_in_v1(
    anonymous: httpx.AsyncClient, course: Course, callers: Callers, address: str
) -> None:
    answer = await anonymous.get(getattr(course, address), headers=callers["org staff"])
    assert told(answer) == FORBIDDEN


async def test_who_reads_everywhere_moderates_everywhere(
    anonymous: httpx.AsyncClient, course: Course, auth: Any
) -> None:
    headers = auth("groups:read")
    assert told(await anonymous.get(course.cohorts, headers=headers)) == (200, [])
    assert told(await anonymous.get(course.settings, headers=headers)) == HIDDEN


ANSWERED_BY_METHOD = [
    ("DELETE", "cohorts"),
    ("PATCH", "cohorts"),
    ("PUT", "cohorts"),
    ("POST", "cohort"),
    ("DELETE", "cohort"),
    ("DELETE", "users"),
    ("PUT", "users"),
    ("PUT", "user"),
    ("POST", "settings"),
    ("GET", "upload"),
]


@pytest.mark.parametrize(("method", "address"), ANSWERED_BY_METHOD)
async def test_the_caller_comes_before_the_method(
    anonymous: httpx.AsyncClient, course: Course, callers: Callers, method: str, address: str
) -> None:
    paths = {"cohort": course.cohort(1), "users": course.users(1), "user": course.users(1, "bob")}
    path = paths.get(address) or getattr(course, address)
    assert told(await anonymous.request(method, path)) == UNAUTHENTICATED
    for caller in ("learner", "moderator"):
        answer = await anonymous.request(method, path, headers=callers[caller])
        assert told(answer) == FORBIDDEN
    answer = await anonymous.request(method, path, headers=callers["global staff"])
    assert answer.status_code == 405


@pytest.mark.parametrize(
    ("method", "address", "allow"),
    [
        ("POST", "settings", "GET, PUT, HEAD, OPTIONS"),
        ("PATCH", "settings", "GET, PUT, HEAD, OPTIONS"),
        ("DELETE", "settings", "GET, PUT, HEAD, OPTIONS"),
        ("PUT", "cohorts", "GET, POST, HEAD, OPTIONS"),
        ("DELETE", "cohorts", "GET, POST, HEAD, OPTIONS"),
        ("GET", "upload", "POST, OPTIONS"),
    ],
)
async def test_a_wrong_method_is_named(
    staff: httpx.AsyncClient, course: Course, method: str, address: str, allow: str
) -> None:
    answer = await staff.request(method, getattr(course, address))
    assert told(answer) == (405, envelope(f'Method "{method}" not allowed.'))
    assert answer.headers["allow"] == allow


ADDRESSES = [
    ("GET", "/settings/{key}"),
    ("PUT", "/settings/{key}"),
    ("GET", "/courses/{key}/cohorts/"),
    ("POST", "/courses/{key}/cohorts/"),
    ("GET", "/courses/{key}/cohorts/1"),
    ("GET", "/courses/{key}/cohorts/1/users/"),
    ("POST", "/courses/{key}/cohorts/1/users/"),
    ("POST", "/courses/{key}/cohorts/1/users/bob"),
    ("DELETE", "/courses/{key}/cohorts/1/users/bob"),
]


@pytest.mark.parametrize(("method", "path"), ADDRESSES)
async def test_a_course_that_is_not_there_is_told_to_global_staff_alone(
    staff: httpx.AsyncClient, anonymous: httpx.AsyncClient, callers: Callers, method: str, path: str
) -> None:
    path = "/api/cohorts/v1" + path.format(key=NOWHERE)
    assert told(await staff.request(method, path, content=b"not JSON")) == unknown(NOWHERE)
    answer = await anonymous.request(method, path, headers=callers["course staff"])
    assert told(answer) == FORBIDDEN


async def test_a_change_of_nothing_comes_before_the_course(staff: httpx.AsyncClient) -> None:
    path = f"/api/cohorts/v1/courses/{NOWHERE}/cohorts/1"
    assert told(await staff.patch(path, json={"name": "new"})) == unknown(NOWHERE)


MALFORMED = [
    "foo+bar+baz",
    "course-v2:a+b+c",
    "library-v1:a+b+c",
    "a/b+c",
    "a+b/c",
    "a/b/c+d",
    "course-v1:a b+c+d",
    "course-v1:a+b+c+d",
    f"course-v1:{'a' * 250}+b+c",
]


@pytest.mark.parametrize("wrong", MALFORMED)
async def test_what_is_no_course_key_is_not_found(
    staff: httpx.AsyncClient, anonymous: httpx.AsyncClient, auth: Any, wrong: str
) -> None:
    for path in (f"/api/cohorts/v1/settings/{wrong}", f"/api/cohorts/v1/courses/{wrong}/cohorts/"):
        assert told(await staff.get(path)) == unknown(wrong)
        assert told(await anonymous.get(path, headers=auth())) == unknown(wrong)
        assert told(await anonymous.get(path)) == UNAUTHENTICATED


@pytest.mark.parametrize(
    "path",
    [
        "/courses/library-v1:Org+Lib/cohorts/",
        "/courses/plain/cohorts/",
        "/courses/course-v1:a+b+c/cohorts/abc",
        "/courses/course-v1:a+b+c/groups/",
        "/settings/plain",
        "/",
        "",
    ],
)
async def test_no_route_is_a_plain_404(
    anonymous: httpx.AsyncClient, staff: httpx.AsyncClient, path: str
) -> None:
    for client in (anonymous, staff):
        assert told(await client.get(f"/api/cohorts/v1{path}")) == (404, envelope("Not found."))


# Credentials


def nested(code: str, message: str) -> tuple[int, Any]:
    return 401, envelope({"error_code": code, "developer_message": message})


NONEXISTENT = nested(
    "token_nonexistent", "The provided access token does not match any valid tokens."
)
EXPIRED = nested("token_expired", "The provided access token has expired and is no longer valid.")


@pytest.mark.parametrize(
    ("header", "expected"),
    [
        (None, UNAUTHENTICATED),
        ("", UNAUTHENTICATED),
        ("Basic YTpi", UNAUTHENTICATED),
        ("Token abc", UNAUTHENTICATED),
        ("Bearer unknown", NONEXISTENT),
        ("bearer unknown", NONEXISTENT),
        ("Bearer a.b.c", NONEXISTENT),
        ("Bearer gsv_unknown", NONEXISTENT),
        (
            "Bearer",
            nested("token_not_provided", "Invalid token header. No credentials provided."),
        ),
        (
            "Bearer ",
            nested("token_not_provided", "Invalid token header. No credentials provided."),
        ),
        (
            "Bearer a b",
            nested(
                "token_malformed", "Invalid token header. Token string should not contain spaces."
            ),
        ),
        ("JWT", (401, envelope("Invalid Authorization header. No credentials provided."))),
        (
            "JWT a b",
            (
                401,
                envelope(
                    "Invalid Authorization header. Credentials string should not contain spaces."
                ),
            ),
        ),
        ("JWT a.b.c", (401, envelope("Invalid token."))),
    ],
)
async def test_who_are_you(
    anonymous: httpx.AsyncClient, course: Course, header: str | None, expected: Any
) -> None:
    headers = {} if header is None else {"authorization": header}
    answer = await anonymous.get(course.cohorts, headers=headers)
    assert told(answer) == expected
    assert "www-authenticate" not in answer.headers


@pytest.fixture
def expired(key: DevelopmentKey, monkeypatch: pytest.MonkeyPatch) -> str:
    now = key._clock
    monkeypatch.setattr(key, "_clock", lambda: now() - 7200)
    return key.issue("tester")


async def test_a_token_that_has_expired(
    anonymous: httpx.AsyncClient, course: Course, expired: str
) -> None:
    for scheme, expected in (
        ("Bearer", EXPIRED),
        ("JWT", (401, envelope("Token has expired."))),
    ):
        headers = {"authorization": f"{scheme} {expired}"}
        assert told(await anonymous.get(course.cohorts, headers=headers)) == expected


@pytest.mark.parametrize("scheme", ["Bearer", "JWT", "jwt"])
async def test_either_scheme_brings_a_token(
    anonymous: httpx.AsyncClient, course: Course, callers: Callers, scheme: str
) -> None:
    _, _, token = callers["course staff"]["authorization"].partition(" ")
    headers = {"authorization": f"{scheme} {token}"}
    assert told(await anonymous.get(course.cohorts, headers=headers)) == (200, [])


@pytest.mark.parametrize("username", [None, "alovelace"])
async def test_a_user_who_is_disabled(
    client: httpx.AsyncClient, anonymous: httpx.AsyncClient, course: Course, username: str | None
) -> None:
    name = f"m-{course.world.department}"
    account = {"grants": ["groups:write"], "secret": "correct horse battery", "username": username}
    await client.put(f"/v1/accounts/{name}", json=account)
    form = {"grant_type": "client_credentials"}
    issued = await anonymous.post("/v1/token", data=form, auth=(name, account["secret"]))
    headers = {"authorization": f"Bearer {issued.json()['access_token']}"}
    assert (await anonymous.get(course.cohorts, headers=headers)).status_code == 200
    await client.put(f"/v1/accounts/{name}", json={**account, "is_active": False})
    disabled = nested("user_is_disabled", f"User disabled by admin: {username or name}")
    assert told(await anonymous.get(course.cohorts, headers=headers)) == disabled
    await client.put(f"/v1/accounts/{name}", json=account)
    assert told(await anonymous.get(course.cohorts, headers=headers)) == NONEXISTENT


async def test_a_user_of_the_roster_may_be_inactive(
    anonymous: httpx.AsyncClient, course: Course, sql: SQL, auth: Any
) -> None:
    person = await course.person(course.world.users[0])
    await sql("UPDATE users SET is_active = false WHERE username = :u", u=person["username"])
    headers = auth("groups:write", username=person["username"])
    assert told(await anonymous.get(course.cohorts, headers=headers)) == (200, [])
