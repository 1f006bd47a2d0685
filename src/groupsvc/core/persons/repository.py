"""What is stored about one person, wherever it is."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Final

from groupsvc.core.persons.known_texts import KnownTexts, known_texts
from groupsvc.core.repository import Repository
from groupsvc.db.statements import SqlFile

SQL: Final = SqlFile(__file__)


@dataclass(frozen=True, slots=True)
class Left:
    """What somebody was taken out of; ``locked`` courses keep them."""

    groups: int
    courses: int
    locked: int


class PersonRepository(Repository):
    async def texts(self, user_id: int, typed: str, subjects: Iterable[str]) -> KnownTexts:
        """All texts that name a user, and what somebody has typed for them."""
        row: Any = await self._row(SQL.of_user, user_id=user_id)
        return known_texts(
            [typed, row.username, row.email, *row.numbers, *row.former],
            row.names,
            external=row.external,
            accounts=row.accounts,
            subjects=subjects,
        )

    async def everything(self, user_id: int, texts: KnownTexts) -> bytes:
        row: Any = await self._row(
            SQL.everything,
            user_id=user_id,
            identifiers=list(texts.identifiers),
            accounts=list(texts.accounts),
            subjects=list(texts.subjects),
            texts=texts.searched(),
        )
        return str(row.body).encode()

    async def open_uploads(self) -> list[bytes]:
        return [row.payload for row in await self._rows(SQL.open_uploads)]

    async def leave(self, user_id: int) -> Left:
        row: Any = await self._row(SQL.leave, user_id=user_id)
        return Left(**row._asdict())

    async def delete_user(self, user_id: int) -> None:
        await self._rows(SQL.delete_user, user_id=user_id)
        await self._rows(SQL.forget_former_ids, user_id=user_id)

    async def empty_user(self, user_id: int) -> None:
        """Leave the row, and nothing in it that says who it was."""
        await self._rows(SQL.empty_user, user_id=user_id)
        await self._rows(SQL.forget_former_names, user_id=user_id)

    async def forget(self, user_id: int, texts: KnownTexts) -> dict[str, int]:
        """Delete all that is theirs but the user itself; how much there was, by kind."""
        row: Any = await self._row(
            SQL.forget,
            user_id=user_id,
            identifiers=list(texts.identifiers),
            accounts=list(texts.accounts),
            texts=texts.searched(),
        )
        return dict(row._asdict())

    async def forget_answers(self, texts: KnownTexts) -> int:
        """Answers kept for repetition, of requests about them and of their own."""
        subjects = list(texts.subjects)
        keys = await self._rows(SQL.forget_keys, subjects=subjects, identifiers=texts.apart())
        answers = await self._rows(SQL.forget_answers, texts=texts.searched())
        await self._rows(SQL.forget_uploaders, subjects=subjects)
        return len(keys) + len(answers)

    async def forget_actor(self, texts: KnownTexts) -> tuple[int, int]:
        """Lines of the change log that name them as who acted: forgotten ones, and those that a
        role which may only serve cannot change.
        """
        subjects = list(texts.subjects)
        row: Any = await self._row(SQL.lines_by, subjects=subjects)
        if not row.lines or not row.may_be_forgotten:
            return 0, row.lines
        await self._rows(SQL.hold_off_sealing)
        for statement in (SQL.remember_actors, SQL.forget_actors, SQL.forget_salts):
            await self._rows(statement, subjects=subjects)
        return row.lines, 0
