"""What imports read and write: a few statements for a whole batch of rows."""

from groupsvc.import_export.sql.assignments import AssignmentBatches
from groupsvc.import_export.sql.courses import CourseBatches
from groupsvc.import_export.sql.roster import RosterBatches
from groupsvc.import_export.sql.structure import StructureBatches


class ImportRepository(CourseBatches, RosterBatches, StructureBatches, AssignmentBatches):
    pass
