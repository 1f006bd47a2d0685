"""Exports of one partition in the shape that another system imports."""

from collections.abc import Awaitable, Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Final

from groupsvc.core.service import Service
from groupsvc.core.unit_of_work import UnitOfWork
from groupsvc.domain import rules
from groupsvc.domain.errors import ConflictError, InvalidError, NotFoundError
from groupsvc.domain.principal import Permission, Principal
from groupsvc.import_export import exports
from groupsvc.import_export.exports import Page
from groupsvc.import_export.shapes.declared import Shape
from groupsvc.import_export.shapes.repository import GroupRow, MemberRow, ShapeRepository, Source

INACTIVE = "not active in the course"
MODE: Final = "audit"


@dataclass(frozen=True, slots=True)
class Elsewhere:
    """What the other system calls the course and the partition, if not as they are called here,
    and the ``mode`` in which users are enrolled there."""

    course: str | None = None
    partition: str | None = None
    mode: str | None = None


AS_HERE: Final = Elsewhere()


@dataclass(slots=True)
class ShapeExport:
    """A partition on its way out. ``left_out`` are those whom the last page passed over, and why.

    ``sources`` are what is still to be read.
    """

    shape: Shape
    partition_id: int
    course_id: int
    course: str
    partition: str
    groups: Sequence[GroupRow]
    sources: list[Source]
    after: int | None = None
    is_begun: bool = False
    left_out: list[tuple[str, str]] = field(default_factory=list[tuple[str, str]])
    mode: str = MODE

    @property
    def is_done(self) -> bool:
        return self.is_begun and not self.sources

    @property
    def without_members(self) -> list[str]:
        """Groups of which no row tells."""
        if self.shape.groups_alone:
            return []
        return [each.group for each in self.groups if each.group and not each.members]

    @property
    def left_out_in_all(self) -> int:
        return 0 if self.shape.groups_alone else sum(each.left_out for each in self.groups)

    def header(self) -> list[str]:
        return self._filled(self.shape.columns)

    def cells(self, group: str, username: str = "", email: str = "") -> list[str]:
        values = self.shape.columns.values()
        return self._filled(values, group=group, username=username, email=email)

    def _filled(self, texts: Iterable[str], **known: str) -> list[str]:
        known |= {"partition": self.partition, "course": self.course, "mode": self.mode}
        return [text.format_map(known) for text in texts]


class ShapeService(Service):
    async def partition_meant(self, course_id: int, name: str | None, shape: Shape) -> int:
        """The partition of this name; without one, that of the shape's kind or the only one.

        Raises NotFoundError, and InvalidError where there are several.
        """
        names = await self._uow.partitions.names(course_id)
        if name is not None:
            found = await self._uow.partitions.named(course_id, name)
        elif shape.kind is not None:
            found = await self._uow.partitions.of_kind(course_id, shape.kind)
        elif len(names) > 1:
            raise InvalidError(f"which partition is meant? There are {', '.join(names.values())}")
        else:
            found = next(iter(names), None)
        if found is None:
            raise NotFoundError("no such partition")
        return found

    async def begin(
        self, shape: Shape, partition_id: int, elsewhere: Elsewhere = AS_HERE
    ) -> ShapeExport:
        """Look at everything that is to go out.

        Raises NotFoundError, ForbiddenError, ConflictError for what the other system would misread
        or refuse, and InvalidError for what the file does not tell.
        """
        for name, told in (("partition", elsewhere.partition), ("mode", elsewhere.mode)):
            if told is not None and not shape.has(name):
                raise InvalidError(f"{shape.name} has no {name} in it")
        groups = await self._uow.repository(ShapeRepository).groups(
            partition_id, anybody=shape.anybody, unfit=_patterns(shape)
        )
        if not groups:
            raise NotFoundError("no such partition")
        first = groups[0]
        self._require(Permission.GROUPS_READ, first.department, first.course, what="partition")
        rules.refuse_if_default(first.kind, "partition")
        export = ShapeExport(
            shape,
            partition_id,
            first.course_id,
            elsewhere.course or first.course,
            elsewhere.partition or first.partition or "",
            groups if first.group is not None else [],
            [] if shape.groups_alone else ["members", *(("waiting",) if shape.anybody else ())],
            mode=elsewhere.mode or MODE,
        )
        _refuse_unfit(export)
        return export

    async def next_page(self, export: ShapeExport) -> Page:
        """The next rows, with the header before the first; the last page may be empty."""
        shape, page = export.shape, list[Sequence[object]]()
        export.left_out = []
        if not export.is_begun:
            page.append(export.header())
            export.is_begun = True
            if shape.groups_alone:
                return [*page, *(export.cells(each.group or "") for each in export.groups)]
        rows = await self._uow.repository(ShapeRepository).page(
            export.sources[0],
            export.course_id,
            export.partition_id,
            anybody=shape.anybody,
            unfit=_patterns(shape),
            after=export.after if export.after is not None else -(2**63),
            limit=exports.PAGE,
        )
        for row in rows:
            why = _why_left_out(shape, row)
            if why is None:
                page.append(export.cells(row.group, row.username, row.email))
            else:
                export.left_out.append((row.username, why))
        export.after = rows[-1].id if rows else None
        if len(rows) < exports.PAGE:
            export.sources, export.after = export.sources[1:], None
        return page


def shape_page_reader(
    principal: Principal, export: ShapeExport
) -> Callable[[UnitOfWork], Awaitable[Page]]:
    """Read the next page in a unit of work of its own."""

    async def read(uow: UnitOfWork) -> Page:
        return await ShapeService(uow, principal).next_page(export)

    return read


def _patterns(shape: Shape) -> list[str]:
    return [each.pattern for each in shape.unfit]


def _why_left_out(shape: Shape, row: MemberRow) -> str | None:
    if not row.is_taken:
        return INACTIVE
    return shape.unfit[row.unfit - 1].why if row.unfit is not None else None


def _refuse_unfit(export: ShapeExport) -> None:
    """Raises ConflictError with the first name that cannot be as it is, or the first group."""
    shape = export.shape
    for each in export.groups:
        name, why = each.group or "", shape.why_no_group(each.group or "")
        if why is None and shape.most_members is not None and each.members > shape.most_members:
            why = f"has more than {shape.most_members} members"
        if why is not None:
            raise _unfit(shape, f"group {name!r}", why)
    for what, why in (
        ("name of the partition", shape.why_no_partition(export.partition)),
        ("name of the course", shape.why_no_cell(export.course)),
        ("mode", shape.why_no_cell(export.mode)),
    ):
        if why is not None and shape.has(what.rpartition(" ")[2]):
            raise _unfit(shape, what, why)


def _unfit(shape: Shape, what: str, why: str) -> ConflictError:
    return ConflictError(f"{shape.title} does not take the {what}: it {why}", code="unfit_name")
