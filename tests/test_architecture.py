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
CODES = {"default_partition", "kind_taken", "tracks_partition", "reserved_name"}

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
    assert len(rows()) == 36


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
        found |= {name} & (REFUSALS | {"ForbiddenError"})
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
        path.relative_to(PACKAGE).as_posix(): made
        for path in PACKAGE.rglob("*.py")
        if (made := makes_refusals(path))
    }
    assert makers.pop("domain/rules.py") == REFUSALS | CODES
    assert makers == {"domain/principal.py": {"ForbiddenError"}}


def test_the_refusals_are_those_of_the_tree() -> None:
    made = {
        type(refusal).__name__
        for refusal in (
            rules.course_locked(),
            rules.not_editable(),
            rules.group_full(),
            rules.not_enrolled(),
            rules.name_taken("a group of the partition has this name"),
            rules.last_random(),
        )
    }
    assert made == REFUSALS
    assert all(issubclass(getattr(errors, name), errors.ConflictError) for name in REFUSALS)


# What the other systems call things. Their faces translate; the rest of the code has our words.
DIALECT_WORDS = re.compile(
    r"bul_show|edt_id|parcours|etud|formsemestre|inscription|(?-i:\bSco[A-Z])|scodoc|scolog|trombino"
    r"|openedx|open edx|\bedx\b|\blearners?\b|learners?_|cohort_name|user_partition_id"
    r"|changeGroup|EtudChange|ScoView",
    re.IGNORECASE,
)
DIALECT_FREE = ("core", "domain", "db", "sql", "auth", "import_export", "http")
# What the files of other systems call things, on their way in and out.
FOREIGN = {"import_export/foreign/formats.py", "import_export/shapes/declared.py"}
CITATION = re.compile(r"docs/compat/\w+\.md")


@pytest.mark.parametrize("room", DIALECT_FREE)
def test_no_dialect_word_outside_its_face(room: str) -> None:
    found = [
        f"{path.relative_to(PACKAGE)}:{number}: {line.strip()}"
        for path in sorted((PACKAGE / room).rglob("*"))
        if path.suffix in {".py", ".sql"} and path.relative_to(PACKAGE).as_posix() not in FOREIGN
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1)
        if DIALECT_WORDS.search(CITATION.sub("", line))
    ]
    assert not found


@pytest.mark.parametrize(
    ("face", "words"),
    [
        ("scodoc", r"openedx|open edx|\bedx\b|\blearner"),
        ("openedx", r"scodoc|formsemestre|etud|parcours|bul_show"),
    ],
)
def test_no_face_speaks_the_words_of_another(face: str, words: str) -> None:
    texts = [p.read_text(encoding="utf-8") for p in (PACKAGE / "faces" / face).rglob("*.py")]
    assert not [found for text in texts for found in re.findall(words, text, re.IGNORECASE)]
