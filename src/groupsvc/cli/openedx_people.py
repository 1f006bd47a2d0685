"""The persons here whom an Open edX means, and those who are made for it."""

from collections.abc import Iterable

from groupsvc.cli.openedx_team import SourceUser
from groupsvc.cli.runtime import OPERATOR
from groupsvc.core.unit_of_work import UnitOfWork
from groupsvc.core.users.identifiers import find_people, lookup_text
from groupsvc.core.users.records import Person
from groupsvc.core.users.service import UserService


class People:
    """Without a ``department`` in which to make them, persons who are missing stay so."""

    def __init__(self, uow: UnitOfWork, department: str | None) -> None:
        self._uow = uow
        self._users = UserService(uow, OPERATOR)
        self._department = department

    async def find_or_create(self, users: Iterable[SourceUser]) -> dict[str, Person]:
        """Return our users by the username there. They are found by username, then by address."""
        users = {user.username: user for user in users}.values()
        texts = [text for user in users for text in (user.username, user.email) if text]
        people = await find_people(self._uow, texts)
        found: dict[str, Person] = {}
        for user in users:
            sought = filter(None, map(lookup_text, (user.username, user.email)))
            person = next((people[each] for each in sought if each in people), None)
            if person is None and self._department is not None:
                person = await self._create_user(user)
            if person is not None:
                found[user.username] = person
        return found

    async def _create_user(self, user: SourceUser) -> Person:
        given, _, family = user.name.strip().partition(" ")
        values = {
            "email": user.email or None,
            "family_name": user.last_name or family,
            "given_name": user.first_name or given,
            "usual_name": None,
            "civility": "X",
            "student_number": None,
            "national_number": None,
            "department": self._department,
            "is_active": True,
        }
        document, _ = await self._users.declare(user.username, values)
        return Person(document.data["id"], document.data["username"], document.data["email"])
