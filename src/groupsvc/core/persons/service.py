"""A person asks what is known of them, or to be forgotten."""

from collections.abc import Collection
from dataclasses import dataclass
from typing import Any, Final

from groupsvc.core.persons.known_texts import KnownTexts, redacted
from groupsvc.core.persons.repository import PersonRepository
from groupsvc.core.service import Service
from groupsvc.core.unit_of_work import UnitOfWork
from groupsvc.core.users.service import EVERYWHERE
from groupsvc.domain.errors import ConflictError, NotFoundError
from groupsvc.domain.json_resource import JsonResource
from groupsvc.domain.principal import Permission, Principal

ERASURE: Final = "erasure"
NOBODY: Final = 0


@dataclass(frozen=True, slots=True)
class Erasure:
    """How much there was of each kind. ``locked_courses`` keep a member without a name, and
    ``lines_kept`` of the change log still name who acted.
    """

    user: bool
    groups: int
    courses: int
    locked_courses: int
    roles: int
    external_ids: int
    preassignments: int
    accounts: int
    documents: int
    uploads: int
    answers: int
    lines_forgotten: int
    lines_kept: int


class PersonService(Service):
    """Needs ``admin`` everywhere. Persons are named as anywhere, by an address that waits in a
    cohort, or by the id of a user who has been deleted.
    """

    def __init__(self, uow: UnitOfWork, principal: Principal) -> None:
        super().__init__(uow, principal)
        self._persons = uow.repository(PersonRepository)

    async def export(
        self, whom: str | int, *, subjects: Collection[str] = ()
    ) -> JsonResource[dict[str, Any]]:
        """All that is stored about a person, who is named, or the user of an id."""
        self._require(Permission.ADMIN)
        await self._uow.begin(snapshot=True)
        user_id, texts = await self._find(whom, subjects)
        return JsonResource(await self._persons.everything(user_id, texts))

    async def erase(self, whom: str | int, *, subjects: Collection[str] = ()) -> Erasure:
        """Forget a person everywhere. What the log says of them holds ids alone, and stays.

        Raises ConflictError while an upload that names them is still to be done.
        """
        self._require(Permission.ADMIN)
        await self._uow.begin()
        await self._uow.set_cause(ERASURE)
        user_id, texts = await self._find(whom, subjects, for_update=True)
        if any(texts.is_named_in(payload) for payload in await self._persons.open_uploads()):
            raise ConflictError(
                "an upload that names the person is still to be done", code="upload_running"
            )
        left = await self._persons.leave(user_id)
        forgotten = await self._persons.forget(user_id, texts)
        if left.locked:
            await self._persons.empty_user(user_id)
        else:
            await self._persons.delete_user(user_id)
        uploads = await self._redact_uploads(texts)
        answers = await self._persons.forget_answers(texts)
        lines_forgotten, lines_kept = await self._persons.forget_actor(texts)
        return Erasure(
            user=user_id != NOBODY,
            groups=left.groups,
            courses=left.courses,
            locked_courses=left.locked,
            **forgotten,
            uploads=uploads,
            answers=answers,
            lines_forgotten=lines_forgotten,
            lines_kept=lines_kept,
        )

    async def _redact_uploads(self, texts: KnownTexts) -> int:
        jobs: set[int] = set()
        for identifier in texts.identifiers:
            for course_id, job_id, result in await self._uow.jobs.mentioning(identifier):
                rest = redacted(result, texts.identifiers)
                if rest != result:
                    await self._uow.jobs.redact(course_id, job_id, rest)
                    jobs.add(job_id)
        return len(jobs)

    async def _find(
        self, whom: str | int, subjects: Collection[str], *, for_update: bool = False
    ) -> tuple[int, KnownTexts]:
        """The id of a user, who may be deleted, or NOBODY for an address; all that names them."""
        user_id = whom if isinstance(whom, int) else await self._named(whom)
        if for_update:
            await self._uow.users.get_for_update(user_id, EVERYWHERE)
        # An id is in many numbers, and means nobody once the user is gone.
        typed = whom if isinstance(whom, str) and whom != str(user_id) else ""
        texts = await self._persons.texts(user_id, typed, subjects)
        if user_id != NOBODY and not texts.of_somebody:
            raise NotFoundError("no such user")
        return user_id, texts

    async def _named(self, text: str) -> int:
        found = await self._uow.users.identify([(text, None)])
        person = next(iter(found.values()), None)
        if person is not None:
            return person.id
        if "@" in text:
            return NOBODY
        if text.isascii() and text.isdigit() and len(text) < 19:
            return int(text)
        raise NotFoundError("no such person")
