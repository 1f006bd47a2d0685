"""Who is meant by usernames and e-mail addresses that somebody typed or uploaded."""

from collections.abc import Iterable

from groupsvc.core.unit_of_work import UnitOfWork
from groupsvc.core.users.records import Person
from groupsvc.domain.email_addresses import LONGEST
from groupsvc.domain.errors import InvalidError
from groupsvc.domain.names import normalise


def lookup_text(identifier: object) -> str | None:
    """The form in which names are stored and compared; None for what can be nobody's."""
    try:
        return normalise(identifier, longest=LONGEST)
    except InvalidError:
        return None


async def find_people(uow: UnitOfWork, identifiers: Iterable[object]) -> dict[str, Person]:
    """Users by username or e-mail address, in the order of the identifiers, by lookup text.

    Users who are retired are not meant any more. Whether case matters in usernames is part of the
    vocabulary; it never does in addresses.
    """
    sought = [text for text in dict.fromkeys(map(lookup_text, identifiers)) if text is not None]
    if not sought:
        return {}
    found = await uow.users.identify(
        [(text, None) for text in sought],
        by_number=False,
        with_retired=False,
        any_case=uow.vocabulary.usernames_in_any_case,
    )
    return {text: found[text, None] for text in sought if (text, None) in found}
