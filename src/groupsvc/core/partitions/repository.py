"""Partitions: one way each to divide a course."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypedDict

from sqlalchemy import update

from groupsvc.core.json_columns import COURSE_OF, PARTITION, PLACE, as_json
from groupsvc.core.repository import Repository
from groupsvc.db.statements import sql
from groupsvc.domain.json_resource import JsonResource, PartitionDoc
from groupsvc.models import Partition

READ = sql(f"""
    SELECT {PLACE}, row_to_json(shape)::text AS body
    FROM partitions p {COURSE_OF.format("p")} {as_json(PARTITION)}
    WHERE p.id = :id
""")

IN_COURSE = sql(f"""
    SELECT {PLACE}, coalesce((
        SELECT json_agg(row_to_json(shape) ORDER BY p.position, p.id)
        FROM partitions p {as_json(PARTITION)}
        WHERE p.course_id = c.id AND p.kind <> 'default'), '[]')::text AS body
    FROM courses c JOIN departments d ON d.id = c.department_id
    WHERE c.id = :course_id
""")

# The course before the partition, shared: changes of one course do not wait for one another here.
HOLD = sql(f"""
    SELECT {PLACE}, p.course_id, p.id, p.kind, p.name, p.groups_editable, c.is_locked
    FROM partitions p {COURSE_OF.format("p")}
    WHERE p.id = :id
    FOR SHARE OF c FOR NO KEY UPDATE OF p
""")

CREATE = sql("""
    INSERT INTO partitions
        (course_id, kind, name, position, groups_editable, show_in_lists, bul_show_rank)
    SELECT :course_id, :kind, :name,
           coalesce(:position,
                    (SELECT coalesce(max(position), 0) + 1 FROM partitions
                     WHERE course_id = :course_id AND kind <> 'default')),
           :groups_editable, :show_in_lists, :bul_show_rank
    RETURNING id
""")

# Those named come first, in the order given; the others keep theirs behind them.
ORDER = sql("""
    UPDATE partitions p SET position = ranked.position
    FROM (
        SELECT p.id, row_number() OVER (ORDER BY named.place, p.position, p.id) AS position
        FROM partitions p
        LEFT JOIN unnest(:ids) WITH ORDINALITY AS named (id, place)
            ON named.id = p.id
        WHERE p.course_id = :course_id AND p.kind <> 'default'
    ) ranked
    WHERE p.course_id = :course_id AND p.id = ranked.id AND p.position <> ranked.position
""")

IDS = sql("""
    SELECT id FROM partitions WHERE course_id = :course_id AND kind <> 'default'
    ORDER BY position, id
""")

OF_KIND = sql("SELECT id FROM partitions WHERE course_id = :course_id AND kind = :kind")

NAMED = sql("SELECT id FROM partitions WHERE course_id = :course_id AND name = :name")

DELETE = sql("DELETE FROM partitions WHERE course_id = :course_id AND id = :id")


@dataclass(frozen=True, slots=True)
class LockedPartition:
    """A partition whose list of groups nobody else changes until the transaction ends."""

    department: str
    course: str
    course_id: int
    id: int
    kind: str
    name: str | None
    groups_editable: bool
    is_locked: bool


class PartitionFlags(TypedDict, total=False):
    groups_editable: bool
    show_in_lists: bool
    bul_show_rank: bool


class PartitionRepository(Repository):
    async def read(self, partition_id: int) -> JsonResource[PartitionDoc] | None:
        return await self._document(READ, id=partition_id)

    async def in_course(self, course_id: int) -> JsonResource[list[PartitionDoc]] | None:
        """All but the default one, in order, with their groups; None when there is no course."""
        return await self._document(IN_COURSE, course_id=course_id)

    async def get_for_update(self, partition_id: int) -> LockedPartition | None:
        row = await self._row(HOLD, id=partition_id)
        return LockedPartition(**row._asdict()) if row is not None else None

    async def ids(self, course_id: int) -> list[int]:
        return [row.id for row in await self._rows(IDS, course_id=course_id)]

    async def of_kind(self, course_id: int, kind: str) -> int | None:
        row = await self._row(OF_KIND, course_id=course_id, kind=kind)
        return row.id if row is not None else None

    async def named(self, course_id: int, name: str) -> int | None:
        row = await self._row(NAMED, course_id=course_id, name=name)
        return row.id if row is not None else None

    async def create(
        self,
        course_id: int,
        name: str,
        *,
        kind: str = "ordinary",
        position: int | None = None,
        groups_editable: bool = True,
        show_in_lists: bool = True,
        bul_show_rank: bool = False,
    ) -> int:
        """Insert at a position as it is, or at the end. The course must be held."""
        row = await self._row(
            CREATE,
            course_id=course_id,
            kind=kind,
            name=name,
            position=position,
            groups_editable=groups_editable,
            show_in_lists=show_in_lists,
            bul_show_rank=bul_show_rank,
        )
        return int(row.id)  # type: ignore[union-attr]

    async def update(self, held: LockedPartition, values: Mapping[str, Any]) -> None:
        statement = update(Partition).where(
            Partition.course_id == held.course_id, Partition.id == held.id
        )
        await self._execute(statement.values(**values))

    async def order(self, course_id: int, ids: Sequence[int]) -> None:
        await self._rows(ORDER, course_id=course_id, ids=list(ids))

    async def delete(self, held: LockedPartition) -> None:
        """Its memberships and groups go first, each with its line in the log."""
        await self._rows(DELETE, course_id=held.course_id, id=held.id)
