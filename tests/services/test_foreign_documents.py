"""The tables of the page about files of other systems are those that are declared."""

from pathlib import Path

from groupsvc.import_export.columns import plain
from groupsvc.import_export.foreign.format import Format
from groupsvc.import_export.foreign.formats import FORMATS
from groupsvc.import_export.foreign.oneroster import FILES, NAME, TITLE
from groupsvc.import_export.kinds import KINDS

PAGE = Path(__file__).parents[2] / "docs" / "files.md"


def _row(each: Format) -> str:
    told = ", ".join(" or ".join(names) for names in each.tells)
    brought = [
        f"{part.kind.name} (with `--enroll`)" if part.enrolls else part.kind.name
        for part in each.parts
    ]
    return f"| `{each.name}` | {each.title} | {told} | {', '.join(brought)} |"


def _aliases() -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for kind in KINDS:
        for column in kind.declared:
            found.setdefault(column.name, []).extend(column.aliases)
    return {name: list(dict.fromkeys(aliases)) for name, aliases in found.items() if aliases}


FORMAT_ROWS = [_row(each) for each in FORMATS]
ALIAS_ROWS = [f"| `{name}` | {', '.join(aliases)} |" for name, aliases in _aliases().items()]


def rows_below(heading: str) -> list[str]:
    section = PAGE.read_text(encoding="utf-8").split(f"\n## {heading}\n")[1].split("\n## ")[0]
    return [line for line in section.splitlines() if line.startswith("| ")][2:]


def test_every_format_has_its_row() -> None:
    files = " and ".join(FILES)
    bundle = f"| `{NAME}` | {TITLE} | {files} | courses, roster, roles |"
    assert rows_below("Formats") == [*FORMAT_ROWS, bundle]


def test_every_other_name_of_a_column_is_in_one_row() -> None:
    assert rows_below("Other names of columns") == ALIAS_ROWS


def test_names_that_differ_in_spelling_alone_are_not_listed() -> None:
    for name, aliases in _aliases().items():
        spelled = [plain(each) for each in (name, *aliases)]
        assert len(set(spelled)) == len(spelled), name
