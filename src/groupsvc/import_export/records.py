"""What imports know of the rows of the database: as they are, or are about to be."""

from dataclasses import dataclass

from groupsvc.domain.names import sort_key


@dataclass(frozen=True, slots=True)
class Course:
    """``id`` is 0 for one that does not exist yet."""

    id: int
    key: str
    department: str
    title: str
    is_locked: bool


@dataclass(slots=True)
class RosterPerson:
    """A user as a roster describes them; ``id`` is None for one who is about to be created."""

    id: int | None
    username: str
    department: str | None
    email: str | None = None
    family_name: str = ""
    given_name: str = ""
    usual_name: str | None = None
    civility: str = "X"
    student_number: str | None = None
    national_number: str | None = None
    is_active: bool = True

    @property
    def sort_key(self) -> str:
        return sort_key(self.family_name, self.given_name, self.username)


@dataclass(slots=True)
class PartitionState:
    """``id`` is 0 for one that does not exist yet."""

    course_id: int
    name: str
    id: int = 0
    kind: str = "ordinary"
    position: int = 0
    groups_editable: bool = True
    show_in_lists: bool = True
    show_rank_on_report: bool = False


@dataclass(slots=True)
class GroupState:
    """``id`` is 0 for one that does not exist yet."""

    name: str
    id: int = 0
    position: int = 0
    capacity: int | None = None
    timetable_id: str | None = None
    assignment_type: str = "manual"
    content_partition_id: int | None = None
    content_group_id: int | None = None


@dataclass(frozen=True, slots=True)
class TargetPartition:
    course_id: int
    name: str
    id: int
    kind: str
    groups_editable: bool
