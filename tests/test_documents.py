"""What pages name exists: links, files, targets of make. Decisions have a date and a status, what
is to be read has its length.
"""

import re
from pathlib import Path

import pytest

from groupsvc.import_export.columns import Kind
from groupsvc.import_export.kinds import KINDS

ROOT = Path(__file__).parents[1]
PAGES = [
    *sorted((ROOT / "docs").rglob("*.md")),
    *sorted(ROOT.glob("*.md")),
    ROOT / "benchmarks/README.md",
    ROOT / "findings/README.md",
]
LINK = re.compile(r"\]\((?!\w+:)([^)#]*)(?:#([\w-]+))?\)")
# `core/partitions/service.py`, of the package or of the repository.
NAMED = re.compile(
    r"(?<![\w./@-])((?:src|tests|docs|alembic|benchmarks|findings|\.ci|core|domain|db|auth|http"
    r"|faces|import_export|local|cli|sql)/[\w./-]*\w)"
)
GENERATED = {"benchmarks/results"}
TARGET = re.compile(r"(?:^|`)make ([a-z-]+)", re.MULTILINE)
STATUS = re.compile(r"\d{4}-\d\d-\d\d, (accepted|superseded)\b.*\.")


def anchors(page: Path) -> set[str]:
    titles = re.findall(r"^#+ +(.+?) *$", page.read_text(encoding="utf-8"), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", each.lower()).replace(" ", "-") for each in titles}


def leads_nowhere(page: Path, target: str, anchor: str) -> bool:
    to = page.parent / target if target else page
    return not to.exists() or (bool(anchor) and anchor not in anchors(to))


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_links_and_files_that_a_page_names_exist(page: Path) -> None:
    text = page.read_text(encoding="utf-8")
    links = [link for link in LINK.findall(text) if leads_nowhere(page, *link)]
    without_links = LINK.sub("]", text)
    places = (ROOT, ROOT / "src/groupsvc")
    files = [
        name
        for name in NAMED.findall(without_links)
        if name not in GENERATED and not any((place / name).exists() for place in places)
    ]
    assert (links, files) == ([], [])


def test_targets_of_make_that_pages_name_exist() -> None:
    defined = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    named = {each for page in PAGES for each in TARGET.findall(page.read_text(encoding="utf-8"))}
    assert (named - defined, named != set()) == (set(), True)


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.name)
def test_the_guide_lists_the_columns_of_a_table(kind: Kind) -> None:
    columns = [f"**{name}**" if name in kind.required else name for name in kind.columns]
    line = f"| `{kind.name}` | {', '.join(columns)} |"
    assert line in (ROOT / "docs/api.md").read_text(encoding="utf-8").splitlines()


@pytest.mark.parametrize(
    "page", sorted((ROOT / "docs/decisions").glob("0*.md")), ids=lambda page: page.stem
)
def test_a_decision_has_a_date_and_a_status(page: Path) -> None:
    title, _, status, *_ = page.read_text(encoding="utf-8").splitlines()
    assert title.startswith(f"# {int(page.stem[:4])}. ")
    assert STATUS.fullmatch(status)


GUIDE = ROOT / "docs/README.md"
# A row of it: the first link of a cell is what is to be read, the last cell how long it takes.
TO_READ = re.compile(
    r"^\|.*\| \[[^]]*\]\(([^)#]+(?:\.md|decisions/))[^)]*\).*\| (\d+) \|$", re.MULTILINE
)


@pytest.mark.parametrize(("place", "minutes"), TO_READ.findall(GUIDE.read_text(encoding="utf-8")))
def test_what_is_to_be_read_takes_about_as_long_as_it_says(place: str, minutes: str) -> None:
    path = GUIDE.parent / place
    pages = [path] if path.is_file() else sorted(path.glob("*.md"))
    words = [
        word
        for page in pages
        for word in page.read_text(encoding="utf-8").split()
        if re.search(r"\w", word)
    ]
    assert int(minutes) == pytest.approx(len(words) / 200, rel=0.25, abs=2)


HIM = re.compile(r"\b(?:s?he|(?:him|her)(?:self)?|his|hers)\b")


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_persons_are_they(page: Path) -> None:
    assert HIM.findall(page.read_text(encoding="utf-8")) == []


@pytest.mark.parametrize("room", ["src", "benchmarks"])
def test_persons_are_they_in_what_the_code_says(room: str) -> None:
    sources = (path for path in (ROOT / room).rglob("*") if path.suffix in {".py", ".sql"})
    found = [
        f"{path.relative_to(ROOT)}: {line.strip()}"
        for path in sorted(sources)
        for line in path.read_text(encoding="utf-8").splitlines()
        if HIM.search(line)
    ]
    assert found == []
