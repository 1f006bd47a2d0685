"""Whether those who were known once still are, looked up for many at a time."""

from collections.abc import Iterable, Mapping, Sequence
from itertools import islice
from typing import Final, Protocol
from uuid import UUID

from groupsvc.core.accounts.authentication import Authenticator, Standing
from groupsvc.core.unit_of_work import TransactionRunner, UnitOfWork

AT_ONCE: Final = 500  # tokens


class Bearer(Protocol):
    """Somebody who stays. ``standing`` is None before it is known, and when the token has ended."""

    token: str
    standing: Standing | None


class Standings:
    def __init__(self, units: TransactionRunner, authenticator: Authenticator) -> None:
        self._units, self._authenticator = units, authenticator

    async def renew(self, bearers: Sequence[Bearer], version: UUID) -> None:
        """Look up those that are not of that version of what tokens stand for, or are too old."""
        is_due = self._authenticator.is_due
        due = [each for each in bearers if each.standing is None or is_due(each.standing, version)]
        tokens = iter({each.token for each in due})
        found: dict[str, Standing] = {}
        while some := list(islice(tokens, AT_ONCE)):
            found |= await self._look_up(some)
        for each in due:
            each.standing = found.get(each.token)

    async def _look_up(self, tokens: Iterable[str]) -> Mapping[str, Standing]:
        wanted = frozenset(tokens)

        async def read(uow: UnitOfWork) -> Mapping[str, Standing]:
            return await self._authenticator.standings(uow, wanted)

        return await self._units.run("live", read, reading=True)
