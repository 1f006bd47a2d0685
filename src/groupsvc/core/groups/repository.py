"""Groups: one part of a partition each."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import update

from groupsvc.core.json_columns import COURSE_OF, GROUP, PLACE, as_json
from groupsvc.core.repository import Repository
from groupsvc.db.statements import sql
from groupsvc.domain.json_resource import GroupDoc, JsonResource
from groupsvc.models import Group

READ = sql(f"""
    SELECT {PLACE}, row_to_json(shape)::text AS body
    FROM groups g {COURSE_OF.format("g")} {as_json(GROUP)}
    WHERE g.id = :id
""")

LOCATE = f"""
    SELECT {PLACE}, g.course_id, g.partition_id, g.id, g.name, p.kind, p.groups_editable,
           c.is_locked
    FROM groups g {COURSE_OF.format("g")}
    JOIN partitions p ON p.course_id = g.course_id AND p.id = g.partition_id
    WHERE g.id = :id
"""
FIND = sql(LOCATE)
HOLD = sql(f"{LOCATE} FOR SHARE OF c FOR NO KEY UPDATE OF p")

CREATE = sql("""
    INSERT INTO groups (course_id, partition_id, name, position, capacity, edt_id,
                        assignment_type, content_partition_id, content_group_id)
    SELECT :course_id, :partition_id, :name,
           coalesce(:position,
                    (SELECT coalesce(max(position), 0) + 1 FROM groups
                     WHERE course_id = :course_id AND partition_id = :partition_id)),
           :capacity, :edt_id, :assignment_type, :content_partition_id, :content_group_id
    RETURNING id
""")

CREATE_MANY = sql("""
    INSERT INTO groups (course_id, partition_id, name, position)
    SELECT :course_id, :partition_id, named.name, named.place + (
        SELECT coalesce(max(position), 0) FROM groups
        WHERE course_id = :course_id AND partition_id = :partition_id)
    FROM unnest(:names) WITH ORDINALITY AS named (name, place)
    RETURNING id, name
""")

ORDER = sql("""
    UPDATE groups g SET position = ranked.position
    FROM (
        SELECT g.id, row_number() OVER (ORDER BY named.place, g.position, g.name) AS position
        FROM groups g
        LEFT JOIN unnest(:ids) WITH ORDINALITY AS named (id, place)
            ON named.id = g.id
        WHERE g.course_id = :course_id AND g.partition_id = :partition_id
    ) ranked
    WHERE g.course_id = :course_id AND g.id = ranked.id AND g.position <> ranked.position
""")

NAMES = sql("""
    SELECT id, name FROM groups WHERE course_id = :course_id AND partition_id = :partition_id
    ORDER BY position, name
""")

DELETE = sql("DELETE FROM groups WHERE course_id = :course_id AND id = ANY (:ids)")


@dataclass(frozen=True, slots=True)
class LockedGroup:
    """A group of a partition whose list of groups nobody else changes meanwhile."""

    department: str
    course: str
    course_id: int
    partition_id: int
    id: int
    name: str | None
    kind: str
    groups_editable: bool
    is_locked: bool


class GroupRepository(Repository):
    async def read(self, group_id: int) -> JsonResource[GroupDoc] | None:
        return await self._document(READ, id=group_id)

    async def get_for_update(self, group_id: int) -> LockedGroup | None:
        row = await self._row(HOLD, id=group_id)
        return LockedGroup(**row._asdict()) if row is not None else None

    async def locate(self, group_id: int) -> LockedGroup | None:
        """The same without holding anything: for reads."""
        row = await self._row(FIND, id=group_id)
        return LockedGroup(**row._asdict()) if row is not None else None

    async def names(self, course_id: int, partition_id: int) -> dict[int, str | None]:
        """Names by id, in order."""
        rows = await self._rows(NAMES, course_id=course_id, partition_id=partition_id)
        return {row.id: row.name for row in rows}

    async def create(
        self, course_id: int, partition_id: int, name: str, values: Mapping[str, Any]
    ) -> int:
        """Insert at a position as it is, or at the end. The partition must be held."""
        given: dict[str, Any] = {
            "position": None,
            "capacity": None,
            "edt_id": None,
            "assignment_type": "manual",
            "content_partition_id": None,
            "content_group_id": None,
        }
        row = await self._row(
            CREATE,
            course_id=course_id,
            partition_id=partition_id,
            name=name,
            **{**given, **values},
        )
        return int(row.id)  # type: ignore[union-attr]

    async def create_many(
        self, course_id: int, partition_id: int, names: Sequence[str]
    ) -> dict[str, int]:
        """Append groups in one statement; answers their ids by name."""
        rows = await self._rows(
            CREATE_MANY, course_id=course_id, partition_id=partition_id, names=list(names)
        )
        return {row.name: row.id for row in rows}

    async def update(self, held: LockedGroup, values: Mapping[str, Any]) -> None:
        statement = update(Group).where(Group.course_id == held.course_id, Group.id == held.id)
        await self._execute(statement.values(**values))

    async def order(self, course_id: int, partition_id: int, ids: Sequence[int]) -> None:
        await self._rows(ORDER, course_id=course_id, partition_id=partition_id, ids=list(ids))

    async def delete(self, course_id: int, ids: Sequence[int]) -> None:
        """Their memberships go first, each with its line in the log."""
        await self._rows(DELETE, course_id=course_id, ids=list(ids))
