"""Refusals in the OpenAPI document: what the error shapes make of a status at an address."""

import json
from collections.abc import Mapping
from typing import Any, Final, Literal

from pydantic import BaseModel
from pydantic.json_schema import models_json_schema

from groupsvc.faces.openedx.deprecation import successor
from groupsvc.faces.openedx.errors import COHORTS, shape_of
from groupsvc.faces.openedx.schemas import DetailOut, ErrorOut, PageErrorOut, ProblemOut
from groupsvc.http.documents import Document, headers

WORDS: Final[Mapping[int, str]] = {
    400: "The body or a parameter is not valid, or a rule refuses",
    401: "No token, or one that is not valid",
    403: "Not permitted",
    404: "No such course, cohort, user or page",
    405: "No such method here",
    406: "Only JSON is sent here",
    413: "The body is too large",
    414: "The path or the query is too long",
    415: "The body is of another type, or compressed",
    429: "Too often: wait",
    503: "Not now",
}
_MODELS: Final[tuple[type[BaseModel], ...]] = (ErrorOut, PageErrorOut, DetailOut, ProblemOut)
_REF: Final = "#/components/schemas/{model}"


def refusal(path: str, status: int, *others: type[BaseModel]) -> dict[str, Any]:
    """``path`` is that of the whole service; ``others`` are bodies that the endpoint has too."""
    body, content_type = shape_of(path)(path, status, WORDS[status], None)
    media_type, _, _ = content_type.partition(";")
    if media_type == "text/html":
        schema: dict[str, Any] = {"type": "string"}
    else:
        members = json.loads(body).keys()
        own = next(each for each in _MODELS if members <= each.model_fields.keys())
        refs = [{"$ref": _REF.format(model=each.__name__)} for each in (own, *others)]
        schema = refs[0] if len(refs) == 1 else {"anyOf": refs}
    content = {media_type: {"schema": schema}}
    return {
        "description": WORDS[status],
        "content": content,
        **(headers("Allow") if status == 405 else {}),
    }


def deprecated(path: str) -> dict[str, Any]:
    """The headers of every answer at a path that has a successor."""
    if successor(path.removeprefix(COHORTS)) is None:
        return {}
    return headers("Deprecation", "Link")


def define_models(document: Document) -> None:
    """Define what refusals refer to."""
    models: list[tuple[type[BaseModel], Literal["validation"]]]
    models = [(each, "validation") for each in _MODELS]
    schemas = document.setdefault("components", {}).setdefault("schemas", {})
    schemas |= models_json_schema(models, ref_template=_REF)[1]["$defs"]
