"""The operations of a history, through all faces."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

from tests.histories.meanings import (
    May,
    Read,
    added,
    always,
    assigned,
    board,
    clears,
    clears_all,
    disenrolled,
    enrolled,
    enters,
    learns_group,
    leaves,
    lists_groups,
    lists_members,
    lists_unassigned,
    locks,
    many,
    may_be_anywhere,
    may_be_many,
    nothing,
    taken,
    visited,
)
from tests.histories.requests import (
    Make,
    in_group_of,
    name_of,
    on_course,
    on_group,
    on_member,
    on_partition,
    order,
    rows,
)

SCODOC, COHORTS = "/ScoDoc/api", "/api/cohorts/v1/courses"


@dataclass(frozen=True)
class Operation:
    """``may`` is what it does to values, as far as it is known without an answer; None: it reads.

    ``effect`` tells of an answer whether anything was written; None: it does not say.
    """

    make: Make
    read: Read
    may: May | None = None
    effect: Callable[[Any], bool] | None = None
    needs_open: bool = True


OPERATIONS: Final[dict[str, Operation]] = {
    # native
    "assign": Operation(
        on_member("PUT", "/v1/groups/{group}/members/{user}"),
        assigned,
        enters,
        lambda body: body["changed"],
    ),
    "assign_default": Operation(
        on_course("PUT", "/v1/groups/{default}/members/{user}"),
        nothing,
    ),
    "remove": Operation(on_member("DELETE", "/v1/groups/{group}/members/{user}"), clears, clears),
    "leave": Operation(
        on_partition("DELETE", "/v1/partitions/{partition}/members/{user}"),
        leaves,
        leaves,
    ),
    "assign_many": Operation(
        on_partition("POST", "/v1/partitions/{partition}/assignments", rows, keyed=True),
        many,
        may_be_many,
        lambda body: (
            body["written"]
            and any(row["result"] not in ("refused", "unchanged") for row in body["rows"])
        ),
    ),
    "create_group": Operation(
        in_group_of("/v1/partitions/{partition}/groups"), learns_group, nothing, always
    ),
    "set_capacity": Operation(
        on_group(
            "PATCH",
            "/v1/groups/{group}",
            lambda step: {"capacity": (None, 0, 1, 2)[step.other % 4]},
        ),
        nothing,
        nothing,
    ),
    "rename": Operation(
        on_group("PATCH", "/v1/groups/{group}", lambda step: {"name": name_of(step)}),
        nothing,
        nothing,
    ),
    "delete_group": Operation(
        on_group("DELETE", "/v1/groups/{group}"), clears_all, clears_all, always
    ),
    "order": Operation(
        on_partition(
            "PUT",
            "/v1/partitions/{partition}/groups/order",
            lambda stage, step, partition: {"ids": order(stage, step, partition)},
        ),
        nothing,
        nothing,
    ),
    "visit": Operation(
        on_course(
            "POST",
            "/v1/courses/{course}/cohort-assignments",
            lambda stage, step: {"user_id": stage.user(step.who)},
        ),
        visited,
        may_be_anywhere,
        needs_open=False,
    ),
    "lock": Operation(
        on_course("PUT", "/v1/courses/{course}/lock"), locks(True), locks(True), needs_open=False
    ),
    "unlock": Operation(
        on_course("DELETE", "/v1/courses/{course}/lock"),
        locks(False),
        locks(False),
        needs_open=False,
    ),
    "enroll": Operation(
        on_course("PUT", "/v1/courses/{course}/enrollments/{user}", lambda *_: {"state": "active"}),
        enrolled,
        enrolled,
        needs_open=False,
    ),
    "disenroll": Operation(
        on_course("DELETE", "/v1/courses/{course}/enrollments/{user}"),
        disenrolled,
        disenrolled,
        needs_open=False,
    ),
    "board": Operation(on_course("GET", "/v1/courses/{course}/board"), board),
    "members": Operation(
        on_group("GET", "/v1/groups/{group}/members"), lists_members("id", "items")
    ),
    "groups_of": Operation(
        on_course("GET", "/v1/courses/{course}/users/{user}/groups"), lists_groups("id")
    ),
    "unassigned": Operation(
        on_partition("GET", "/v1/partitions/{partition}/unassigned"), lists_unassigned
    ),
    # ScoDoc
    "scodoc_assign": Operation(
        on_member("POST", SCODOC + "/group/{group}/set_etudiant/{user}"),
        enters,
        enters,
    ),
    "scodoc_remove": Operation(
        on_member("POST", SCODOC + "/group/{group}/remove_etudiant/{user}"), clears, clears
    ),
    "scodoc_leave": Operation(
        on_partition("POST", SCODOC + "/partition/{partition}/remove_etudiant/{user}"),
        leaves,
        leaves,
    ),
    "scodoc_create": Operation(
        on_partition(
            "POST",
            SCODOC + "/partition/{partition}/group/create",
            lambda _, step, __: {"group_name": name_of(step)},
        ),
        learns_group,
        nothing,
        always,
    ),
    "scodoc_delete": Operation(
        on_group("POST", SCODOC + "/group/{group}/delete"), clears_all, clears_all, always
    ),
    "scodoc_order": Operation(
        on_partition("POST", SCODOC + "/partition/{partition}/groups/order", order),
        nothing,
        nothing,
    ),
    "scodoc_members": Operation(
        on_group("GET", SCODOC + "/group/{group}/etudiants"), lists_members("id")
    ),
    "scodoc_groups_of": Operation(
        on_course("GET", SCODOC + "/etudiant/etudid/{user}/formsemestre/{course}/groups"),
        lists_groups("group_id"),
    ),
    # Open edX
    "cohort_add": Operation(
        on_member("POST", COHORTS + "/{key}/cohorts/{group}/users/{username}", cohort=True),
        added,
        enters,
        lambda body: bool(body["added"] or body["changed"]),
    ),
    "cohort_remove": Operation(
        on_member("DELETE", COHORTS + "/{key}/cohorts/{group}/users/{username}", cohort=True),
        taken,
        clears,
        always,
    ),
    "cohort_members": Operation(
        on_group("GET", COHORTS + "/{key}/cohorts/{group}/users/", cohort=True),
        lists_members("username", "results"),
    ),
    "cohorts": Operation(on_course("GET", COHORTS + "/{key}/cohorts/"), nothing),
}

# Asked in the end alone, when the answer can be held against the tables.
LAST: Final = {
    "scodoc_default": Operation(on_course("GET", SCODOC + "/group/{default}/etudiants"), nothing)
}
EVERY: Final = OPERATIONS | LAST
