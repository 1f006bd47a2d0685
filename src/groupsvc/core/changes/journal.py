"""The change log in the words of another system: the faces declare theirs, see ``app.py``."""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from groupsvc.domain.json_resource import Page

Change = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Journal:
    """``render`` turns a change, one of ``kinds``, into the lines that the system would write.

    ``system`` is the one whose ids of users they have.
    """

    system: str
    kinds: Sequence[str]
    render: Callable[[Change], Sequence[dict[str, Any]]]

    def translate(self, page: Page) -> Page:
        """A page of changes to one of lines, which may be more; the key stays."""
        changes = (json.loads(item) for item in page.items)
        lines = [line for change in changes for line in self.render(change)]
        return Page([json.dumps(line, ensure_ascii=False) for line in lines], page.last_key)
