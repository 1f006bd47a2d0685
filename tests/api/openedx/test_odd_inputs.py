"""What nobody should send: refused clearly, in the shape of the address, and never a 5xx."""

import json
from typing import Any

import httpx
import pytest

from tests.api.openedx.conftest import Course

JSON = {"content-type": "application/json"}
FORM = {"content-type": "application/x-www-form-urlencoded"}


def multipart(*parts: bytes, kind: str = "multipart/form-data; boundary=x") -> dict[str, Any]:
    content = b"".join(b"--x\r\n" + part + b"\r\n" for part in parts) + b"--x--\r\n"
    return {"content": content, "headers": {"content-type": kind}}


FIELD = b'content-disposition: form-data; name="users"\r\n\r\na'
FILE = b'content-disposition: form-data; name="uploaded-file"; filename="a.csv"\r\n\r\ncohort,email'

VALUES: list[Any] = [0, -1.5, True, False, [], {}, [None], [[]], [{}], {"a": 1}, "\x7f", "\ufdd0"]
LINKS: list[tuple[Any, Any]] = [
    ("1", "2"),
    (1.0, 2),
    (True, 1),
    (2**63, 1),
    (-(2**63) - 1, 1),
    ([], {}),
    (1, []),
    (1, ""),
    ("", 1),
    (10**19, 10**19),
]

SENT: list[dict[str, Any]] = [
    *(
        {"content": content, "headers": JSON}
        for content in (
            b"",
            b" ",
            b"null",
            b"true",
            b"0",
            b'"text"',
            b"[]",
            b"[[]]",
            b"{",
            b"\xff",
            b"\xef\xbb\xbf{}",
            "{}".encode("utf-16"),
            b'{"name": "\x00"}',
            b'{"name": "\\u0000", "assignment_type": "manual", "users": ["a\\u0000"]}',
            b'{"name": "\\ud800", "assignment_type": "manual", "users": ["\\udfff"]}',
            b'{"users": ["a"], "users": ["b"], "name": "A", "name": "B"}',
            b'{"is_cohorted": NaN, "name": Infinity}',
            b'{"name": 1e999, "users": -1e999}',
            b"[" * 50_000,
            b'{"a":' * 50_000,
            b'{"group_id": ' + b"9" * 10_000 + b"}",
        )
    ),
    *(
        {"json": dict.fromkeys(("name", "assignment_type", "users", "is_cohorted"), value)}
        for value in VALUES
    ),
    *(
        {"json": {"name": "N", "assignment_type": "manual", "group_id": a, "user_partition_id": b}}
        for a, b in LINKS
    ),
    *(
        {"content": content, "headers": FORM}
        for content in (
            b"",
            b"=",
            b"&&&",
            b"%",
            b"users=%00&username=%00&name=%00",
            b"users=%ff&username=%ff&name=%ff&assignment_type=%ff",
            b"users=%ed%a0%80&username=%ed%a0%80&name=%ed%a0%80&assignment_type=manual",
            b"username=" + b"x" * 100_000,
            b"username=%F0%9F%98%80&users=%F0%9F%98%80",
            b"name=A&assignment_type=manual&group_id=" + b"9" * 5_000 + b"&user_partition_id=1",
            "users=\u0661".encode("utf-16"),
        )
    ),
    multipart(FIELD, FILE),
    multipart(FILE, kind="multipart/form-data"),
    multipart(FILE, kind="multipart/form-data; boundary="),
    multipart(FILE, kind="multipart/form-data; boundary=other"),
    multipart(FILE, kind='multipart/form-data; boundary="' + "x" * 500 + '"'),
    *(
        multipart(FIELD, b'content-disposition: form-data; name="\xff\xfe"\r\n\r\n\xff', kind=kind)
        for kind in (
            "multipart/form-data; boundary=x; charset=utf-16",
            "multipart/form-data; boundary=x; charset=idna",
            "multipart/form-data; boundary=x; charset=hex",
            "multipart/form-data; boundary=x; charset=none",
            "multipart/form-data; boundary=x; charset=utf-7",
            "multipart/form-data; boundary=x; charset=undefined",
            "multipart/form-data; boundary=x; charset=unicode_escape",
        )
    ),
    multipart(b"\r\n\r\na"),
    multipart(b"content-disposition: form-data\r\n\r\na"),
    multipart(b"content-disposition: \xff\r\n\r\na"),
    multipart(b'content-disposition: form-data; name="users"'),
    multipart(b'content-disposition: form-data; name="uploaded-file"; filename=""\r\n\r\na'),
    multipart(b'content-disposition: form-data; name="uploaded-file"; filename*=x\r\n\r\na'),
    multipart(*[FIELD] * 1_200),
    multipart(*[FILE] * 1_200),
    *(
        {"content": b"cohort,email\n", "headers": {"content-type": kind}}
        for kind in ("text/csv", "text/plain", "application/xml", "json", "/", ";", "*/*", b"\xe9")
    ),
    {"content": b"{}"},
]


