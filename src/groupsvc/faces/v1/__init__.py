"""The native face: ``/v1``."""

from collections.abc import Mapping, Sequence

from fastapi import APIRouter

from groupsvc.faces.v1 import (
    accounts,
    assignments,
    changes,
    cohorts,
    content_groups,
    courses,
    departments,
    enrollments,
    events,
    groups,
    jobs,
    me,
    memberships,
    partitions,
    persons,
    preassignments,
    roles,
    shaped_exports,
    tokens,
    transfer,
    undo,
    users,
)

# The hot ones first: routes are tried in this order.
ROUTERS: Sequence[APIRouter] = (
    partitions.routes.router,
    memberships.routes.router,
    assignments.routes.router,
    groups.routes.router,
    courses.routes.router,
    me.routes.router,
    enrollments.routes.router,
    users.routes.router,
    persons.routes.router,
    roles.routes.router,
    departments.routes.router,
    cohorts.routes.router,
    content_groups.routes.router,
    preassignments.routes.router,
    jobs.routes.router,
    changes.routes.router,
    events.routes.router,
    undo.routes.router,
    accounts.routes.router,
    tokens.router,
    transfer.routes.router,
    shaped_exports.routes.router,
)

# Groups of operations in the order in which a newcomer needs them.
TAGS: Mapping[str, str] = {
    "tokens": "A token for a local account. *Authorize* above asks for one, or takes one.",
    "me": "Who is calling, what they may do, and their own groups.",
    "courses": "What is divided: ids come from here. The board is all of a course at once.",
    "partitions": "One way to divide a course, such as TD or TP.",
    "groups": "The parts of a partition.",
    "memberships": "Who is in which group: assign, move, take out, one or many.",
    "enrollments": "Who is in a course.",
    "users": "The roster: students and teachers.",
    "departments": "Where courses and users belong; permissions are given in a department.",
    "cohorts": "Groups that an LMS assigns on arrival, and the content they see.",
    "jobs": "Uploads of tables of cohorts, which go on after the answer.",
    "import and export": "Whole tables in and out. What goes out as CSV comes in again.",
    "changes": "Who did what: the log of every change, and undo.",
    "roles": "What persons of the roster may do: the team of a course.",
    "accounts": "Callers that are machines, with their grants.",
    "health": "For whoever operates the service.",
}
