"""The plan of a batch against what it promises, for any rows."""

from collections import Counter
from itertools import combinations

from hypothesis import given
from hypothesis import strategies as st

from groupsvc.core.memberships.planning import AssignmentRequest, Plan, RowResult, plan
from groupsvc.core.memberships.repository import GroupOccupancy, Placement

USERS = list(range(1, 7))
GROUPS = [10, 11, 12]

Standing = dict[int, Placement]
Wishes = list[tuple[int | None, int | None]]
Capacity = dict[int, int | None]

standings = st.fixed_dictionaries(
    {},
    optional={
        user: st.builds(
            Placement, group_id=st.sampled_from([None, *GROUPS]), is_enrolled=st.booleans()
        )
        for user in USERS
    },
)
wishes = st.lists(
    st.tuples(st.sampled_from([*USERS, None]), st.sampled_from([*GROUPS, 99, None])), max_size=20
)
# Places beside those that are taken.
spare = st.fixed_dictionaries({group: st.sampled_from([None, 0, 0, 1, 2]) for group in GROUPS})


def rooms(standing: Standing, spare: Capacity) -> dict[int, GroupOccupancy]:
    taken = Counter(state.group_id for state in standing.values())
    return {
        group: GroupOccupancy(
            str(group), None if free is None else taken[group] + free, taken[group]
        )
        for group, free in spare.items()
    }


def planned(standing: Standing, rows: Wishes, spare: Capacity, enrolled_only: bool = True) -> Plan:
    asked = [AssignmentRequest(line, *row) for line, row in enumerate(rows, start=1)]
    return plan(asked, standing, rooms(standing, spare), enrolled_only=enrolled_only)


def outcome(standing: Standing, made: Plan) -> dict[int, int | None]:
    now = {user: state.group_id for user, state in standing.items()}
    return now | dict.fromkeys(made.leaving) | made.entering


@given(standings, wishes, spare, st.booleans())
def test_a_plan_tells_of_every_row_what_it_writes(
    standing: Standing, rows: Wishes, spare: Capacity, enrolled_only: bool
) -> None:
    made = planned(standing, rows, spare, enrolled_only)
    now = {user: state.group_id for user, state in standing.items()}
    for answer, (user, group) in zip(made.answers, rows, strict=True):
        if user is None or user not in standing:
            assert answer.code == "unknown_user"
        elif group is None:
            assert answer.result == ("unchanged" if now[user] is None else "removed")
            now[user] = None
        elif group not in GROUPS:
            assert answer.code == "unknown_group"
        elif enrolled_only and not standing[user].is_enrolled:
            assert answer.code == "not_enrolled"
        elif answer.result != "refused":
            assert answer.previous_group_id == now[user]
            now[user] = group
        else:
            assert answer.code == "group_full"
            assert spare[group] is not None
            assert now[user] != group
    assert outcome(standing, made) == now
    final = {user: group for user, group in now.items() if group != standing[user].group_id}
    assert made.entering == {user: group for user, group in final.items() if group is not None}
    assert made.leaving == {user for user, group in final.items() if group is None}


@given(standings, wishes, spare)
def test_no_group_ends_over_its_capacity_and_no_place_is_kept_from_who_wants_it(
    standing: Standing, rows: Wishes, spare: Capacity
) -> None:
    made = planned(standing, rows, spare)
    room, after = rooms(standing, spare), Counter(outcome(standing, made).values())
    for group, state in room.items():
        assert state.capacity is None or after[group] <= state.capacity
    ends = outcome(standing, made)
    for answer, (user, group) in zip(made.answers, rows, strict=True):
        if answer.code == "group_full":
            assert after[group] == room[group or 0].capacity
            assert user is not None
            assert ends[user] != group


@given(standings, wishes, spare)
def test_of_two_rows_for_one_group_the_first_has_the_place(
    standing: Standing, rows: Wishes, spare: Capacity
) -> None:
    made = planned(standing, rows, spare)
    ends = outcome(standing, made)
    first: dict[tuple[int | None, int | None], int] = {}
    for line, row in enumerate(rows):
        first.setdefault(row, line)
    for (one, group), (two, same) in combinations(first, 2):
        refused = made.answers[first[one, group]].code == "group_full"
        if refused and group == same and first[one, group] < first[two, same]:
            stayed = two in standing and standing[two].group_id == group
            assert two is None or ends.get(two) != group or stayed


@given(standings, st.permutations(USERS), spare, st.sampled_from([1, 2]))
def test_whoever_only_change_places_all_have_theirs(
    standing: Standing, order: list[int], spare: Capacity, step: int
) -> None:
    """As many come into every group as leave it, in whatever order the rows stand."""
    here = [user for user in order if user in standing and standing[user].is_enrolled]
    places = [standing[user].group_id for user in here]
    rows: Wishes = list(zip(here, places[step:] + places[:step], strict=True))
    made = planned(standing, rows, spare)
    assert not made.refused
    assert outcome(standing, made).items() >= dict(rows).items()


def test_a_place_that_is_kept_after_all_is_lost_to_who_wanted_it() -> None:
    standing = {user: Placement(group, True) for user, group in ((1, 10), (2, None), (3, 11))}
    made = planned(standing, [(2, 10), (1, 11)], {10: 0, 11: 0})
    assert made.answers == [
        RowResult(1, "refused", 2, 10, code="group_full"),
        RowResult(2, "refused", 1, 11, code="group_full"),
    ]
    assert (made.entering, made.leaving) == ({}, set())


def test_who_is_named_twice_has_the_place_of_their_first_row() -> None:
    standing = {1: Placement(None, True), 2: Placement(None, True)}
    made = planned(standing, [(1, 10), (2, 10), (1, 10)], {10: 1})
    assert made.answers == [
        RowResult(1, "assigned", 1, 10, None),
        RowResult(2, "refused", 2, 10, code="group_full"),
        RowResult(3, "unchanged", 1, 10, 10),
    ]


def test_who_came_after_the_places_were_counted_stays() -> None:
    standing = {user: Placement(10, True) for user in (1, 2)}
    groups = {10: GroupOccupancy("A", 1, 0), 11: GroupOccupancy("B", 0, 0)}
    asked = [AssignmentRequest(line, line, 11) for line in (1, 2)]
    made = plan(asked, standing, groups, enrolled_only=True)
    assert [answer.code for answer in made.answers] == ["group_full", "group_full"]
    assert (made.entering, made.leaving) == ({}, set())


def test_a_user_who_is_named_very_often_is_refused_as_often() -> None:
    standing = {1: Placement(None, True), 2: Placement(None, True)}
    rows: Wishes = [(2, 10), *[(1, 10)] * 100_000]
    made = planned(standing, rows, {10: 1})
    assert Counter(answer.code for answer in made.answers) == {None: 1, "group_full": 100_000}
