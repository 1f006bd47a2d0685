"""Course keys in addresses: which texts match a route, and which of them parse.

A key is one variable of the path that may contain slashes. What fits the routes need not be a key.
"""

import re
from typing import Annotated, Final

from fastapi import Path
from starlette.convertors import Convertor, register_url_convertor

_ID: Final = r"[\w\-~.:]+"
_DEPRECATED_ID: Final = r"[\w\-~.:%]+"
_KEYS: Final = re.compile(
    rf"course-v1:{_ID}\+{_ID}\+{_ID}"
    rf"|ccx-v1:{_ID}\+{_ID}\+{_ID}\+ccx@[0-9]+"
    rf"|{_DEPRECATED_ID}/{_DEPRECATED_ID}/{_DEPRECATED_ID}"
)
LONGEST: Final = 255


class _CourseKey(Convertor[str]):
    regex = r"[^/+]+(?:/|\+)[^/+]+(?:/|\+)[^/?]+"

    def convert(self, value: str) -> str:
        return value

    def to_string(self, value: str) -> str:
        return value


class _Rest(_CourseKey):
    """The rest of a path, if there is any."""

    regex = r".+"


register_url_convertor("course_key", _CourseKey())
register_url_convertor("rest", _Rest())

Key = Annotated[
    str,
    Path(
        description="Course key; its slashes may be encoded or not",
        examples=["course-v1:Sorbonne+MATH101+2026"],
    ),
]
CohortId = Annotated[int, Path(description="Id of a cohort of the course")]
Segment = Annotated[str, Path(description="Username")]
Username = Annotated[str, Path(description="The rest of the path, slashes included")]


def is_course_key(text: str) -> bool:
    return len(text) <= LONGEST and _KEYS.fullmatch(text) is not None
