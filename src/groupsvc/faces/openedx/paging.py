"""Pages of lists: numbers, sizes, and links to the neighbours."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated, Any, Final
from urllib.parse import parse_qs, quote, urlencode

from fastapi import Depends, Query
from starlette.requests import Request

from groupsvc.faces.openedx.errors import ApiError

DEFAULT: Final = 10
MOST: Final = 100
LAST: Final = "last"
INVALID_PAGE: Final = "Invalid page."
# Beyond this no page is found anyway, and offsets stay small enough for the database.
_FURTHEST: Final = 2**31
_LONGEST: Final = 100  # digits
_UNQUOTED: Final = "/:@&+$,-_.!~*'()"  # what these platforms leave as it is in a path


@dataclass(frozen=True, slots=True)
class PageRequest:
    """``number`` is None for the last page, and 0 for one that cannot be."""

    number: int | None
    size: int

    @property
    def offset(self) -> int:
        return -1 if self.number is None else max(self.number - 1, 0) * self.size

    def found(self, total: int) -> tuple[int, int]:
        """Which page of how many; raises ApiError 404 without it. There is one page of nothing."""
        pages = max(-(-total // self.size), 1)
        number = pages if self.number is None else self.number
        if not 0 < number <= pages:
            raise ApiError(404, INVALID_PAGE)
        return number, pages

    def envelope(self, request: Request, total: int, results: Sequence[Any]) -> dict[str, Any]:
        """Raises ApiError 404."""
        number, pages = self.found(total)
        return {
            "next": _link(request, number + 1) if number < pages else None,
            "previous": _link(request, number - 1) if number > 1 else None,
            "count": total,
            "num_pages": pages,
            "current_page": number,
            "start": (number - 1) * self.size,
            "results": results,
        }


async def _page_request(
    page: Annotated[
        str | None, Query(description="A number from 1, or `last`", examples=["2"])
    ] = None,
    page_size: Annotated[
        str | None, Query(description="1 to 100, otherwise 10", examples=["100"])
    ] = None,
) -> PageRequest:
    size = _number(page_size or "")
    size = min(size, MOST) if size is not None and size > 0 else DEFAULT
    if page == LAST:
        return PageRequest(None, size)
    return PageRequest(min(max(_number(page or "1") or 0, 0), _FURTHEST), size)


PageDep = Annotated[PageRequest, Depends(_page_request)]


def _number(text: str) -> int | None:
    try:
        return int(text) if len(text) <= _LONGEST else None
    except ValueError:
        return None


def _link(request: Request, number: int) -> str:
    """The address of another page: parameters by name, and none for the first page."""
    query = parse_qs(request.url.query, keep_blank_values=True)
    query.pop("page", None)
    if number > 1:
        query["page"] = [str(number)]
    asked = urlencode(sorted(query.items()), doseq=True)
    return f"{_address(request)}?{asked}" if asked else _address(request)


def _address(request: Request) -> str:
    """A gateway that ends TLS says so; any other caller who says so misleads nobody else."""
    forwarded = request.headers.get("x-forwarded-proto", "")
    scheme = forwarded if forwarded in ("http", "https") else request.url.scheme
    return f"{scheme}://{request.url.netloc}{quote(request.scope['path'], safe=_UNQUOTED)}"
