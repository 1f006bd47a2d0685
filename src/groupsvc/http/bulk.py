"""Which paths may bring much and take long, as their routes declare it."""

import re
from collections.abc import Callable, Iterable, Iterator

from starlette.routing import BaseRoute, Mount

from groupsvc.http.routing import TransactionalRoute

_NAME = re.compile(r"\?P<\w+>")


def bulk_paths(routes: Iterable[BaseRoute]) -> Callable[[str], bool]:
    """Whether a path is that of a route that is declared ``bulk``, of whatever method."""
    matches = re.compile("|".join(dict.fromkeys(_patterns(routes, "")))).fullmatch
    return lambda path: matches(path) is not None


def _patterns(routes: Iterable[BaseRoute], prefix: str) -> Iterator[str]:
    for route in routes:
        if isinstance(route, Mount):
            yield from _patterns(route.routes, prefix + re.escape(route.path))
        elif isinstance(route, TransactionalRoute) and route.bulk:
            # A name may be used once in a pattern; both spellings of an address are one.
            own = _NAME.sub("?:", route.path_regex.pattern).removeprefix("^").removesuffix("$")
            yield f"{prefix}{own.removesuffix('/')}/?"
