"""Who is meant by the rows of a roster that name nobody as they stand.

Nobody is created beside a look-alike: a row that looks like somebody is about them if something
else in it says so, and is refused otherwise unless that is accepted.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Final

from groupsvc.core.users.recognition import had_name, has_number, is_called, looks_alike
from groupsvc.core.users.records import Candidate, Person, Sought
from groupsvc.domain.errors import GroupsvcError, NotFoundError
from groupsvc.domain.lookalikes import How, differ_by_damage, is_number, lookalike, similar
from groupsvc.import_export import dangers
from groupsvc.import_export.columns import Values
from groupsvc.import_export.damage import NUMBERS
from groupsvc.import_export.dangers import Accepted, Note
from groupsvc.import_export.kinds import IDENTIFIERS
from groupsvc.import_export.records import RosterPerson
from groupsvc.import_export.results import ReadRow

Candidates = Mapping[Sought, Sequence[Candidate]]


def sought(rows: Iterable[Values], known: Mapping[str, RosterPerson]) -> dict[Sought, None]:
    """What to look for among the users, for rows whose usernames are nobody's."""
    found: dict[Sought, None] = {}
    for row in rows:
        if not _is_literal(row) and row.get("username") not in known:
            found |= dict.fromkeys(_name(text) for text in (row.get("username"), row.get("email")))
            found |= dict.fromkeys(_number(row.get(column)) for column in NUMBERS)
            if is_number(row.get("username", "")):
                found[_number(row["username"])] = None
    found.pop(Sought(None, ()), None)
    return found


# How somebody may be meant by an address that nobody has; the first that fits counts.
BY_ADDRESS: Final[Sequence[tuple[How, Callable[[str, Candidate], bool]]]] = (
    ("lookalike", looks_alike),
    ("former_name", had_name),
)


class RosterPeople:
    """Rewrites rows to the usernames of those whom they mean, of whom ``found`` exist.

    ``home`` is the department in which a new user of a row would be. Those whom rows before are
    about to create are looked at as well. Who ``has_key`` in the table is not who is meant by a row
    with another one.
    """

    def __init__(
        self,
        known: Mapping[str, RosterPerson],
        candidates: Candidates,
        accept: Accepted,
        *,
        home: Callable[[Values], str | None],
        in_sight: Callable[[Candidate], bool],
        has_key: Callable[[Candidate], bool],
    ) -> None:
        self.notes: dict[int, Note] = {}
        self.found: set[str] = set()
        self._known = known
        self._candidates = candidates
        self._accept = accept
        self._home = home
        self._in_sight = in_sight
        self._has_key = has_key
        self._new: dict[str, dict[str, Candidate]] = {}

    def read(self, rows: Iterable[ReadRow]) -> list[ReadRow]:
        return [(line, self._read(line, row)) for line, row in rows]

    def _read(self, line: int, row: Values | GroupsvcError) -> Values | GroupsvcError:
        if isinstance(row, GroupsvcError) or _is_literal(row) or row.get("username") in self._known:
            return row
        try:
            found = self._by_username(row) if "username" in row else self._by_the_rest(row)
        except GroupsvcError as why:
            return why
        if found is None:
            self._add_new(row)
            return row
        username, how = found
        if username not in self._new.get(lookalike(username), {}):
            self.found.add(username)
        if how != "exact":
            self.notes[line] = dangers.note(how, username)
        return {**row, "username": username}

    def _by_username(self, row: Values) -> tuple[str, How] | None:
        username, email = row["username"], row.get("email")
        new = self._new.get(lookalike(username), {})
        if username in new:
            return None
        named = self._near(_name(username))
        if any(is_called(username, each) for each in named):
            return username, "exact"  # Somebody else has created them since usernames were read.
        near = {each.person.username: each for each in named if looks_alike(username, each)} | new
        if email:
            similar_addresses = (
                each for each in self._near(_name(email)) if _resembles(email, each)
            )
            near |= {each.person.username: each for each in similar_addresses}
        if near:
            sure = [name for name, each in near.items() if _confirms(row, each)]
            if len(sure) == 1:
                return self._taken(row, near[sure[0]], "lookalike")
            self._refuse("lookalike", "user", near.values())
            return None
        former = {each.person.username: each for each in named if had_name(username, each)}
        if former:
            (first, *more) = former.values()
            if not more and not _contradicts(row, first) and "stale" not in self._accept:
                return self._taken(row, first, "former_name")
            self._refuse("stale", "user", former.values())
            return None
        if is_number(username) and (meant := self._by_number(row, username)) is not None:
            return meant
        self._refuse_damaged(row)
        return None

    def _by_number(self, row: Values, text: str) -> tuple[str, How] | None:
        """Files of other systems have numbers where others have usernames."""
        home = self._home(row)
        near = _once(each for each in self._near(_number(text)) if each.department == home)
        exact = [each for each in near if text in (each.student_number, each.national_number)]
        owners = exact or [each for each in near if has_number(text, each)]
        if len(owners) == 1 and not _contradicts(row, owners[0]) and _may_be(row, owners[0]):
            return self._taken(row, owners[0], "exact" if exact else "damaged")
        if owners:
            self._refuse("lookalike", "user", owners)
        return None

    def _refuse_damaged(self, row: Values) -> None:
        """Raises what stands against somebody new with the numbers of a row."""
        for column in NUMBERS:
            owners = [
                each
                for each in self._near(_number(row.get(column)))
                if each.department == self._home(row)
                and (stored := getattr(each, column)) is not None
                and differ_by_damage(row[column], stored)
            ]
            if owners:
                self._refuse("damaged", column, owners)

    def _by_the_rest(self, row: Values) -> tuple[str, How]:
        """For a row without a username: who has its address and its numbers."""
        found: dict[str, How] = {}
        near: dict[str, Candidate] = {}
        for column in IDENTIFIERS[1:]:
            text = row.get(column)
            if not text:
                continue
            how, fitting = self._fitting(row, column, text)
            near |= {each.person.username: each for each in fitting}
            if len(fitting) == 1:
                name = fitting[0].person.username
                if found.get(name, "exact") == "exact":
                    found[name] = how
                if how != "exact":
                    del row[column]
        if len(found) == 1:
            return next(iter(found.items()))
        if near:
            raise dangers.ambiguous("user", self._names(near.values()))
        raise NotFoundError(
            "nobody has this address or number, and somebody new needs a username",
            code="unknown_user",
        )

    def _fitting(self, row: Values, column: str, text: str) -> tuple[How, list[Candidate]]:
        key = _name(text) if column == "email" else _number(text)
        near = self._near(key)
        if "key" in row:
            near = [each for each in near if not self._has_key(each)]
        home = self._home(row)
        exact = [each for each in near if _has(each, column, text)]
        if len(exact) > 1:
            exact = [each for each in exact if each.department == home] or exact
        if exact:
            return "exact", exact
        if column == "email":
            for how, fits in BY_ADDRESS:
                fitting = _once(each for each in near if fits(text, each))
                if fitting:
                    return how, fitting
            return "exact", []
        fitting = _once(each for each in near if has_number(text, each))
        return "damaged", [each for each in fitting if each.department == home] or fitting

    def _taken(self, row: Values, meant: Candidate, how: How) -> tuple[str, How]:
        """What was compared is not written over what is there."""
        email, stored = row.get("email"), meant.person.email
        if email and stored and email != stored and lookalike(email) == lookalike(stored):
            del row["email"]
        return meant.person.username, how

    def _refuse(self, danger: dangers.Danger, what: str, near: Iterable[Candidate]) -> None:
        if danger not in self._accept:
            raise dangers.REFUSALS[danger](what, self._names(near))

    def _names(self, near: Iterable[Candidate]) -> list[str]:
        return [
            each.person.username for each in near if each.person.id == 0 or self._in_sight(each)
        ]

    def _near(self, key: Sought) -> Sequence[Candidate]:
        return self._candidates.get(key, ())

    def _add_new(self, row: Values) -> None:
        person = Person(0, row["username"], row.get("email"))
        student_number, national_number = (row.get(column) for column in NUMBERS)
        candidate = Candidate(person, self._home(row), student_number, national_number, None)
        same = self._new.setdefault(lookalike(row["username"]), {})
        same.setdefault(row["username"], candidate)


