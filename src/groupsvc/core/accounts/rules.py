"""What an account may be called, hold and keep secret."""

import re
from collections.abc import Mapping, Sequence

from groupsvc.domain.errors import InvalidError, NotFoundError
from groupsvc.domain.grants import parse_grant
from groupsvc.domain.names import normalise
from groupsvc.domain.principal import Grant, Permission

LONGEST = 150
LONGEST_GRANT = 300
SHORTEST_SECRET = 8
LONGEST_SECRET = 200

# A colon would end the name in HTTP Basic, a slash or a lone dot would change the path.
NAME = re.compile(r"[^\W_][\w.@+-]*")


def account_name(name: object) -> str:
    """The name in the form in which it is stored. Raises InvalidError."""
    tidy = normalise(name, longest=LONGEST)
    if not NAME.fullmatch(tidy):
        raise InvalidError(
            "the name of an account is letters, digits and _ . @ + -, a letter or digit first",
            code="invalid_name",
            pointer="#/name",
        )
    return tidy


def roster_name(username: object) -> str | None:
    """The username that an account stands for, if any; they may come to the roster later."""
    if username is None:
        return None
    return normalise(username, field="username", longest=LONGEST)


def parse_grants(texts: Sequence[str], other_names: Mapping[str, Permission]) -> list[Grant]:
    """Raises InvalidError that points at the first one that is no grant."""
    grants: list[Grant] = []
    for line, text in enumerate(texts):
        try:
            grants.append(parse_grant(normalise(text, longest=LONGEST_GRANT), other_names))
        except InvalidError as error:
            raise InvalidError(
                error.message, code="invalid_grant", pointer=f"#/grants/{line}"
            ) from error
    return grants


def possible_name(name: str) -> str:
    """The same for a name that is looked up. Raises NotFoundError."""
    try:
        return account_name(name)
    except InvalidError:
        raise NotFoundError("no such account") from None


def check_new_secret(secret: str | None) -> None:
    """Raises InvalidError."""
    if secret and not secret.strip("*"):
        raise InvalidError(
            "this is what is shown in place of a secret", code="invalid_secret", pointer="#/secret"
        )
    if secret is not None and not SHORTEST_SECRET <= len(secret) <= LONGEST_SECRET:
        raise InvalidError(
            f"a secret has {SHORTEST_SECRET} to {LONGEST_SECRET} characters",
            code="invalid_secret",
            pointer="#/secret",
        )