def addresses(course: Course, cohort: int) -> list[tuple[str, str]]:
    twin = f"/courses/{course.key}/instructor/api/add_users_to_cohorts"
    return [
        ("PUT", course.settings),
        ("POST", course.cohorts),
        ("PATCH", course.cohort(cohort)),
        ("POST", course.users(cohort)),
        ("POST", course.users(cohort, "nobody")),
        ("POST", course.upload),
        ("PUT", f"{course.v2}/cohort_settings/"),
        ("POST", f"{course.v2}/cohorts/"),
        ("PATCH", f"{course.v2}/cohorts/{cohort}/"),
        ("POST", f"{course.v2}/cohorts/{cohort}/users/"),
        ("PATCH", f"{course.legacy}/settings"),
        ("POST", f"{course.legacy}/"),
        ("PUT", f"{course.legacy}/{cohort}"),
        ("POST", f"{course.legacy}/{cohort}/add"),
        ("POST", f"{course.legacy}/{cohort}/delete"),
        ("POST", twin),
    ]


def well_told(path: str, answer: httpx.Response) -> bool:
    """Whether a refusal has the members of its address."""
    if answer.status_code < 400:
        return True
    told = set(json.loads(answer.content))
    if "/v2/" in path:
        return told == {"type", "title", "status", "detail", "instance"}
    if path.startswith("/courses/"):
        return told in ({"error"}, {"detail"})
    return told in ({"developer_message"}, {"developer_message", "error_code"})


@pytest.mark.parametrize("number", range(len(SENT)))
async def test_every_address_stands_it(
    staff: httpx.AsyncClient, course: Course, number: int
) -> None:
    cohort = await course.add("A")
    for method, path in addresses(course, cohort):
        answer = await staff.request(method, path, **SENT[number])
        assert answer.status_code in (200, 201, 204, 400, 413, 415), (path, answer.text)
        assert well_told(path, answer), (path, answer.text)


@pytest.mark.parametrize(
    "query",
    [
        "page=%00&page_size=%00&ordering=%00",
        "page=%ff&page_size=%ff&ordering=%ff",
        "page=%ed%a0%80&page_size=%ed%a0%80&ordering=%ed%a0%80",
        "page=99999999999999999999&page_size=99999999999999999999",
        "page=-1&page_size=-1",
        "page=1.0&page_size=1e9",
        "page=1&page=2&ordering=asc&ordering=desc",
        "page=%D9%A1",
        "&&=&=&;",
        "page",
    ],
)
async def test_every_address_stands_odd_queries(
    staff: httpx.AsyncClient, course: Course, query: str
) -> None:
    cohort = await course.add("A")
    for path in (
        course.settings,
        course.cohorts,
        course.cohort(cohort),
        course.users(cohort),
        f"{course.v2}/cohorts/",
        f"{course.v2}/cohorts/{cohort}/users/",
        f"{course.v2}/group_configurations",
        f"{course.legacy}/",
    ):
        answer = await staff.get(f"{path}?{query}")
        assert answer.status_code in (200, 400, 404), (path, answer.text)
        assert well_told(path, answer), (path, answer.text)


@pytest.mark.parametrize(
    "name", ["%00", "%ff", "%ed%a0%80", "a%2Fb", "%20", "%0A", "..", "%F0%9F%98%80"]
)
async def test_every_address_stands_odd_names(
    staff: httpx.AsyncClient, course: Course, name: str
) -> None:
    cohort = await course.add("A")
    for method, path in (
        ("DELETE", course.users(cohort, name)),
        ("POST", course.users(cohort, name)),
        ("DELETE", f"{course.v2}/cohorts/{cohort}/users/{name}/"),
        ("GET", f"{course.v2}/group_configurations/{name}"),
        ("GET", course.cohort(name)),
        ("GET", course.settings.replace("2026", name)),
        ("GET", course.cohorts.replace("2026", name)),
        ("POST", course.upload.replace("2026", name)),
        ("GET", f"{course.v2}/cohorts/".replace("2026", name)),
        ("GET", f"{course.v2}/group_configurations".replace("2026", name)),
    ):
        answer = await staff.request(method, path)
        assert answer.status_code in (200, 400, 404, 405), (path, answer.text)
        assert well_told(path, answer) or answer.status_code == 404, (path, answer.text)