def _is_literal(row: Values) -> bool:
    """Whoever has a key has the name of the row, whomever that looks like."""
    return "key" in row and "username" in row


def _name(text: str | None) -> Sought:
    return Sought(text or None, ())


def _number(text: str | None) -> Sought:
    return Sought(None, similar(text) if text else ())


def _resembles(email: str, candidate: Candidate) -> bool:
    """Whether an address looks like theirs without being the same to the database."""
    stored = candidate.person.email
    if stored is None or _has(candidate, "email", email):
        return False
    return lookalike(stored) == lookalike(email)


def _has(candidate: Candidate, column: str, text: str) -> bool:
    if column == "email":
        stored = candidate.person.email
        return stored is not None and stored.lower() == text.lower()
    return bool(getattr(candidate, column) == text)


def _confirms(row: Values, candidate: Candidate) -> bool:
    """Whether something besides the username says that they are meant, and nothing denies it."""
    if _contradicts(row, candidate):
        return False
    email, stored = row.get("email"), candidate.person.email
    same_address = email and stored and lookalike(email) == lookalike(stored)
    # An address that looks alike without a username that does is no more than a hint itself.
    if same_address and looks_alike(row["username"], candidate):
        return True
    return any(_same_number(row, candidate, column) for column in NUMBERS)


def _contradicts(row: Values, candidate: Candidate) -> bool:
    return any(
        row.get(column) and getattr(candidate, column) and not _same_number(row, candidate, column)
        for column in NUMBERS
    )


def _may_be(row: Values, candidate: Candidate) -> bool:
    """Whether the address in a row does not tell that it is about somebody else."""
    email, stored = row.get("email"), candidate.person.email
    return not email or not stored or lookalike(email) == lookalike(stored)


def _same_number(row: Values, candidate: Candidate, column: str) -> bool:
    given, stored = row.get(column), getattr(candidate, column)
    if not given or not stored:
        return False
    return given == stored or differ_by_damage(given, stored)


def _once(candidates: Iterable[Candidate]) -> list[Candidate]:
    return list({each.person.id: each for each in candidates}.values())
