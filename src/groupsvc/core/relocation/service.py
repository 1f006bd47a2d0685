"""Courses move over from another server and keep the ids that they have there.

Decision 14 says how an id never comes to mean two things.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Literal

from groupsvc.core.relocation.records import MovedCourse, MovedPartition, MovedUser
from groupsvc.core.relocation.repository import RelocationRepository
from groupsvc.core.service import Service
from groupsvc.domain import rules
from groupsvc.domain.errors import ConflictError, InvalidError
from groupsvc.domain.names import normalise, sort_key
from groupsvc.domain.principal import Permission

FIRST_OWN_ID = 1_000_000_000  # ids made here start with it
MOST_NAMED = 5  # taken ids in a refusal

UserResult = Literal["created", "known", "corrected", "unchanged", "refused"]


@dataclass(frozen=True, slots=True)
class Moved:
    """What became of a user, and their id here."""

    result: UserResult
    user_id: int


class RelocationService(Service):
    @property
    def _relocation(self) -> RelocationRepository:
        return self._uow.repository(RelocationRepository)

    async def move(self, course: MovedCourse) -> Mapping[int, Moved]:
        """Make what is missing, with its ids, and enroll the users; results by id of the user.

        A department or user who is here already is known by the other id from now on; a user who is
        known by another one already keeps that, and is "refused". What moved over before gets the
        names and numbers that it has there. The course is held, and open from now on. Raises
        ConflictError, before anything is written, when an id is that of something else here, and
        InvalidError for ids that are none to keep.
        """
        self._require(Permission.ADMIN)
        _check_range(course)
        await self._uow.begin()
        await self._relocation.lock()
        held = await self._relocation.hold(course.key)
        everybody = await self._recognise(course)
        users = [*_persons_once(everybody)]
        await self._refuse_taken(course, users)
        if held is not None and held.is_locked:
            await self._relocation.unlock(held.id)
        course = replace(course, partitions=[*map(_tidy, course.partitions)])
        await self._write_course(course)
        await self._write_structure(course)
        results: dict[int, UserResult] = {user.id: "refused" for user in everybody}
        results |= await self._write_users(course, users)
        return {user.id: Moved(results[user.id], user.own_id or user.id) for user in everybody}

    async def _recognise(self, course: MovedCourse) -> list[MovedUser]:
        acronym = course.acronym
        names = [user.username or _default_username(acronym, user.id) for user in course.users]
        found = await self._relocation.recognise(acronym, course.users, names)
        nobody = (None, False)
        return [
            replace(user, own_id=own_id, moved_before=moved_before)
            for user in course.users
            for own_id, moved_before in [found.get(user.id, nobody)]
        ]

    async def _write_course(self, course: MovedCourse) -> None:
        await self._relocation.write_course(course)
        held = await self._relocation.hold(course.key)
        if held is None or held.id != course.id:
            raise _id_taken(f"course {course.id}")

    async def _write_users(
        self, course: MovedCourse, users: Sequence[MovedUser]
    ) -> Mapping[int, UserResult]:
        """For those who are enrolled now."""
        here = [user for user in users if user.own_id is not None]
        known = await self._relocation.know_users(here)
        refused = await self._relocation.known_otherwise(here)
        corrected = await self._relocation.correct_numbers([u for u in here if u.moved_before])
        missing = [user for user in users if user.own_id is None]
        created = await self._create(course.acronym, missing)
        await self._relocation.enroll(course.id, users)
        results: dict[int, UserResult] = {user.id: "unchanged" for user in users}
        results |= {user.id: "corrected" for user in here if user.own_id in corrected}
        results |= dict.fromkeys(known, "known")
        results |= dict.fromkeys(created, "created")
        results |= dict.fromkeys(refused, "refused")
        return results

    async def number_from(self, first: int) -> None:
        """Give what is made next in an empty database other ids than are made here otherwise."""
        self._require(Permission.ADMIN)
        await self._relocation.number_from(first)

    async def _refuse_taken(self, course: MovedCourse, users: Sequence[MovedUser]) -> None:
        taken = await self._relocation.taken(course, users)
        if taken:
            named = ", ".join(f"{each.kind} {each.id}" for each in taken[:MOST_NAMED])
            more = f" and {len(taken) - MOST_NAMED} more" if len(taken) > MOST_NAMED else ""
            raise _id_taken(f"{named}{more}")

    async def _write_structure(self, course: MovedCourse) -> None:
        await self._relocation.write_partitions(course.id, course.partitions)
        ordinary = [each for each in course.partitions if not each.is_tracks]
        tracks = [each for each in course.partitions if each.is_tracks]
        await self._relocation.write_groups(course.id, ordinary)
        if tracks:
            # The database lets the groups of tracks be changed for this cause alone.
            await self._uow.set_cause("tracks")
            await self._relocation.write_groups(course.id, tracks)
            await self._relocation.name_tracks(course.id)
            await self._uow.set_cause("")

    async def _create(self, acronym: str, users: Sequence[MovedUser]) -> list[int]:
        wanted = {user.id: _usernames(user, acronym) for user in users}
        usernames, emails = await self._relocation.names_in_use(
            [name for names in wanted.values() for name in names],
            [user.email.lower() for user in users if user.email],
        )
        named: list[MovedUser] = []
        for user in users:
            username = next((name for name in wanted[user.id] if name not in usernames), None)
            if username is None:
                raise rules.name_taken(f"the username {wanted[user.id][-1]} is somebody else's")
            usernames.add(username)
            email = user.email if user.email and user.email.lower() not in emails else None
            emails.add(email.lower() if email else "")
            named.append(replace(user, username=username, email=email))
        keys = [sort_key(user.family_name, user.given_name, user.username or "") for user in named]
        await self._relocation.create_users(acronym, named, keys)
        return [user.id for user in named]


def _persons_once(users: Sequence[MovedUser]) -> Iterator[MovedUser]:
    """Of several ids of one person the first counts."""
    seen: set[int] = set()
    for user in users:
        if user.own_id is None or user.own_id not in seen:
            yield user
        if user.own_id is not None:
            seen.add(user.own_id)


def _usernames(user: MovedUser, acronym: str) -> list[str]:
    """Candidates, the best first."""
    given = [name for name in (user.username, user.student_number) if name and name.strip()]
    return [*(normalise(name, longest=150) for name in given), _default_username(acronym, user.id)]


def _default_username(acronym: str, user_id: int) -> str:
    """Of somebody who has neither a username nor a number there."""
    return f"{acronym}-{user_id}"


def _id_taken(named: str) -> ConflictError:
    return ConflictError(f"ids are those of something else here: {named}", code="id_taken")


def _tidy(partition: MovedPartition) -> MovedPartition:
    groups = [replace(each, name=normalise(each.name)) for each in partition.groups]
    return replace(partition, name=normalise(partition.name), groups=groups)


def _check_range(course: MovedCourse) -> None:
    ids = [course.id, course.department_id, *(user.id for user in course.users)]
    ids += [each for each in (course.default_partition_id, course.default_group_id) if each]
    ids += [each.id for each in course.partitions]
    ids += [group.id for each in course.partitions for group in each.groups]
    if not all(0 < each < FIRST_OWN_ID for each in ids):
        raise InvalidError(
            f"ids from {FIRST_OWN_ID:,} on are made here, and none can be kept from elsewhere"
        )
