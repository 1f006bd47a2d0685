"""Users: the people of the roster."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any, Final

from groupsvc.core.repository import Repository, scope_parameters
from groupsvc.core.users.records import Candidate, Person, Sought
from groupsvc.core.users.search import Search
from groupsvc.db.statements import SqlFile
from groupsvc.domain.json_resource import JsonResource, Page
from groupsvc.domain.principal import GrantScope

SQL: Final = SqlFile(__file__)


@dataclass(frozen=True, slots=True)
class LockedUser:
    """A user whom nobody else changes until the transaction ends, in sight of the caller or not."""

    id: int
    username: str
    family_name: str
    given_name: str
    department: str | None
    in_sight: bool


class UserRepository(Repository):
    async def read(self, user_id: int, scope: GrantScope) -> JsonResource[dict[str, Any]] | None:
        """A user in scope; the place of one without a department is ``""``."""
        return await self._document(SQL.read, id=user_id, username=None, **scope_parameters(scope))

    async def read_name(
        self, username: str, scope: GrantScope
    ) -> JsonResource[dict[str, Any]] | None:
        return await self._document(SQL.read, id=None, username=username, **scope_parameters(scope))

    async def seen(self, user_ids: Collection[int], scope: GrantScope) -> Collection[int]:
        """Those of some users who are in scope, members of its cohorts included."""
        if scope.everywhere or not user_ids:
            return user_ids
        row: Any = await self._row(
            SQL.seen,
            user_ids=list(user_ids),
            departments=list(scope.departments),
            courses=list(scope.courses),
        )
        return frozenset[int](row.ids or ())

    async def page(
        self,
        scope: GrantScope,
        *,
        search: Search,
        department: str | None,
        after: tuple[str, int] = ("", 0),
        limit: int,
    ) -> Page:
        """Users within scope, by name."""
        parameters = scope_parameters(scope)
        if search.text is not None:
            parameters |= {"names": search.names, "identifiers": search.identifiers}
        return await self._page(
            SQL.page if search.text is None else SQL.found_page,
            limit=limit,
            key=("sort_key", "id"),
            after_key=after[0],
            after=after[1],
            department=department,
            **parameters,
        )

    async def identify(
        self,
        named: Collection[tuple[str, str | None]],
        *,
        by_number: bool = True,
        with_retired: bool = True,
        any_case: bool = False,
    ) -> dict[tuple[str, str | None], Person]:
        """Who is meant by a text: a username, else an e-mail address, else a number.

        With ``any_case`` a username is meant in any case of ASCII letters, unless several are.
        ``named`` are pairs of a text and the department that decides among several users of one
        number. Texts that mean nobody, or several users none of whom is of the department, are
        left out.
        """
        rows = await self._rows(
            SQL.identify,
            identifiers=[identifier for identifier, _ in named],
            departments=[department for _, department in named],
            by_number=by_number,
            with_retired=with_retired,
            any_case=any_case,
        )
        return {
            (identifier, department): Person(user_id, username, email)
            for identifier, department, user_id, username, email in rows
        }

    async def by_username(self, usernames: Collection[str]) -> dict[str, Person]:
        """Those who are called exactly so, retired or not."""
        rows = await self._rows(SQL.by_username, usernames=list(usernames))
        return {username: Person(user_id, username, email) for user_id, username, email in rows}

    async def candidates(self, sought: Collection[Sought]) -> dict[Sought, list[Candidate]]:
        """Users who may be meant by a name, or have a number that one may stand for."""
        given = [
            (each, each.name if nth == 0 else None, number)
            for each in sought
            for nth, number in enumerate(each.numbers or (None,))
        ]
        rows = await self._rows(
            SQL.candidates,
            names=[name for _, name, _ in given],
            lows=[number.low if number is not None else None for *_, number in given],
            highs=[number.high if number is not None else None for *_, number in given],
        )
        found: dict[Sought, list[Candidate]] = {}
        for row in rows:
            person = Person(row.id, row.username, row.email)
            candidate = Candidate(
                person, row.department, row.student_number, row.national_number, row.former
            )
            found.setdefault(given[int(row.place) - 1][0], []).append(candidate)
        return found

    async def get_for_update(self, user_id: int, scope: GrantScope) -> LockedUser | None:
        return await self._lock(scope, id=user_id, username=None)

    async def get_named_for_update(self, username: str, scope: GrantScope) -> LockedUser | None:
        return await self._lock(scope, id=None, username=username)

    async def _lock(self, scope: GrantScope, **named: Any) -> LockedUser | None:
        row = await self._row(SQL.lock, **named, **scope_parameters(scope))
        return LockedUser(**row._asdict()) if row is not None else None

    async def create(self, values: Mapping[str, Any]) -> int | None:
        """The id of the new user; None when somebody else has just taken the username."""
        row = await self._row(SQL.create, **values)
        return row.id if row is not None else None

    async def update(self, user_id: int, values: Mapping[str, Any]) -> None:
        """Write what differs; nothing at all when nothing does."""
        await self._patch(SQL.update, values, id=user_id)

    async def set_external_ids(self, user_id: int, ids: Mapping[str, str | None]) -> None:
        """Write the ids by which other systems know a user, by system; None takes one away."""
        await self._rows(
            SQL.set_external_ids, id=user_id, systems=list(ids), external_ids=list(ids.values())
        )

    async def delete(self, user_id: int) -> None:
        """The memberships and enrollments go too, each with its line in the log."""
        await self._rows(SQL.delete, id=user_id)
