"""The table of rules in the documentation leads to what it names, and each rule is decided once."""

import ast
import re
from pathlib import Path

import pytest

from groupsvc.domain import errors, rules
from tests.conftest import SQL

ROOT = Path(__file__).parents[1]
PACKAGE = ROOT / "src/groupsvc"
TABLE = re.compile(r"^\| ([^|]+) \| ([^|]+) \| ([^|]+) \| ([^|]+) \|$", re.MULTILINE)

# Refusals of rules that Python decides: made in one module, wherever they are raised.
REFUSALS = {
    "LockedError",
    "NotEditableError",
    "NameTakenError",
    "FullError",
    "NotEnrolledError",
    "LastRandomCohortError",
}
CODES = {"default_partition", "kind_taken", "tracks_partition"}

ENFORCERS = """
    SELECT conname FROM pg_constraint
    UNION SELECT proname FROM pg_proc WHERE pronamespace = 'public'::regnamespace
    UNION SELECT tgname FROM pg_trigger
    UNION SELECT relname FROM pg_class WHERE relkind = 'i'
"""


def rows() -> list[tuple[str, str, str, str]]:
    text = (ROOT / "docs/architecture.md").read_text(encoding="utf-8")
    _, table = text.split("## Where is the rule that ...?")
    found = [tuple(cell.strip().strip("`") for cell in row) for row in TABLE.findall(table)]
    return [row for row in found if len(row) == 4 and row[0] != "rule" and row[0] != "---"]


def defined(path: Path) -> set[str]:
    names = set[str]()
    for node in ast.parse(path.read_text(encoding="utf-8")).body:
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
            names.add(node.name)
        if isinstance(node, ast.ClassDef):
            names |= {
                f"{node.name}.{each.name}"
                for each in node.body
                if isinstance(each, (ast.FunctionDef, ast.AsyncFunctionDef))
            }
    return names


def test_the_table_has_the_rules_of_the_domain() -> None:
    assert len(rows()) == 18


@pytest.mark.parametrize("row", rows(), ids=lambda row: row[0])
async def test_what_the_table_names_exists(row: tuple[str, str, str, str], sql: SQL) -> None:
    _, decided, enforced, test = row
    if decided != "-":
        module, _, name = decided.partition(": ")
        assert name in defined(PACKAGE / module)
    if enforced != "-":
        assert enforced in {each for (each,) in await sql(ENFORCERS)}
    path, _, name = test.partition("::")
    assert name in defined(ROOT / path)


def makes_refusals(path: Path) -> set[str]:
    """Refusals that a module makes, by the name of their class or by their code."""
    found = set[str]()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if not isinstance(node, ast.Call):
            continue
        name = node.func.attr if isinstance(node.func, ast.Attribute) else ast.unparse(node.func)
        found |= {name} & REFUSALS
        found |= {
            word.value.value
            for word in node.keywords
            if word.arg == "code"
            and isinstance(word.value, ast.Constant)
            and word.value.value in CODES
        }
    return found


def test_only_one_module_makes_the_refusals_of_rules() -> None:
    makers = {
        str(path.relative_to(PACKAGE)): made
        for path in PACKAGE.rglob("*.py")
        if (made := makes_refusals(path))
    }
    assert makers == {"domain/rules.py": REFUSALS | CODES}


def test_the_refusals_are_those_of_the_tree() -> None:
    made = {
        type(refusal).__name__
        for refusal in (
            rules.course_locked(),
            rules.not_editable(),
            rules.group_full(),
            rules.not_enrolled(),
            rules.name_taken("a group of the partition has this name"),
        )
    }
    assert made | {"LastRandomCohortError"} == REFUSALS
    assert all(issubclass(getattr(errors, name), errors.ConflictError) for name in REFUSALS)
