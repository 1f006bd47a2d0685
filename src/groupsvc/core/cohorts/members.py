"""Members of cohorts: add many at once, remove, leave."""

from collections.abc import Iterable, Mapping, Sequence

from groupsvc.core.cohorts.add_result import Additions, looked_up, sort_out
from groupsvc.core.cohorts.records import CohortPlace, FoundCohort
from groupsvc.core.cohorts.sets import CohortSetService, unknown_cohort
from groupsvc.core.memberships.repository import Entry, MembershipChange
from groupsvc.core.service import Service
from groupsvc.core.unit_of_work import UnitOfWork
from groupsvc.core.users.records import Person
from groupsvc.domain.errors import ConflictError, NotFoundError
from groupsvc.domain.principal import Permission


class CohortMemberService(Service):
    """Raises what CohortSetService raises, and LockedError."""

    @property
    def _sets(self) -> CohortSetService:
        return CohortSetService(self._uow, self._principal)

    async def add(self, found: FoundCohort, identifiers: Sequence[object]) -> Additions:
        """Put users into a cohort, out of any other, and let unknown addresses wait in it.

        In a number of statements that does not depend on how many there are. The cohort has been
        opened; one that is full refuses those for whom there is no place.
        """
        assert found.cohort is not None
        assert found.place.partition_id is not None
        cohort_id = found.cohort.id
        people = await self.resolve(identifiers)
        wanted = list(dict.fromkeys(person.id for person in people.values()))
        refused = await self._refused(found, wanted)
        course_id, partition_id = found.place.course_id, found.place.partition_id
        entries: Mapping[int, Entry] = {}
        if len(refused) < len(wanted):
            entries = await self._uow.memberships.assign_many(
                [
                    (course_id, partition_id, user_id)
                    for user_id in wanted
                    if user_id not in refused
                ],
                [cohort_id] * (len(wanted) - len(refused)),
            )
        additions = sort_out(identifiers, people, entries, refused)
        if additions.preassigned:
            waiting = [(address, cohort_id) for address in additions.preassigned]
            await self._uow.cohort_members.expect(course_id, partition_id, waiting)
        return additions

    async def get_editable(self, key: str, cohort_id: int) -> FoundCohort:
        """Hold the course of a cohort whose members may be changed."""
        await self._uow.begin()
        found = await self._sets.find(key, cohort_id, hold=True)
        self._sets.require_writer(found.place)
        if found.cohort is None:
            unknown_cohort()
        self._refuse_if_locked(found.place.is_locked)
        return found

    async def resolve(self, identifiers: Iterable[object]) -> dict[str, Person]:
        """Whom usernames and addresses mean, in their order, by what they were looked up as."""
        sought = [each for each in dict.fromkeys(map(looked_up, identifiers)) if each is not None]
        if not sought:
            return {}
        found = await meant_by(self._uow, sought)
        return {each: found[each] for each in sought if each in found}

    async def _refused(self, found: FoundCohort, user_ids: Sequence[int]) -> set[int]:
        """Those for whom a cohort has no place; the others' places are held for them."""
        if found.capacity is None or not user_ids or found.cohort is None:
            return set()
        course_id, partition_id = found.place.course_id, found.place.partition_id or 0
        room = await self._uow.memberships.room(course_id, partition_id)
        standing = await self._uow.memberships.standing(course_id, partition_id, user_ids)
        newcomers = [
            each
            for each in user_ids
            if each not in standing or standing[each].group_id != found.cohort.id
        ]
        free = max(found.capacity - room[found.cohort.id].taken, 0)
        return set(newcomers[free:])

    async def remove(self, key: str, cohort_id: int, username: str) -> None:
        """Take a user out of this very cohort.

        Raises NotFoundError with code ``unknown_user`` for anything but an exact username, and
        ConflictError with code ``not_a_member``.
        """
        found = await self._sets.find(key, cohort_id)
        self._sets.require_writer(found.place)
        if found.cohort is None:
            unknown_cohort()
        person = await self._named(username)
        scope = self._principal.scope(Permission.GROUPS_WRITE)
        outcome = await self._uow.memberships.remove(person.id, scope, group_id=found.cohort.id)
        if not self._removed(outcome):
            raise ConflictError("the user is not in this cohort", code="not_a_member")

    async def leave(self, place: CohortPlace, username: str) -> None:
        """Take a user out of whatever cohort of the course he is in, if he is in any.

        Raises NotFoundError with code ``unknown_user``.
        """
        self._sets.require_writer(place)
        person = await self._named(username)
        if place.partition_id is not None:
            scope = self._principal.scope(Permission.GROUPS_WRITE)
            self._removed(
                await self._uow.memberships.remove(
                    person.id, scope, partition_id=place.partition_id
                )
            )

    async def _named(self, username: str) -> Person:
        person = (await self.resolve([username])).get(username)
        if person is None or person.username != username:
            raise NotFoundError("no such user", code="unknown_user")
        return person

    def _removed(self, outcome: MembershipChange | None) -> bool:
        self._refuse_if_locked(outcome is not None and outcome.is_locked)
        return outcome is not None and outcome.changed


async def meant_by(uow: UnitOfWork, identifiers: Iterable[str]) -> dict[str, Person]:
    """Users by username or e-mail address; whoever is retired is not meant any more."""
    found = await uow.users.identify(
        [(each, None) for each in identifiers], by_number=False, with_retired=False
    )
    return {identifier: person for (identifier, _), person in found.items()}
