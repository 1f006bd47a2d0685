"""Whether a course keeps a cohort that takes users at random, judged when all rows are in: one of
them may make another cohort random."""

from collections.abc import Iterable, Set

from groupsvc.domain import rules
from groupsvc.domain.errors import GroupsvcError
from groupsvc.import_export.naming import GroupKey, PartitionKey


class RandomCohorts:
    """``borne`` are the cohorts of rows that take users at random before the first row; in the
    partitions ``elsewhere`` others do."""

    def __init__(self, borne: Iterable[GroupKey], elsewhere: Set[PartitionKey]) -> None:
        self._borne = frozenset(borne)
        self._elsewhere = elsewhere
        self._now = set(self._borne)
        # By partition, in the order in which they were given up last, with the rows that said so.
        self._given_up: dict[PartitionKey, dict[GroupKey, list[int]]] = {}

    def tell(self, cohort: GroupKey, assignment_type: str, line: int) -> None:
        """What a row says of a cohort."""
        if assignment_type == "random":
            self._now.add(cohort)
            return
        given_up = self._given_up.setdefault(cohort[:2], {})
        if cohort in self._now:
            self._now.remove(cohort)
            given_up[cohort] = [*given_up.pop(cohort, ()), line]
        elif cohort in given_up:
            given_up[cohort].append(line)

    def lost(self) -> dict[int, GroupsvcError]:
        """Lines that leave a course without a random cohort, with why they cannot.

        What was random before the first row stays so rather than what a row made random; among
        those, the one that was given up last.
        """
        keeping = self._elsewhere | {cohort[:2] for cohort in self._now}
        found: dict[int, GroupsvcError] = {}
        for partition, given_up in self._given_up.items():
            if given_up and partition not in keeping:
                *_, last = [each for each in given_up if each in self._borne] or given_up
                found |= dict.fromkeys(given_up[last], rules.last_random())
        return found
