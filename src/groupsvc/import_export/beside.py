"""What is said beside a file: what its columns do not tell, and which of them mean what."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Final

from groupsvc.domain.errors import InvalidError
from groupsvc.import_export.foreign.formats import BY_NAME
from groupsvc.import_export.foreign.oneroster import NAME as ONEROSTER
from groupsvc.import_export.foreign.oneroster import TITLE as ONEROSTER_TITLE
from groupsvc.import_export.kinds import KINDS
from groupsvc.import_export.tables import Form

_NEXT: Final = re.compile(r",(?=\s*\w+\s*=)")
# The columns that are filled in every row that has none of them.
FILLED: Final = {"course_key": "course", "partition": "partition", "department": "department"}


@dataclass(frozen=True, slots=True)
class Beside:
    """``columns`` are the names in the file by ours. ``enroll`` has lists of groups bring the
    persons in them as well."""

    course: str | None = None
    partition: str | None = None
    department: str | None = None
    columns: Mapping[str, str] = field(default_factory=dict[str, str])
    format: str | None = None
    enroll: bool = False

    def refuse_for_bundle(self, form: Form) -> None:
        """Raises InvalidError for what means nothing where files refer to one another."""
        said = {
            "course": self.course,
            "partition": self.partition,
            "map": self.columns,
            "columns": form.columns,
            "sheet": form.sheet,
            "enroll": self.enroll,
        }
        for name in (name for name, value in said.items() if value):
            raise _invalid(name, f"means nothing for {ONEROSTER_TITLE}")
        if self.format not in (None, ONEROSTER):
            raise _invalid("format", f"means nothing for {ONEROSTER_TITLE}")

    def refuse_for_other_files(self) -> None:
        if self.format == ONEROSTER:
            raise _invalid("format", f"is {ONEROSTER_TITLE}, which this is not")

    def fills(self) -> dict[str, str]:
        """The values of our columns that are said for all rows."""
        said = {column: getattr(self, name) for column, name in FILLED.items()}
        return {column: value for column, value in said.items() if value}

    def form(self, form: Form) -> Form:
        """How a file is read whose format has no header."""
        headless = BY_NAME[self.format].headless if self.format in BY_NAME else ()
        return replace(form, columns=headless) if headless and not form.columns else form


NOTHING_BESIDE: Final = Beside()


def column_map(given: Iterable[str]) -> dict[str, str]:
    """``email=Mail,group=Section`` or one such pair each. Raises InvalidError."""
    known = dict.fromkeys(name for kind in KINDS for name in kind.columns)
    found: dict[str, str] = {}
    for pair in (pair for text in given for pair in _NEXT.split(text) if pair.strip()):
        name, equals, header = (part.strip() for part in pair.partition("="))
        if not (equals and header):
            raise _invalid("map", "is written as ours=THEIRS, with commas between")
        if name not in known:
            raise _invalid("map", f"has {name}, which is none of {', '.join(known)}")
        found[name] = header
    return found


def column_names(text: str) -> tuple[str, ...]:
    """Names of the columns of a file without a header. One that is empty is not read."""
    return tuple(name.strip() for name in text.split(",")) if text.strip() else ()


def known_format(name: str | None) -> str | None:
    """Raises InvalidError for the name of no format."""
    known = (*BY_NAME, ONEROSTER)
    if name and name not in known:
        raise _invalid("format", f"is none of {', '.join(known)}")
    return name or None


def _invalid(name: str, what: str) -> InvalidError:
    return InvalidError(f"{name} {what}", code=f"invalid_{name}", pointer=name)
