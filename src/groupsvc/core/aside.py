"""Work that would keep other requests waiting if there is much of it."""

import asyncio
from collections.abc import Callable
from typing import Final, ParamSpec, TypeVar

P = ParamSpec("P")
T = TypeVar("T")

# Items, above which a thread costs less than the others' waiting.
MUCH: Final = 2_000


async def aside(size: int, work: Callable[P, T], *args: P.args, **options: P.kwargs) -> T:
    """Do it in a thread when it is about many items."""
    if size <= MUCH:
        return work(*args, **options)
    return await asyncio.to_thread(work, *args, **options)
