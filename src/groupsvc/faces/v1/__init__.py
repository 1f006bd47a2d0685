"""The native face: ``/v1``."""

from collections.abc import Sequence

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
    groups,
    jobs,
    me,
    memberships,
    partitions,
    preassignments,
    roles,
    tokens,
    transfer,
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
    roles.routes.router,
    departments.routes.router,
    cohorts.routes.router,
    content_groups.routes.router,
    preassignments.routes.router,
    jobs.routes.router,
    changes.routes.router,
    accounts.routes.router,
    tokens.router,
    transfer.routes.router,
)
