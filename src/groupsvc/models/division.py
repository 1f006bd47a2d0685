"""How courses are divided, and who is where."""

from datetime import datetime

from sqlalchemy import (
    CheckConstraint,
    ForeignKey,
    ForeignKeyConstraint,
    Identity,
    Index,
    Integer,
    PrimaryKeyConstraint,
    UniqueConstraint,
    func,
    text,
)
from sqlalchemy.orm import Mapped, mapped_column

from groupsvc.models.declaration import CODE_POINTS, Base, created, tidy


class Partition(Base):
    __tablename__ = "partitions"
    __table_args__ = (
        PrimaryKeyConstraint("course_id", "id"),
        UniqueConstraint("course_id", "name", name="uq_partitions_name"),
        CheckConstraint("kind IN ('default', 'ordinary', 'tracks', 'cohorts')", name="kind"),
        tidy("name", 255),
        CheckConstraint("(name IS NULL) = (kind = 'default')", name="default"),
        CheckConstraint("kind <> 'tracks' OR NOT groups_editable", name="tracks"),
        Index("ix_partitions_id", "id"),
        Index(
            "uq_partitions_kind",
            "course_id",
            "kind",
            unique=True,
            postgresql_where=text("kind <> 'ordinary'"),
        ),
    )

    course_id: Mapped[int] = mapped_column(ForeignKey("courses.id", name="fk_partitions_course"))
    id: Mapped[int] = mapped_column(Identity())
    kind: Mapped[str] = mapped_column(server_default="ordinary")
    name: Mapped[str | None] = mapped_column(CODE_POINTS)
    position: Mapped[int]
    groups_editable: Mapped[bool] = mapped_column(server_default=text("true"))
    show_in_lists: Mapped[bool] = mapped_column(server_default=text("true"))
    bul_show_rank: Mapped[bool] = mapped_column(server_default=text("false"))
    created_at: Mapped[datetime] = created()


class Group(Base):
    __tablename__ = "groups"
    __table_args__ = (
        PrimaryKeyConstraint("course_id", "id"),
        UniqueConstraint("course_id", "partition_id", "id", name="uq_groups_place"),
        UniqueConstraint(
            "course_id",
            "partition_id",
            "name",
            name="uq_groups_name",
            postgresql_nulls_not_distinct=True,
        ),
        ForeignKeyConstraint(
            ["course_id", "partition_id"],
            ["partitions.course_id", "partitions.id"],
            name="fk_groups_partition",
        ),
        tidy("name", 255),
        CheckConstraint("capacity >= 0", name="capacity"),
        CheckConstraint("assignment_type IN ('manual', 'random')", name="assignment_type"),
        CheckConstraint(
            "(content_partition_id IS NULL) = (content_group_id IS NULL)", name="content_link"
        ),
        Index("ix_groups_id", "id"),
    )

    course_id: Mapped[int]
    partition_id: Mapped[int]
    id: Mapped[int] = mapped_column(Identity())
    name: Mapped[str | None] = mapped_column(CODE_POINTS)
    position: Mapped[int]
    capacity: Mapped[int | None] = mapped_column(Integer)
    edt_id: Mapped[str | None]
    assignment_type: Mapped[str] = mapped_column(server_default="manual")
    content_partition_id: Mapped[int | None]
    content_group_id: Mapped[int | None]
    created_at: Mapped[datetime] = created()


class Membership(Base):
    """``previous_group_id`` is the group the user was moved from, kept by the upsert that moves."""

    __tablename__ = "memberships"
    __table_args__ = (
        PrimaryKeyConstraint("course_id", "partition_id", "user_id"),
        ForeignKeyConstraint(
            ["course_id", "partition_id", "group_id"],
            ["groups.course_id", "groups.partition_id", "groups.id"],
            name="fk_memberships_group",
        ),
        Index("ix_memberships_group_id", "course_id", "group_id", "user_id"),
        Index("ix_memberships_user_id", "user_id", "course_id"),
    )

    course_id: Mapped[int]
    partition_id: Mapped[int]
    user_id: Mapped[int] = mapped_column(ForeignKey("users.id", name="fk_memberships_user"))
    group_id: Mapped[int]
    previous_group_id: Mapped[int | None]
    since: Mapped[datetime] = mapped_column(server_default=func.now())
