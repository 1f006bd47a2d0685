"""Pages of lists: numbers, sizes, and links to the neighbours."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated, Any, Final
from urllib.parse import parse_qs, quote, urlencode

from fastapi import Query
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

Page = Annotated[str | None, Query(description="A number from 1, or `last`", examples=["2"])]
PageSize = Annotated[str | None, Query(description="1 to 100, otherwise 10", examples=["100"])]


@dataclass(frozen=True, slots=True)
class Wanted:
    """``number`` is None for the last page."""

    number: int | None
    size: int

    @property
    def offset(self) -> int:
        return -1 if self.number is None else (self.number - 1) * self.size

    def found(self, total: int) -> "Found":
        """Raises ApiError 404 beyond the last page. There is one page of nothing."""
        pages = max(-(-total // self.size), 1)
        number = pages if self.number is None else self.number
        if number > pages:
            raise ApiError(404, INVALID_PAGE)
        return Found(number, pages, self.size, total)


@dataclass(frozen=True, slots=True)
class Found:
    number: int
    pages: int
    size: int
    total: int

    def envelope(self, request: Request, results: Sequence[Any]) -> dict[str, Any]:
        return {
            "next": _link(request, self.number + 1) if self.number < self.pages else None,
            "previous": _link(request, self.number - 1) if self.number > 1 else None,
            "count": self.total,
            "num_pages": self.pages,
            "current_page": self.number,
            "start": (self.number - 1) * self.size,
            "results": results,
        }


def wanted_page(page: str | None, page_size: str | None) -> Wanted | None:
    """The page that is asked for; None when there can be no such page."""
    size = _number(page_size or "")
    size = min(size, MOST) if size is not None and size > 0 else DEFAULT
    if page == LAST:
        return Wanted(None, size)
    number = _number(page or "1")
    return Wanted(min(number, _FURTHEST), size) if number is not None and number > 0 else None


def no_page() -> ApiError:
    return ApiError(404, INVALID_PAGE)


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
    """A gateway that ends TLS says so; whoever else says so misleads himself alone."""
    forwarded = request.headers.get("x-forwarded-proto", "")
    scheme = forwarded if forwarded in ("http", "https") else request.url.scheme
    return f"{scheme}://{request.url.netloc}{quote(request.scope['path'], safe=_UNQUOTED)}"
