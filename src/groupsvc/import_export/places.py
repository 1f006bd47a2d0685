"""Where rows may write: courses and departments, and what the caller holds in them."""

from collections.abc import Iterable

from groupsvc.core.unit_of_work import UnitOfWork
from groupsvc.domain import rules
from groupsvc.domain.errors import ForbiddenError, GroupsvcError, NotFoundError
from groupsvc.domain.principal import Permission, Place, Principal
from groupsvc.import_export.batches import BatchRepository
from groupsvc.import_export.records import Course


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
        raise ForbiddenError(f"this needs {permission} here")


class Courses:
    """The courses that the rows of a batch name, as far as the caller may write to them."""

    def __init__(self, permissions: PermissionCache, permission: Permission) -> None:
        self._permissions = permissions
        self._permission = permission
        self._known: dict[str, Course | GroupsvcError] = {}
        self._locked: dict[int, bool] = {}

    async def load(self, uow: UnitOfWork, keys: Iterable[str]) -> None:
        wanted = sorted(set(keys))
        found = await uow.repository(BatchRepository).courses(wanted) if wanted else {}
        for key in wanted:
            self._known[key] = self._judge(found.get(key))

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

    def get_open(self, key: str) -> Course | None:
        course = self.get(key)
        return course if course is not None and self._locked.get(course.id) is False else None

    def find_held(self, key: str) -> Course:
        """One of those that stay until the transaction ends."""
        course = self.find(key)
        if course.id not in self._locked:
            raise unknown("course")
        return course

    def find_open(self, key: str) -> Course:
        """One of those held. Raises LockedError as well."""
        course = self.find_held(key)
        rules.refuse_if_locked(self._locked[course.id])
        return course

    def _judge(self, course: Course | None) -> Course | GroupsvcError:
        if course is None:
            return unknown("course")
        try:
            self._permissions.require(self._permission, course.department, course.key)
        except GroupsvcError as refusal:
            return refusal
        return course


def unknown(what: str) -> NotFoundError:
    return NotFoundError(f"no such {what}", code=f"unknown_{what}")
