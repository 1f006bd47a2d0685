"""docs/compat: what it names exists, each row says which test shows it, and sources cite it right.

A table needs no tests under the heading "Words", which translates and claims nothing.
"""

import ast
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import NamedTuple

import pytest

ROOT = Path(__file__).parents[1]
COMPAT = ROOT / "docs" / "compat"
DOCUMENTS = sorted(COMPAT.glob("*.md"))

TEST = re.compile(r"\b(tests/[\w/]+\.py)(?:::(\w+))?")
HEADING = re.compile(r"^#+ +(.+?) *$", re.MULTILINE)
LINK = re.compile(r"\]\(#([^)]*)\)")
# docs/compat/x.md, docs/compat/x.md#order-of-checks, docs/compat/x.md, "Order of checks"
CITATION = re.compile(r'docs/compat/([\w.-]*\w)(?:#([\w-]+)|,? (?:section )?"([^"]+)")?')


class Row(NamedTuple):
    heading: str
    columns: list[str]
    cells: list[str]


class Citation(NamedTuple):
    document: str
    anchor: str
    title: str


@cache
def defined_tests(path: str) -> frozenset[str]:
    tree = ast.parse((ROOT / path).read_text(encoding="utf-8"))
    functions = (ast.FunctionDef, ast.AsyncFunctionDef)
    return frozenset(
        each.name
        for each in tree.body
        if isinstance(each, functions) and each.name.startswith("test_")
    )


def cells(line: str) -> list[str]:
    return [each.strip() for each in line.strip().strip("|").split("|")]


def rows(text: str) -> Iterator[Row]:
    """The rows of all tables, headers and rulers left out."""
    heading, columns = "", list[str]()
    for line in text.splitlines():
        if not line.startswith("|"):
            columns = []
            heading = line.lstrip("# ") if line.startswith("#") else heading
        elif not columns:
            columns = cells(line)
        elif not set(line) <= set("|-: "):
            yield Row(heading, columns, cells(line))


def anchor_of(title: str) -> str:
    """As hosts of Markdown make it: lower case, spaces to hyphens, other signs dropped."""
    return re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-")


def titles(document: str) -> list[str]:
    path = COMPAT / document
    return HEADING.findall(path.read_text(encoding="utf-8")) if path.is_file() else []


def citations() -> Iterator[Citation]:
    """What sources cite, lines joined: a docstring may break where it likes."""
    for path in sorted((ROOT / "src").rglob("*")):
        if path.suffix in {".py", ".sql"}:
            text = re.sub(r"\n\s*(?:# |-- )?", " ", path.read_text(encoding="utf-8"))
            yield from (Citation(*each) for each in CITATION.findall(text))


def is_there(cited: Citation) -> bool:
    found = titles(cited.document)
    if cited.title:
        return cited.title in found
    return not cited.anchor or cited.anchor in map(anchor_of, found)


def test_there_are_documents() -> None:
    assert [path.name for path in DOCUMENTS] == ["openedx.md", "scodoc.md"]


@pytest.mark.parametrize(
    "document", [*DOCUMENTS, ROOT / "docs" / "fast-path.md"], ids=lambda path: path.name
)
def test_every_test_that_is_named_exists(document: Path) -> None:
    named = TEST.findall(document.read_text(encoding="utf-8"))
    missing = [
        f"{path}::{name}"
        for path, name in named
        if not (ROOT / path).is_file() or (name and name not in defined_tests(path))
    ]
    assert (missing, named != []) == ([], True)


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.name)
def test_every_row_names_a_test(document: Path) -> None:
    found = [each for each in rows(document.read_text(encoding="utf-8")) if each.heading != "Words"]
    silent = [
        each
        for each in found
        if len(each.cells) != len(each.columns)
        or not any(name for _, name in TEST.findall(each.cells[-1]))
    ]
    assert (silent, found != []) == ([], True)


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.name)
def test_headings_can_be_linked_and_links_lead_to_one(document: Path) -> None:
    text = document.read_text(encoding="utf-8")
    anchors = [anchor_of(each) for each in titles(document.name)]
    assert len(set(anchors)) == len(anchors)
    assert set(LINK.findall(text)) <= set(anchors)


def test_sources_cite_headings_that_exist() -> None:
    cited = set(citations())
    assert [each for each in cited if each.document.removesuffix(".md") == each.document] == []
    assert [each for each in cited if not (COMPAT / each.document).is_file()] == []
    assert [each for each in cited if not is_there(each)] == []
