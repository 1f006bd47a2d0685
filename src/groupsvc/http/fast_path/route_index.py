"""Finding the route of a request without trying all of them.

Routes are tried in their order, but only those that answer the method and have as many segments.
"""

from collections import defaultdict
from collections.abc import Iterable
from typing import Any, Final

from starlette.routing import BaseRoute, Route

# Their parameters stay within one segment of a path.
_WITHIN: Final = ("str", "int", "float", "uuid")


class RouteIndex:
    def __init__(self, routes: Iterable[BaseRoute]) -> None:
        known = [route for route in routes if isinstance(route, Route)]
        lengths = {_segments(route) for route in known} | {None}
        found: defaultdict[tuple[str, int | None], list[Route]] = defaultdict(list)
        for route in known:
            own = _segments(route)
            for length in lengths if own is None else {own}:
                for method in route.methods or ():
                    found[method, length].append(route)
        self._found = dict(found)

    def find(self, method: str, path: str) -> tuple[Route, dict[str, Any]] | None:
        """The route and the parameters in the path; None leaves it to the router to say why."""
        length = path.count("/")
        for route in self._found.get((method, length)) or self._found.get((method, None)) or ():
            match = route.path_regex.match(path)
            if match is not None:
                convertors = route.param_convertors
                given = match.groupdict()
                return route, {name: convertors[name].convert(given[name]) for name in given}
        return None


def _segments(route: Route) -> int | None:
    """How many; None when a parameter may have several."""
    within = all(
        type(convertor).__name__.lower().startswith(_WITHIN)
        for convertor in route.param_convertors.values()
    )
    return route.path.count("/") if within else None
