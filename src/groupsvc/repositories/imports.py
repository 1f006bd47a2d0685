"""What imports read and write: a few statements for a whole batch of rows."""

from groupsvc.repositories.transfer.assignments import AssignmentBatches
from groupsvc.repositories.transfer.courses import CourseBatches
from groupsvc.repositories.transfer.roster import RosterBatches
from groupsvc.repositories.transfer.structure import StructureBatches


class ImportRepository(CourseBatches, RosterBatches, StructureBatches, AssignmentBatches):
    pass
