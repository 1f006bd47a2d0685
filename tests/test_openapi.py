"""What generators of clients need to find in the documents."""

import json
from collections.abc import Iterator
from typing import Any, NamedTuple

import pytest

from groupsvc.cli.openapi import describe
from tests.api.tables import XLSX

DOCUMENTS: dict[str, Any] = describe()
# Answers without a body, though their status could have one.
EMPTY = {("revoke_token", "200"), ("edit_instructor_cohort", "204")}
BODILESS = {"204", "302", "304"}
BY_ADDRESS = {"assign_content_group", "assign_member", "lock_course", "undo_changeset"}


class Operation(NamedTuple):
    method: str
    described: dict[str, Any]

    @property
    def name(self) -> str:
        return str(self.described["operationId"])

    def header_parameters(self) -> list[str]:
        given = self.described.get("parameters", ())
        return [each["name"] for each in given if each["in"] == "header"]

    def answers(self) -> Iterator[tuple[str, dict[str, Any]]]:
        yield from self.described["responses"].items()

    def headers(self, status: str) -> set[str]:
        return set(self.described["responses"].get(status, {}).get("headers", ()))


def operations(name: str) -> list[Operation]:
    return [
        Operation(method, described)
        for item in DOCUMENTS[name]["paths"].values()
        for method, described in item.items()
    ]


@pytest.mark.parametrize("name", DOCUMENTS)
def test_every_body_has_a_schema(name: str) -> None:
    without = {
        (each.name, status)
        for each in operations(name)
        for status, answer in each.answers()
        if status not in BODILESS
        and not all("schema" in media for media in answer.get("content", {"none": {}}).values())
    }
    assert without <= EMPTY
    bodies = [
        each.described["requestBody"] for each in operations(name) if "requestBody" in each[1]
    ]
    assert bodies
    assert all("schema" in media for body in bodies for media in body["content"].values())


def test_what_is_written_without_a_body_is_all_in_the_address() -> None:
    without = {
        each.name
        for each in operations("v1")
        if each.method in ("post", "put", "patch") and "requestBody" not in each.described
    }
    assert without == BY_ADDRESS


@pytest.mark.parametrize("name", DOCUMENTS)
def test_names_are_those_of_this_service_and_defined(name: str) -> None:
    components = DOCUMENTS[name]["components"]
    assert [each for each in components["schemas"] if "__" in each] == []
    text = json.dumps(DOCUMENTS[name])
    for kind in ("schemas", "headers"):
        for each in components[kind]:
            assert f'"#/components/{kind}/{each}"' in text


@pytest.mark.parametrize("name", DOCUMENTS)
def test_a_parameter_is_never_null(name: str) -> None:
    for each in operations(name):
        for parameter in each.described.get("parameters", ()):
            assert '"null"' not in json.dumps(parameter), (each.name, parameter["name"])


def test_headers_follow_from_what_an_operation_does() -> None:
    spelled = {name for each in operations("v1") for name in each.header_parameters()}
    assert spelled == {"If-Match", "If-None-Match", "Idempotency-Key", "Last-Event-ID"}
    for each in operations("v1"):
        asked = each.header_parameters()
        if "If-None-Match" in asked:
            assert each.headers("200") >= {"ETag"}
            assert each.headers("304") >= {"ETag"}
        if "If-Match" in asked:
            reference = each.described["responses"]["412"]["content"]["application/problem+json"]
            assert reference["schema"]["$ref"].endswith("/ConflictProblem")
        if "Idempotency-Key" in asked:
            good = [status for status, _ in each.answers() if status[0] == "2"]
            assert good
            assert all(each.headers(status) >= {"Idempotent-Replayed"} for status in good)
        query = {one["name"] for one in each.described.get("parameters", ())}
        if "cursor" in query:
            assert each.headers("200") >= {"Link"}
        for status, _ in each.answers():
            if status == "503":
                assert "Retry-After" in each.headers(status)


def test_tables_have_operations_of_their_own() -> None:
    """Their media types are that of tables, of bytes for who knows no other, and of workbooks."""
    for each in operations("v1"):
        content = each.described.get("requestBody", {}).get("content", {})
        if each.name == "upload_cohorts":
            assert list(content) == ["text/csv", "application/octet-stream"]
        elif each.name.endswith("_csv"):
            assert list(content) == ["text/csv", "application/octet-stream", XLSX]
        else:
            assert "text/csv" not in content


def test_rows_of_imports_have_no_defaults() -> None:
    """A client that sends them would empty titles and names."""
    for each in operations("v1"):
        if each.name.startswith("import_") and not each.name.endswith("_csv"):
            body = each.described["requestBody"]["content"]["application/json"]["schema"]
            assert '"default"' not in json.dumps(body), each.name
