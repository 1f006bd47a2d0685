"""The plan of a batch against the plainest possible telling of the same rules."""

from hypothesis import given
from hypothesis import strategies as st

from groupsvc.core.memberships.planning import AssignmentRequest, RowResult, plan
from groupsvc.core.memberships.repository import GroupOccupancy, Placement

USERS = list(range(1, 7))
GROUPS = [10, 11, 12]

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
capacities = st.fixed_dictionaries({group: st.sampled_from([None, 0, 1, 2]) for group in GROUPS})


def rooms(
    standing: dict[int, Placement], capacity: dict[int, int | None]
) -> dict[int, GroupOccupancy]:
    taken = [state.group_id for state in standing.values()]
    return {
        group: GroupOccupancy(str(group), capacity[group], taken.count(group)) for group in GROUPS
    }


@given(standings, wishes, capacities, st.booleans())
def test_a_plan_does_what_its_rows_say_one_by_one(
    standing: dict[int, Placement],
    rows: list[tuple[int | None, int | None]],
    capacity: dict[int, int | None],
    enrolled_only: bool,
) -> None:
    asked = [
        AssignmentRequest(line, user, group) for line, (user, group) in enumerate(rows, start=1)
    ]
    made = plan(asked, standing, rooms(standing, capacity), enrolled_only=enrolled_only)
    now = {user: state.group_id for user, state in standing.items()}
    for answer, (user, group) in zip(made.answers, rows, strict=True):
        full = (
            group in GROUPS
            and capacity[group] is not None
            and list(now.values()).count(group) >= (capacity[group] or 0)
            and (user is None or now.get(user) != group)
        )
        if user is None or user not in standing:
            assert answer.code == "unknown_user"
        elif group is None:
            assert answer.result == ("unchanged" if now[user] is None else "removed")
            now[user] = None
        elif group not in GROUPS:
            assert answer.code == "unknown_group"
        elif enrolled_only and not standing[user].is_enrolled:
            assert answer.code == "not_enrolled"
        elif full:
            assert answer.code == "group_full"
        else:
            assert answer.previous_group_id == now[user]
            now[user] = group
    final = {user: group for user, group in now.items() if group != standing[user].group_id}
    assert made.entering == {user: group for user, group in final.items() if group is not None}
    assert made.leaving == {user for user, group in final.items() if group is None}


def test_a_place_that_a_row_frees_is_there_for_the_next() -> None:
    standing = {1: Placement(10, True), 2: Placement(None, True)}
    room = {10: GroupOccupancy("A", 1, 1), 11: GroupOccupancy("B", None, 0)}
    made = plan(
        [AssignmentRequest(1, 1, 11), AssignmentRequest(2, 2, 10)],
        standing,
        room,
        enrolled_only=True,
    )
    assert made.answers == [
        RowResult(1, "moved", 1, 11, 10),
        RowResult(2, "assigned", 2, 10, None),
    ]
