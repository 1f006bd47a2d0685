"""Problems of the native face: whole bodies, and nothing of the input in them."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Annotated, Any, Literal
from uuid import UUID

import httpx
import pytest
from fastapi import APIRouter, Body, FastAPI, HTTPException, Path, Query
from pydantic import BaseModel, ConfigDict, Field, field_validator

from groupsvc import logs
from groupsvc.domain import errors
from groupsvc.domain.strict_json import InvalidJsonError
from groupsvc.faces.v1.conflicts import PROBLEMS
from groupsvc.http import problems
from groupsvc.http.application import FaceApplication
from groupsvc.http.problems import document_problems

GroupId = Annotated[int, Path(ge=1, le=2**63 - 1)]
SECRET = "s3cr3t-value"


class Cat(BaseModel):
    kind: Literal["cat"]


class Dog(BaseModel):
    kind: Literal["dog"]


class Everything(BaseModel):
    model_config = ConfigDict(extra="forbid")

    name: str = Field(max_length=5)
    size: int | None = Field(None, strict=True, ge=1)
    key: UUID | None = None
    at: datetime | None = None
    pet: Cat | Dog | None = Field(None, discriminator="kind")
    word: str | None = None
    rows: list[dict[str, int]] = []

    @field_validator("word")
    @classmethod
    def _no_word(cls, value: str) -> str:
        raise ValueError("must be a word" if len(value) < 5 else f"{value} is no word")


def _raise(error: Exception) -> Any:
    async def endpoint() -> None:
        raise error

    return endpoint


@pytest.fixture(scope="module")
def app() -> FastAPI:
    app = FaceApplication((), PROBLEMS, title="problems", edits=[document_problems])
    inner = APIRouter(prefix="/groups")

    @inner.get("/{group_id}", responses=problems.problem_responses(404, 422, 503))
    async def read(group_id: GroupId, limit: Annotated[int, Query(ge=1, le=200)] = 50) -> int:
        return group_id + limit

    @inner.patch("/{group_id}")
    async def change(group_id: GroupId, body: Annotated[Everything, Body()]) -> None: ...

    app.include_router(inner, prefix="/v1")

    @app.delete("/v1/groups/{group_id}")
    async def delete(group_id: GroupId) -> None: ...

    sub = FastAPI(docs_url=None)
    PROBLEMS.install(sub)
    sub.add_api_route("/x", _raise(errors.NotFoundError("no x")), methods=["POST"])
    sub.add_api_route("/x", _raise(errors.NotFoundError("no x")), methods=["PUT"])
    app.mount("/sub", sub)
    return app


@pytest.fixture(autouse=True)
def _request_id() -> Iterator[None]:
    token = logs.request_id.set("req-1")
    yield
    logs.request_id.reset(token)


def client_of(app: FastAPI) -> httpx.AsyncClient:
    transport = httpx.ASGITransport(app, raise_app_exceptions=False)
    return httpx.AsyncClient(transport=transport, base_url="http://test")


async def answer_to(error: Exception) -> httpx.Response:
    app = FastAPI()
    PROBLEMS.install(app)
    app.add_api_route("/", _raise(error))
    async with client_of(app) as client:
        answer = await client.get("/")
    assert answer.headers["content-type"] == "application/problem+json"
    return answer


def body(status: int, code: str, title: str, detail: str, **more: object) -> dict[str, object]:
    return {
        "type": f"urn:groupsvc:problem:{code}",
        "title": title,
        "status": status,
        "detail": detail,
        "code": code,
        "request_id": "req-1",
        **more,
    }


BEARER = {"www-authenticate": "Bearer"}
INVALID = {"www-authenticate": 'Bearer error="invalid_token"'}


# A conflict about nothing that has a path.
UNTOLD: dict[str, Any] = {"etag": None, "current": None, "changes": []}


@pytest.mark.parametrize(
    ("error", "expected", "headers"),
    [
        (errors.NotFoundError("no x"), body(404, "not_found", "Not found", "no x"), {}),
        (
            errors.NameTakenError("taken", group_id=7),
            body(409, "name_taken", "Conflict", "taken", **UNTOLD, group_id=7),
            {},
        ),
        (
            errors.LockedError("locked"),
            body(409, "course_locked", "Conflict", "locked", **UNTOLD),
            {},
        ),
        (InvalidJsonError("bad"), body(400, "invalid_json", "Bad request", "bad"), {}),
        (
            errors.InvalidError("bad", code="bad_name", pointer="#/name", longest=64),
            body(
                422,
                "bad_name",
                "Invalid input",
                "bad",
                longest=64,
                errors=[{"pointer": "#/name", "code": "bad_name", "message": "bad"}],
            ),
            {},
        ),
        (
            errors.PreconditionFailedError("changed", etag='"4"', by="ada"),
            body(
                412,
                "precondition_failed",
                "Changed in the meantime",
                "changed",
                **(UNTOLD | {"etag": '"4"'}),
                by="ada",
            ),
            {},
        ),
        (
            errors.UnauthenticatedError("who?"),
            body(401, "unauthenticated", "Not authenticated", "who?"),
            BEARER,
        ),
        (
            errors.UnauthenticatedError("old", code="invalid_token"),
            body(401, "invalid_token", "Not authenticated", "old"),
            INVALID,
        ),
        (errors.ForbiddenError("no"), body(403, "forbidden", "Not permitted", "no"), {}),
        (
            errors.UnavailableError("away", retry_after=3),
            body(503, "unavailable", "Temporarily unavailable", "away", retry_after=3),
            {"retry-after": "3"},
        ),
        (
            HTTPException(415, "send application/json"),
            body(415, "unsupported_media_type", "Unsupported Media Type", "send application/json"),
            {},
        ),
        (HTTPException(499, "gone"), body(499, "error", "Error", "gone"), {}),
        (
            HTTPException(413),
            body(413, "body_too_large", "Request Entity Too Large", "Request Entity Too Large"),
            {},
        ),
        (
            RuntimeError(SECRET),
            body(
                500,
                "internal_error",
                "Internal error",
                "an unexpected error, which has been logged",
            ),
            {},
        ),
    ],
)
async def test_a_refusal_is_a_problem(
    error: Exception, expected: dict[str, object], headers: dict[str, str]
) -> None:
    answer = await answer_to(error)
    assert answer.json() == expected
    assert list(answer.json()) == list(expected)
    assert answer.status_code == expected["status"]
    assert {name: answer.headers.get(name) for name in headers} == headers


async def test_what_json_cannot_hold_does_not_break_the_answer() -> None:
    facts = {"at": datetime(2026, 1, 2, tzinfo=UTC), "bad": "\ud800", "status": 200, "nil": "\x00"}
    answer = await answer_to(errors.ConflictError("half \udc00", **facts))
    assert answer.json() == body(
        409,
        "conflict",
        "Conflict",
        "half ?",
        **UNTOLD,
        at="2026-01-02 00:00:00+00:00",
        bad="?",
        nil="\x00",
    )


async def test_an_answer_without_a_body_stays_without() -> None:
    app = FastAPI()
    PROBLEMS.install(app)
    app.add_api_route("/", _raise(HTTPException(304, headers={"ETag": '"1"'})))
    async with client_of(app) as client:
        answer = await client.get("/")
    assert (answer.status_code, answer.content, answer.headers["etag"]) == (304, b"", '"1"')


@pytest.mark.parametrize(
    "path", ["/nothing", "/v1/groups/0", "/v1/groups/x", f"/v1/groups/{2**63}", "/v1/groups/1/"]
)
async def test_a_path_that_names_nothing_is_not_found(app: FastAPI, path: str) -> None:
    async with client_of(app) as client:
        answer = await client.get(path)
    assert answer.status_code == 404
    assert answer.json() == body(404, "not_found", "Not found", "no such resource")


@pytest.mark.parametrize(
    ("method", "path", "allow"),
    [
        ("POST", "/v1/groups/1", "DELETE, GET, PATCH"),
        ("PUT", "/v1/groups/x", "DELETE, GET, PATCH"),
        ("GET", "/sub/x", "POST, PUT"),
    ],
)
async def test_a_wrong_method_names_all_the_right_ones(
    app: FastAPI, method: str, path: str, allow: str
) -> None:
    async with client_of(app) as client:
        answer = await client.request(method, path)
    assert answer.headers["allow"] == allow
    assert answer.json() == body(
        405, "method_not_allowed", "Method Not Allowed", "Method Not Allowed"
    )


async def test_allow_is_right_behind_a_prefix(app: FastAPI) -> None:
    transport = httpx.ASGITransport(app, root_path="/api")
    async with httpx.AsyncClient(transport=transport, base_url="http://test") as client:
        answers = [await client.post("/api/v1/groups/1"), await client.get("/api/sub/x")]
    assert [answer.headers["allow"] for answer in answers] == ["DELETE, GET, PATCH", "POST, PUT"]


async def test_a_bad_query_is_invalid(app: FastAPI) -> None:
    async with client_of(app) as client:
        answer = await client.get("/v1/groups/1", params={"limit": SECRET})
    assert answer.status_code == 422
    assert answer.json() == body(
        422,
        "invalid",
        "Invalid input",
        "one value is not valid",
        errors=[
            {
                "pointer": "#/query/limit",
                "code": "int_parsing",
                "message": "Input should be a valid integer, unable to parse string as an integer",
            }
        ],
    )


async def test_bad_values_are_named_but_not_repeated(app: FastAPI) -> None:
    sent = {
        "size": SECRET,
        "key": SECRET,
        "at": SECRET,
        "pet": {"kind": SECRET},
        "word": SECRET,
        "rows": [{"a/b~c": SECRET, "zz " + "9" * 80: SECRET}],
        "extra": SECRET,
    }
    async with client_of(app) as client:
        answer = await client.patch("/v1/groups/1", json=sent)
    assert answer.status_code == 422
    assert SECRET not in answer.text
    assert "9999" not in answer.text
    assert answer.json()["detail"] == "9 values are not valid"
    found = {each["pointer"]: (each["code"], each["message"]) for each in answer.json()["errors"]}
    assert found == {
        "#/name": ("missing", "Field required"),
        "#/size": ("int_type", "Input should be a valid integer"),
        "#/key": ("uuid_parsing", "Input should be a valid UUID"),
        "#/at": ("datetime_from_date_parsing", "Input should be a valid datetime or date"),
        "#/pet": ("union_tag_invalid", "Input has an unknown kind"),
        "#/word": ("value_error", "Input is not valid"),
        "#/rows/0/a~1b~0c": (
            "int_parsing",
            "Input should be a valid integer, unable to parse string as an integer",
        ),
        "#/rows/0": (
            "int_parsing",
            "Input should be a valid integer, unable to parse string as an integer",
        ),
        "#/extra": ("extra_forbidden", "Extra inputs are not permitted"),
    }


async def test_a_message_of_our_own_is_passed_on(app: FastAPI) -> None:
    async with client_of(app) as client:
        answer = await client.patch("/v1/groups/1", json={"name": "a", "word": "b!"})
    assert answer.json()["errors"] == [
        {"pointer": "#/word", "code": "value_error", "message": "must be a word"}
    ]


@pytest.mark.parametrize(
    ("content", "pointer", "code"),
    [
        (b"", "#", "missing"),
        (b"[]", "#", "model_attributes_type"),
        (b'{"name": NaN}', "#/name", "string_type"),
        (b'{"name": "\\ud800"}', "#/name", "string_unicode"),
        (b'{"name": "abcdef"}', "#/name", "string_too_long"),
    ],
)
async def test_bodies_that_broke_stock_handlers(
    app: FastAPI, content: bytes, pointer: str, code: str
) -> None:
    headers = {"content-type": "application/json"}
    async with client_of(app) as client:
        answer = await client.patch("/v1/groups/1", content=content, headers=headers)
    errors_ = [(each["pointer"], each["code"]) for each in answer.json()["errors"]]
    assert (answer.status_code, errors_) == (422, [(pointer, code)])


async def test_only_so_many_errors_are_listed(app: FastAPI) -> None:
    sent = {"name": "a", "rows": [{"a": "x"}] * 150}
    async with client_of(app) as client:
        answer = await client.patch("/v1/groups/1", json=sent)
    assert len(answer.json()["errors"]) == problems.MOST_ERRORS
    assert answer.json()["detail"] == "150 values are not valid"


async def test_the_stock_reader_is_answered_too(app: FastAPI) -> None:
    headers = {"content-type": "application/json"}
    async with client_of(app) as client:
        answer = await client.patch("/v1/groups/1", content=b"{", headers=headers)
    assert answer.json() == body(400, "invalid_json", "Bad request", "body is not JSON")


def test_a_refusal_of_the_edge_looks_the_same() -> None:
    content, media_type = PROBLEMS.render("/v1/groups", 413, "body_too_large", "too large")
    assert media_type == "application/problem+json"
    assert json.loads(content) == body(
        413, "body_too_large", "Request Entity Too Large", "too large"
    )


def test_problems_are_documented(app: FastAPI) -> None:
    document = app.openapi()
    assert document["components"]["schemas"]["Problem"]["required"] == [
        "type",
        "title",
        "status",
        "detail",
        "code",
        "request_id",
    ]
    assert "FieldProblem" in document["components"]["schemas"]
    documented = document["paths"]["/v1/groups/{group_id}"]["get"]["responses"]["422"]
    assert list(documented["content"]) == ["application/problem+json"]
    content = documented["content"]["application/problem+json"]
    assert content["schema"] == {"$ref": "#/components/schemas/Problem"}
    assert problems.Problem.model_validate(content["example"]).errors[0].pointer == "#/name"


@pytest.mark.parametrize(
    "status", [400, 401, 403, 404, 405, 409, 412, 413, 415, 422, 428, 500, 503]
)
def test_every_documented_example_is_a_problem(status: int) -> None:
    (documented,) = problems.problem_responses(status).values()
    example = documented["content"]["application/problem+json"]["example"]
    assert problems.Problem.model_validate(example).status == status
    assert documented["description"] == example["title"]
