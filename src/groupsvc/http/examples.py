"""What the documents fill in: on the demo institution it can be executed as it stands."""

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any, Final, NamedTuple

from groupsvc.http.documents import Document, operations

NOTHING: Final[Mapping[str, Any]] = MappingProxyType({})
_FORMS: Final = ("application/x-www-form-urlencoded", "multipart/form-data")
# What is filled in is text, which a workbook is not.
_WORKBOOKS: Final = "application/vnd.openxmlformats"


class Example(NamedTuple):
    """Of one operation; ``parameters`` are those that are not as everywhere."""

    body: Any = None
    parameters: Mapping[str, Any] = NOTHING


def at(body: Any = None, **parameters: Any) -> Example:
    """The body of an operation, and where it goes."""
    return Example(body, parameters)


def fill_in(
    usual: Mapping[str, Any], own: Mapping[str, Example | None], *, parameters: bool
) -> Callable[[Document], None]:
    """An edit that adds examples: ``usual`` by parameter, ``own`` by operation.

    What removes something is for whoever types its name: operations with None, and DELETE unless
    it is named. Nor are there ``parameters`` where the rows of others are.
    """

    def edit(document: Document) -> None:
        for method, operation in operations(document):
            name = operation["operationId"]
            unnamed = None if method == "delete" else Example()
            found = own.get(name, own.get(name.removesuffix("_in_department"), unnamed))
            if found is None:
                continue
            if parameters:
                _fill_parameters(operation, {**usual, **found.parameters})
            if found.body is not None:
                _fill_body(operation["requestBody"]["content"], found.body)

    return edit


def _fill_parameters(operation: dict[str, Any], values: Mapping[str, Any]) -> None:
    for parameter in operation.get("parameters", ()):
        if parameter["in"] != "header" and parameter["name"] in values:
            parameter["example"] = values[parameter["name"]]


def _fill_body(content: dict[str, Any], body: Any) -> None:
    for media_type, described in content.items():
        if media_type.startswith(_WORKBOOKS):
            continue
        described["example"] = body
        if media_type in _FORMS:
            # Swagger UI shows a field for each, and looks for its value here.
            properties = described["schema"]["properties"]
            described["schema"] = {
                **described["schema"],
                "properties": {
                    name: {**schema, "example": body[name]} if name in body else schema
                    for name, schema in properties.items()
                },
            }
