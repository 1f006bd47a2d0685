"""What one request changed is reversed, as changes of their own; an undo as well."""

from typing import Any, Final

from groupsvc.core.service import OUTSIDE, Service
from groupsvc.core.undo.repository import (
    Changeset,
    Conflicts,
    Reversal,
    UndoRepository,
)
from groupsvc.domain import rules
from groupsvc.domain.errors import ConflictError, NotFoundError
from groupsvc.domain.principal import Permission

UNDO: Final = "undo"
REDO: Final = "redo"

# What the change log tells enough of, by the first word of its lines.
NOUNS: Final = frozenset(
    {
        "partition",
        "group",
        "membership",
        "former_name",
        "preassignment",
        "content_partition",
        "cohort_settings",
    }
)
# Of enrollments it tells what state and track were, not when somebody first came.
KINDS: Final = frozenset({"enrollment.updated"})


class UndoService(Service):
    async def undo(self, changeset_id: str, *, dry_run: bool = False) -> Reversal:
        """Reverse a changeset, if nothing that it touched has been changed since.

        A ``dry_run`` does all of it, answers what it did, and takes it back. Raises NotFoundError
        for what is out of sight, ForbiddenError, LockedError, ConflictError with the code
        ``not_undoable``, ``changed_since`` or ``address_forgotten``, and whatever else a rule
        refuses now.
        """
        await self._uow.begin()
        changeset = await self._log.find(changeset_id)
        if changeset is None:
            raise NotFoundError("no such changeset")
        self._authorize(changeset)
        _refuse_if_not_undoable(changeset)
        self._refuse_if_locked(await self._log.hold(changeset.course_ids))
        _refuse(await self._log.conflicts(changeset))
        await self._uow.set_cause(cause_of_undoing(changeset))
        if not dry_run:
            return await self._reverse(changeset)
        async with self._uow.savepoint(rollback=True):
            return await self._reverse(changeset)

    async def first_course(self, changeset_id: str) -> int:
        """The course, or the first of several, that a changeset is about; whoever asks."""
        changeset = await self._log.find(changeset_id)
        if changeset is None:
            raise NotFoundError("no such changeset")
        return changeset.course_ids[0]

    @property
    def _log(self) -> UndoRepository:
        return self._uow.repository(UndoRepository)

    def _authorize(self, changeset: Changeset) -> None:
        """Whoever undoes may do what undoing does, in every course that it is about."""
        placed = [part for part in changeset.parts if part.department is not None]
        if not placed and not self._principal.visible_scope.everywhere:
            raise NotFoundError("no such changeset")
        for part in placed:
            self._require(Permission.GROUPS_WRITE, part.department, part.course, what="changeset")
            if part.is_of_roster:
                self._require(Permission.ROSTER_WRITE, part.department, part.course)

    async def _reverse(self, changeset: Changeset) -> Reversal:
        """In such an order that nothing is without its place, and no rule is in the way of another.

        What is there before somebody comes back to it is restored first, and what was made goes
        last, when nobody is in it any more.
        """
        log, nouns = self._log, changeset.nouns
        has_groups = not nouns.isdisjoint({"partition", "group"})
        if has_groups:
            await log.defer_names()
            await log.restore_partitions(changeset)
            await log.restore_groups(changeset)
        if "preassignment" in nouns and await log.restore_preassignments(changeset):
            raise ConflictError(
                "an address that waited in a group is no longer known", code="address_forgotten"
            )
        if "membership" in nouns:
            await self._restore_memberships(changeset)
        if has_groups:
            _refuse(await log.left_over(changeset))
            await log.finish_groups(changeset)
            await log.finish_partitions(changeset)
            await log.check_names()
            rules.refuse_if_last_random(await log.lost_random())
        await self._restore_the_rest(changeset)
        return await log.done()

    async def _restore_memberships(self, changeset: Changeset) -> None:
        try:
            await self._log.restore_memberships(changeset)
        except NotFoundError as error:
            raise ConflictError("somebody of it is no longer known", code="user_gone") from error

    async def _restore_the_rest(self, changeset: Changeset) -> None:
        restore = {
            "enrollment": self._log.restore_enrollments,
            "former_name": self._log.restore_former_names,
            "content_partition": self._log.restore_content_partitions,
            "cohort_settings": self._log.restore_cohort_settings,
        }
        for noun, statement in restore.items():
            if noun in changeset.nouns:
                await statement(changeset)


def cause_of_undoing(changeset: Changeset) -> str:
    """What the lines of an undo say: which changeset is undone or, by an undo of that, done again.

    The change log is read by it: what has been undone stands in nobody's way.
    """
    verb, _, origin = (changeset.cause or "").partition(":")
    if verb == UNDO:
        return f"{REDO}:{origin}"
    return f"{UNDO}:{origin or changeset.id}"


def _refuse_if_not_undoable(changeset: Changeset) -> None:
    """Accounts, persons, courses and the like are not undone: the log does not keep all of them."""
    kinds = [
        kind
        for kind in sorted(changeset.kinds)
        if kind not in KINDS and kind.partition(".")[0] not in NOUNS
    ]
    if kinds:
        raise _not_undoable("this cannot be undone", kinds)
    gone = [part for part in changeset.parts if part.department is None]
    if gone and all(part.course_id != OUTSIDE for part in gone):
        raise _not_undoable("its course is no longer there", [])


def _not_undoable(message: str, kinds: list[str]) -> ConflictError:
    return ConflictError(message, code="not_undoable", kinds=kinds, changes=[])


def _refuse(found: Conflicts) -> None:
    if found.count:
        facts: dict[str, Any] = {"changes": found.changes, "count": found.count}
        raise ConflictError("this has been changed since", code="changed_since", **facts)
