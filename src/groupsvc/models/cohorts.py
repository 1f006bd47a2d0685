"""What cohorts have beyond other groups, and what an editor keeps."""

from datetime import datetime
from typing import Any

from sqlalchemy import (
    CheckConstraint,
    ForeignKey,
    ForeignKeyConstraint,
    Identity,
    Index,
    PrimaryKeyConstraint,
    text,
)
from sqlalchemy.orm import Mapped, mapped_column

from groupsvc.models.declaration import CODE_POINTS, Base, created


class CohortSettings(Base):
    __tablename__ = "cohort_settings"
    __table_args__ = (
        PrimaryKeyConstraint("course_id"),
        CheckConstraint("random_assignment IN ('uniform', 'balanced')", name="random"),
    )

    course_id: Mapped[int] = mapped_column(
        ForeignKey("courses.id", name="fk_cohort_settings_course")
    )
    id: Mapped[int] = mapped_column(Identity())
    is_cohorted: Mapped[bool] = mapped_column(server_default=text("false"))
    random_assignment: Mapped[str] = mapped_column(server_default="uniform")


class Preassignment(Base):
    """An e-mail address waiting for its user; the row goes when it is used or cancelled."""

    __tablename__ = "preassignments"
    __table_args__ = (
        PrimaryKeyConstraint("course_id", "id"),
        ForeignKeyConstraint(
            ["course_id", "partition_id", "group_id"],
            ["groups.course_id", "groups.partition_id", "groups.id"],
            name="fk_preassignments_group",
        ),
        Index(
            "uq_preassignments_email", "course_id", text('lower(email COLLATE "C")'), unique=True
        ),
        Index("ix_preassignments_group_id", "course_id", "partition_id", "group_id"),
        Index("ix_preassignments_email", text('lower(email COLLATE "C")')),
    )

    course_id: Mapped[int]
    id: Mapped[int] = mapped_column(Identity())
    partition_id: Mapped[int]
    group_id: Mapped[int]
    email: Mapped[str] = mapped_column(CODE_POINTS)
    created_at: Mapped[datetime] = created()


class ContentPartition(Base):
    """Content groups that a learning platform declares: ids are its own, unique per course."""

    __tablename__ = "content_partitions"
    __table_args__ = (PrimaryKeyConstraint("course_id", "id"),)

    course_id: Mapped[int] = mapped_column(
        ForeignKey("courses.id", name="fk_content_partitions_course")
    )
    id: Mapped[int] = mapped_column(autoincrement=False)
    scheme: Mapped[str] = mapped_column(server_default="cohort")
    name: Mapped[str]
    description: Mapped[str] = mapped_column(server_default="")
    is_active: Mapped[bool] = mapped_column(server_default=text("true"))
    position: Mapped[int]
    groups: Mapped[list[Any]] = mapped_column(server_default="[]")


class AutoAssignment(Base):
    """What a group editor keeps for a course; only the editor understands it."""

    __tablename__ = "auto_assignments"
    __table_args__ = (PrimaryKeyConstraint("course_id"),)

    course_id: Mapped[int] = mapped_column(
        ForeignKey("courses.id", name="fk_auto_assignments_course", ondelete="CASCADE")
    )
    document: Mapped[str]
    saved_at: Mapped[datetime] = created()
