"""What the documents fill in is executed as it stands, on the demo institution."""

from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import quote

import httpx
import pytest

from groupsvc.app import create_app
from groupsvc.cli.institution import ACCOUNT, SECRET
from groupsvc.settings import Settings
from tests.cli.conftest import command
from tests.conftest import EVERYTHING, Auth, MakeDatabase, serving

DOCUMENTS = ("/openapi.json", "/ScoDoc/openapi.json", "/api/cohorts/openapi.json")
# What removes something is for whoever types its name.
TYPED = {
    "/openapi.json": {
        "cancel_preassignment",
        "delete_account",
        "delete_content_partition",
        "delete_course",
        "delete_department",
        "delete_enrollment",
        "delete_group",
        "delete_partition",
        "delete_user",
        "erase_person",
        "leave_partition",
        "remove_member",
        "undo_changeset",
    },
    "/ScoDoc/openapi.json": {
        f"{name}{ending}"
        for name in (
            "delete_group",
            "delete_partition",
            "group_remove_etud",
            "partition_remove_etud",
        )
        for ending in ("", "_in_department")
    },
    "/api/cohorts/openapi.json": {"remove_instructor_user", "remove_user", "remove_user_v2"},
}
# Neither has anything to fill in, and it would end the token of the caller.
NOT_EXECUTED = {"revoke_token"}
FORM = "application/x-www-form-urlencoded"

# What nobody types: a workbook.
UNTYPED = ("application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",)


class Operation(NamedTuple):
    method: str
    path: str
    described: dict[str, Any]

    @property
    def name(self) -> str:
        return str(self.described["operationId"])

    def parameters(self, place: str) -> dict[str, Any]:
        return {
            each["name"]: each["example"]
            for each in self.described.get("parameters", ())
            if each["in"] == place and "example" in each
        }

    def is_filled(self) -> bool:
        content = self.described.get("requestBody", {}).get("content", {})
        required = {
            each["name"]
            for each in self.described.get("parameters", ())
            if each.get("required") and each["in"] == "path"
        }
        files = [each for each in content if each == "multipart/form-data" and len(content) == 1]
        return required <= self.parameters("path").keys() and (
            bool(files)
            or all("example" in each for name, each in content.items() if name not in UNTYPED)
        )

    def body(self) -> dict[str, Any]:
        """In the first of the media types, as Swagger UI offers it."""
        content = self.described.get("requestBody", {}).get("content", {})
        if not content:
            return {}
        media_type, described = next(iter(content.items()))
        if media_type == "multipart/form-data":
            (field,) = described["schema"]["properties"]
            return {"files": {field: ("cohorts.csv", "cohort,email\nCohort A,demo001@example.org")}}
        if media_type == FORM:
            shown = {
                name: each["example"]
                for name, each in described["schema"]["properties"].items()
                if "example" in each
            }
            assert shown == described["example"]
            return {"data": shown}
        if media_type == "application/json":
            return {"json": described["example"]}
        return {"content": described["example"], "headers": {"content-type": media_type}}

    async def execute(self, client: httpx.AsyncClient, server: str) -> httpx.Response:
        named = {name: quote(str(each), safe="") for name, each in self.parameters("path").items()}
        request: dict[str, Any] = {"params": self.parameters("query"), **self.body()}
        if self.described.get("security") == [{"login": []}]:
            request["auth"] = (ACCOUNT, SECRET)
        if not self.described.get("security"):
            request.setdefault("headers", {})["authorization"] = ""
        path = f"{server.rstrip('/')}{self.path.format(**named)}"
        return await client.request(self.method, path, **request)


def operations(document: dict[str, Any]) -> Iterator[Operation]:
    for path, item in document["paths"].items():
        for method, described in item.items():
            yield Operation(method.upper(), path, described)


Demo = Callable[[str], Awaitable[Any]]


@pytest.mark.parametrize("document", DOCUMENTS)
async def test_what_is_filled_in_succeeds_as_it_stands(
    make_database: MakeDatabase, settings: Settings, home: Path, auth: Auth, document: str
) -> None:
    url = await make_database()
    assert (await command(url)("demo"))[0] == 0
    async with serving(create_app(settings, url, home)) as client:
        client.headers.update(auth(*EVERYTHING, subject="a tester"))
        described = (await client.get(document)).json()
        (server,) = described["servers"]
        refused, typed = {}, set()
        for operation in operations(described):
            if not operation.is_filled():
                typed.add(operation.name)
                continue
            if operation.method == "DELETE" and operation.name in NOT_EXECUTED:
                continue
            answer = await operation.execute(client, server["url"])
            if not answer.is_success:
                refused[operation.name] = (answer.status_code, answer.text[:300])
            assert str(answer.status_code) in operation.described["responses"], operation.name
    assert refused == {}
    assert typed == TYPED[document]


@pytest.mark.parametrize("document", DOCUMENTS)
async def test_nothing_is_named_where_the_rows_are_those_of_others(
    make_database: MakeDatabase, home: Path, document: str
) -> None:
    app = create_app(Settings(env="production"), await make_database(), home)
    async with serving(app) as client:
        described = (await client.get(document)).json()
    named = {
        operation.name
        for operation in operations(described)
        if operation.parameters("path") or operation.parameters("query")
    }
    assert named == set()


@pytest.mark.parametrize("document", DOCUMENTS)
async def test_groups_of_operations_are_described_in_the_order_of_the_document(
    anonymous: httpx.AsyncClient, document: str
) -> None:
    described = (await anonymous.get(document)).json()
    assert all(each["description"] for each in described["tags"])
    order = [each["name"] for each in described["tags"]]
    used = [tag for each in operations(described) for tag in each.described["tags"]]
    assert list(dict.fromkeys(used)) == order
    places = [order.index(tag) for tag in used]
    assert places == sorted(places)
