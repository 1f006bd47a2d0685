"""All tables, as SQLAlchemy sees them. The rules and the change log live in triggers (alembic/)."""

from groupsvc.models.access import Account, AccountGrant, Token
from groupsvc.models.cohorts import AutoAssignment, CohortSettings, ContentPartition, Preassignment
from groupsvc.models.declaration import Base
from groupsvc.models.division import Group, Membership, Partition
from groupsvc.models.record import Change, IdempotencyKey, Job
from groupsvc.models.roster import Course, Department, Enrollment, User

__all__ = [
    "Account",
    "AccountGrant",
    "AutoAssignment",
    "Base",
    "Change",
    "CohortSettings",
    "ContentPartition",
    "Course",
    "Department",
    "Enrollment",
    "Group",
    "IdempotencyKey",
    "Job",
    "Membership",
    "Partition",
    "Preassignment",
    "Token",
    "User",
]
