"""What endpoints ask for: services bound to the request's unit of work and caller."""

from typing import Annotated

from fastapi import Depends

from groupsvc.core.accounts.me import CallerService
from groupsvc.core.accounts.service import AccountService
from groupsvc.core.changes.service import ChangeService
from groupsvc.core.cohorts.assignment import CohortAssignmentService
from groupsvc.core.cohorts.members import CohortMemberService
from groupsvc.core.cohorts.preassignments import PreassignmentService
from groupsvc.core.cohorts.service import CohortService
from groupsvc.core.cohorts.uploads import CohortUploadService
from groupsvc.core.courses.service import CourseService
from groupsvc.core.departments.service import DepartmentService
from groupsvc.core.enrollments.service import EnrollmentService
from groupsvc.core.groups.by_pattern import GroupPatternService
from groupsvc.core.groups.service import GroupService
from groupsvc.core.memberships.service import MembershipService
from groupsvc.core.partitions.service import PartitionService
from groupsvc.core.persons.service import PersonService
from groupsvc.core.roles.service import RoleService
from groupsvc.core.undo.service import UndoService
from groupsvc.core.users.service import UserService
from groupsvc.http.routing import bound
from groupsvc.import_export.exports import ExportService
from groupsvc.import_export.shapes.service import ShapeService
from groupsvc.import_export.whole_imports import TableImportService

AccountServiceDep = Annotated[AccountService, Depends(bound(AccountService))]
CallerServiceDep = Annotated[CallerService, Depends(bound(CallerService))]
ChangeServiceDep = Annotated[ChangeService, Depends(bound(ChangeService))]
CohortAssignmentServiceDep = Annotated[
    CohortAssignmentService, Depends(bound(CohortAssignmentService))
]
CohortMemberServiceDep = Annotated[CohortMemberService, Depends(bound(CohortMemberService))]
CohortServiceDep = Annotated[CohortService, Depends(bound(CohortService))]
CohortUploadServiceDep = Annotated[CohortUploadService, Depends(bound(CohortUploadService))]
CourseServiceDep = Annotated[CourseService, Depends(bound(CourseService))]
DepartmentServiceDep = Annotated[DepartmentService, Depends(bound(DepartmentService))]
EnrollmentServiceDep = Annotated[EnrollmentService, Depends(bound(EnrollmentService))]
ExportServiceDep = Annotated[ExportService, Depends(bound(ExportService))]
GroupPatternServiceDep = Annotated[GroupPatternService, Depends(bound(GroupPatternService))]
GroupServiceDep = Annotated[GroupService, Depends(bound(GroupService))]
ImportServiceDep = Annotated[TableImportService, Depends(bound(TableImportService))]
MembershipServiceDep = Annotated[MembershipService, Depends(bound(MembershipService))]
PartitionServiceDep = Annotated[PartitionService, Depends(bound(PartitionService))]
PersonServiceDep = Annotated[PersonService, Depends(bound(PersonService))]
PreassignmentServiceDep = Annotated[PreassignmentService, Depends(bound(PreassignmentService))]
RoleServiceDep = Annotated[RoleService, Depends(bound(RoleService))]
ShapeServiceDep = Annotated[ShapeService, Depends(bound(ShapeService))]
UndoServiceDep = Annotated[UndoService, Depends(bound(UndoService))]
UserServiceDep = Annotated[UserService, Depends(bound(UserService))]
