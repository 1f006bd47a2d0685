"""Where rows may write: courses and departments, and what the caller holds in them."""

from collections.abc import Container, Iterable

from groupsvc.core.unit_of_work import UnitOfWork
from groupsvc.domain.errors import GroupsvcError, NotFoundError
from groupsvc.domain.principal import Permission, Place, Principal, forbidden
from groupsvc.import_export.batches import BatchRepository
from groupsvc.import_export.columns import Values
from groupsvc.import_export.dangers import NOTHING, Note, reused
from groupsvc.import_export.naming import Naming
from groupsvc.import_export.records import Course
from groupsvc.import_export.results import HAS_IDS, ReadRow


class PermissionCache:
    """Decides the same question once, however many rows ask it."""

    def __init__(self, uow: UnitOfWork, principal: Principal) -> None:
        self._uow = uow
        self._principal = principal
        self._known: dict[tuple[Permission, str | None, str | None], bool] = {}

    def holds(
        self, permission: Permission, department: str | None = None, course: str | None = None
    ) -> bool:
        """Whether a permission is held in a place, or everywhere when there is none."""
        asked = (permission, department, course)
        held = self._known.get(asked)
        if held is None:
            place = Place(department, course) if department is not None else None
            held = self._known[asked] = self._principal.may(permission, place)
            if held:
                self._uow.decisions.append((permission.value, department, course))
        return held

    def sees(self, department: str, course: str | None = None) -> bool:
        return self._principal.sees(Place(department, course))

    def require(
        self,
        permission: Permission,
        department: str | None,
        course: str | None = None,
        *,
        what: str | None = None,
    ) -> None:
        """Raises NotFoundError for a place out of sight, ForbiddenError for one in sight.

        ``what`` is not found then: the course, or without one the department, unless it is given.
        """
        if self.holds(permission, department, course):
            return
        if department is not None and not self._principal.sees(Place(department, course)):
            raise unknown(what or ("department" if course is None else "course"))
        raise forbidden(permission, where="here", in_words=True)


class Courses:
    """The courses that the rows of a batch name, as far as the caller may write to them."""

    def __init__(self, permissions: PermissionCache, permission: Permission) -> None:
        self._permissions = permissions
        self._permission = permission
        self._known: dict[str, Course | GroupsvcError] = {}
        self._locked: dict[int, bool] = {}
        self._notes: dict[str, Note] = {}

    async def load(self, uow: UnitOfWork, keys: Iterable[str], *, ids: Container[str] = ()) -> None:
        """Those of these keys, or else those that had them or whose keys look alike; the latter not
        for what are ``ids``."""
        wanted = sorted(set(keys))
        found = await uow.repository(BatchRepository).courses(wanted) if wanted else {}
        for key in wanted:
            self._known[key] = self._judge(found.get(key))
        self._notes = {
            key: reused(course.former_bearer)
            for key, course in found.items()
            if course.former_bearer is not None
            and self._permissions.sees(course.department, course.former_bearer)
        }
        missing = [key for key in wanted if key not in found]
        if missing:
            naming = Naming(uow, creates=False, accept=NOTHING)
            meant, similar = await naming.courses(missing, self._permissions.sees, ids=ids)
            self._known |= meant.refusals
            self._known |= {key: self._judge(similar[name]) for key, name in meant.names.items()}
            self._notes |= meant.notes

    def notes(self, rows: Iterable[ReadRow]) -> dict[int, Note]:
        """What is to be said of the courses of rows, by line."""
        return {
            line: self._notes[row["course_key"]]
            for line, row in rows
            if self._notes
            and not isinstance(row, GroupsvcError)
            and row.get("course_key") in self._notes
        }

    async def get_for_update(self, uow: UnitOfWork, *, for_lists: bool) -> None:
        """Keep them from being locked meanwhile, and learn which ones are."""
        ids = [each.id for each in self._known.values() if isinstance(each, Course)]
        if ids:
            self._locked = await uow.repository(BatchRepository).lock_courses(
                ids, for_lists=for_lists
            )

    def find(self, key: str) -> Course:
        """Raises what stands between the caller and this course."""
        found = self._known[key]
        if isinstance(found, GroupsvcError):
            # The same refusal for many rows: it must not drag along where it was raised before.
            raise found.with_traceback(None)
        return found

    def get(self, key: str | None) -> Course | None:
        """The course, if nothing stands in the way."""
        found = self._known.get(key) if key is not None else None
        return found if isinstance(found, Course) else None

    def get_held(self, key: str) -> Course | None:
        """One of those that stay until the transaction ends, if nothing stands in the way."""
        course = self.get(key)
        return course if course is not None and course.id in self._locked else None

    def is_locked(self, course_id: int) -> bool:
        return self._locked[course_id]

    def find_held(self, key: str) -> Course:
        """One of those that stay until the transaction ends."""
        course = self.find(key)
        if course.id not in self._locked:
            raise unknown("course")
        return course

    def _judge(self, course: Course | None) -> Course | GroupsvcError:
        if course is None:
            return unknown("course")
        try:
            self._permissions.require(self._permission, course.department, course.key)
        except GroupsvcError as refusal:
            return refusal
        return course


def ids_of(rows: Iterable[Values]) -> set[str]:
    """Keys of courses that are ids of another system."""
    return {row["course_key"] for row in rows if HAS_IDS in row and "course_key" in row}


def unknown(what: str) -> NotFoundError:
    return NotFoundError(f"no such {what}", code=f"unknown_{what}")
