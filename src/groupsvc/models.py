"""All tables, as SQLAlchemy sees them. The rules and the change log live in triggers (alembic/)."""

import uuid
from datetime import datetime
from typing import Any, ClassVar, cast

from sqlalchemy import (
    TIMESTAMP,
    BigInteger,
    CheckConstraint,
    ForeignKey,
    ForeignKeyConstraint,
    Identity,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    PrimaryKeyConstraint,
    Text,
    UniqueConstraint,
    Uuid,
    func,
    text,
)
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.dialects.postgresql.base import ischema_names
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column
from sqlalchemy.types import UserDefinedType

CODE_POINTS = Text(collation="C")


class Xid8(UserDefinedType[int]):
    """A transaction id that never wraps."""

    cache_ok = True

    def __init__(self, *_: Any, **__: Any) -> None:
        """Reflection hands over arguments that this type has no use for."""

    def get_col_spec(self, **_: Any) -> str:
        return "XID8"


cast("dict[str, Any]", ischema_names)["xid8"] = Xid8


class Base(DeclarativeBase):
    metadata = MetaData(
        naming_convention={
            "pk": "pk_%(table_name)s",
            "ck": "ck_%(table_name)s_%(constraint_name)s",
        }
    )
    type_annotation_map: ClassVar[dict[Any, Any]] = {
        str: Text,
        int: BigInteger,
        datetime: TIMESTAMP(timezone=True),
        bytes: LargeBinary,
        uuid.UUID: Uuid,
        dict[str, Any]: JSONB,
        list[Any]: JSONB,
    }


def tidy(column: str, length: int) -> CheckConstraint:
    """Stored names are trimmed, NFC and of bounded length, whoever writes them."""
    return CheckConstraint(
        f"{column} IS NFC NORMALIZED AND {column} = btrim({column}) "
        f"AND {column} <> '' AND length({column}) <= {length}",
        name=column,
    )


def created() -> Mapped[datetime]:
    return mapped_column(server_default=func.now())


class Department(Base):
    __tablename__ = "departments"
    __table_args__ = (
        UniqueConstraint("acronym", name="uq_departments_acronym"),
        tidy("acronym", 64),
    )

    id: Mapped[int] = mapped_column(Identity(), primary_key=True)
    acronym: Mapped[str] = mapped_column(CODE_POINTS)
    name: Mapped[str] = mapped_column(server_default="")
    created_at: Mapped[datetime] = created()


class User(Base):
    __tablename__ = "users"
    __table_args__ = (
        UniqueConstraint("username", name="uq_users_username"),
        UniqueConstraint("department_id", "student_number", name="uq_users_student_number"),
        UniqueConstraint("department_id", "national_number", name="uq_users_national_number"),
        tidy("username", 150),
        CheckConstraint("civility IN ('M', 'F', 'X')", name="civility"),
        Index("uq_users_email", text('lower(email COLLATE "C")'), unique=True),
        Index("ix_users_sort_key", "sort_key", "id"),
        Index("ix_users_student_number", "student_number"),
        Index("ix_users_national_number", "national_number"),
    )

    id: Mapped[int] = mapped_column(Identity(), primary_key=True)
    department_id: Mapped[int | None] = mapped_column(
        ForeignKey("departments.id", name="fk_users_department")
    )
    username: Mapped[str] = mapped_column(CODE_POINTS)
    email: Mapped[str | None] = mapped_column(CODE_POINTS)
    family_name: Mapped[str] = mapped_column(server_default="")
    given_name: Mapped[str] = mapped_column(server_default="")
    usual_name: Mapped[str | None]
    civility: Mapped[str] = mapped_column(server_default="X")
    student_number: Mapped[str | None] = mapped_column(CODE_POINTS)
    national_number: Mapped[str | None] = mapped_column(CODE_POINTS)
    sort_key: Mapped[str] = mapped_column(CODE_POINTS)
    is_active: Mapped[bool] = mapped_column(server_default=text("true"))
    is_retired: Mapped[bool] = mapped_column(server_default=text("false"))
    created_at: Mapped[datetime] = created()


class Course(Base):
    __tablename__ = "courses"
    __table_args__ = (
        UniqueConstraint("key", name="uq_courses_key"),
        tidy("key", 255),
        Index("ix_courses_department_id", "department_id", "id"),
    )

    id: Mapped[int] = mapped_column(Identity(), primary_key=True)
    department_id: Mapped[int] = mapped_column(
        ForeignKey("departments.id", name="fk_courses_department")
    )
    key: Mapped[str] = mapped_column(CODE_POINTS)
    title: Mapped[str] = mapped_column(server_default="")
    is_locked: Mapped[bool] = mapped_column(server_default=text("false"))
    created_at: Mapped[datetime] = created()


class Enrollment(Base):
    __tablename__ = "enrollments"
    __table_args__ = (
        PrimaryKeyConstraint("course_id", "user_id"),
        CheckConstraint("state IN ('active', 'withdrawn', 'defaulted')", name="state"),
        Index("ix_enrollments_user_id", "user_id", "course_id"),
    )

    course_id: Mapped[int] = mapped_column(ForeignKey("courses.id", name="fk_enrollments_course"))
    user_id: Mapped[int] = mapped_column(ForeignKey("users.id", name="fk_enrollments_user"))
    state: Mapped[str] = mapped_column(server_default="active")
    track: Mapped[str | None]
    created_at: Mapped[datetime] = created()


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


class Job(Base):
    """Work that a request left to be done after it; ``payload`` goes when it is done."""

    __tablename__ = "jobs"
    __table_args__ = (
        PrimaryKeyConstraint("course_id", "id"),
        CheckConstraint("state IN ('queued', 'running', 'done', 'failed')", name="state"),
        Index("ix_jobs_id", "id"),
        Index("ix_jobs_finished_at", "finished_at"),
        Index(
            "uq_jobs_running", "course_id", unique=True, postgresql_where=text("state = 'running'")
        ),
        Index("ix_jobs_open", "id", postgresql_where=text("state IN ('queued', 'running')")),
    )

    course_id: Mapped[int] = mapped_column(
        ForeignKey("courses.id", name="fk_jobs_course", ondelete="CASCADE")
    )
    id: Mapped[int] = mapped_column(Identity())
    kind: Mapped[str]
    state: Mapped[str] = mapped_column(server_default="queued")
    total: Mapped[int] = mapped_column(Integer)
    attempted: Mapped[int] = mapped_column(Integer, server_default="0")
    succeeded: Mapped[int] = mapped_column(Integer, server_default="0")
    skipped: Mapped[int] = mapped_column(Integer, server_default="0")
    preassigned: Mapped[int] = mapped_column(Integer, server_default="0")
    failed: Mapped[int] = mapped_column(Integer, server_default="0")
    result: Mapped[dict[str, Any]] = mapped_column(JSONB, server_default="{}")
    payload: Mapped[bytes | None]
    created_by: Mapped[str]
    request_id: Mapped[str | None]
    worker: Mapped[str | None]
    tries: Mapped[int] = mapped_column(Integer, server_default="0")
    created_at: Mapped[datetime] = created()
    started_at: Mapped[datetime | None]
    heartbeat_at: Mapped[datetime | None]
    finished_at: Mapped[datetime | None]


class Account(Base):
    __tablename__ = "accounts"
    __table_args__ = (UniqueConstraint("name", name="uq_accounts_name"), tidy("name", 150))

    id: Mapped[int] = mapped_column(Identity(), primary_key=True)
    name: Mapped[str] = mapped_column(CODE_POINTS)
    secret_hash: Mapped[str]
    username: Mapped[str | None] = mapped_column(CODE_POINTS)
    is_active: Mapped[bool] = mapped_column(server_default=text("true"))
    created_at: Mapped[datetime] = created()


class AccountGrant(Base):
    __tablename__ = "grants"
    __table_args__ = (
        UniqueConstraint(
            "account_id",
            "permission",
            "department_id",
            "course_id",
            name="uq_grants",
            postgresql_nulls_not_distinct=True,
        ),
        CheckConstraint(
            "permission IN ('groups:read', 'groups:write', 'roster:write', 'admin')",
            name="permission",
        ),
        CheckConstraint("department_id IS NULL OR course_id IS NULL", name="place"),
        Index("ix_grants_department_id", "department_id"),
        Index("ix_grants_course_id", "course_id"),
    )

    id: Mapped[int] = mapped_column(Identity(), primary_key=True)
    account_id: Mapped[int] = mapped_column(
        ForeignKey("accounts.id", name="fk_grants_account", ondelete="CASCADE")
    )
    permission: Mapped[str]
    department_id: Mapped[int | None] = mapped_column(
        ForeignKey("departments.id", name="fk_grants_department", ondelete="CASCADE")
    )
    course_id: Mapped[int | None] = mapped_column(
        ForeignKey("courses.id", name="fk_grants_course", ondelete="CASCADE")
    )


class Token(Base):
    """An opaque token, known by its digest alone."""

    __tablename__ = "tokens"
    __table_args__ = (
        Index("ix_tokens_account_id", "account_id"),
        Index("ix_tokens_expires_at", "expires_at"),
    )

    digest: Mapped[bytes] = mapped_column(primary_key=True)
    account_id: Mapped[int] = mapped_column(
        ForeignKey("accounts.id", name="fk_tokens_account", ondelete="CASCADE")
    )
    expires_at: Mapped[datetime]
    created_at: Mapped[datetime] = created()


class IdempotencyKey(Base):
    """The outcome of a request, to be told again to whoever repeats it with the same key."""

    __tablename__ = "idempotency_keys"
    __table_args__ = (
        PrimaryKeyConstraint("subject", "key"),
        Index("ix_idempotency_keys_created_at", "created_at"),
    )

    subject: Mapped[str]
    key: Mapped[str]
    fingerprint: Mapped[bytes]
    status: Mapped[int | None] = mapped_column(Integer)
    headers: Mapped[dict[str, Any] | None] = mapped_column(JSONB)
    body: Mapped[bytes | None]
    decisions: Mapped[list[Any] | None] = mapped_column(JSONB)
    replays: Mapped[int] = mapped_column(Integer, server_default="0")
    created_at: Mapped[datetime] = created()


class Change(Base):
    """One line of the change log, written by triggers alone. Course 0 is outside every course."""

    __tablename__ = "changes"
    __table_args__ = (
        PrimaryKeyConstraint("course_id", "seq"),
        Index("ix_changes_seq", "seq"),
        Index("ix_changes_user_id", "user_id", "seq"),
        Index("ix_changes_partition_id", "partition_id", "user_id", "seq"),
        Index("ix_changes_actor", "actor", "seq"),
    )

    seq: Mapped[int] = mapped_column(Identity(always=True))
    course_id: Mapped[int] = mapped_column(server_default="0")
    at: Mapped[datetime] = mapped_column(server_default=func.clock_timestamp())
    actor: Mapped[str]
    request_id: Mapped[str | None]
    changeset_id: Mapped[uuid.UUID]
    cause: Mapped[str | None]
    kind: Mapped[str]
    partition_id: Mapped[int | None]
    group_id: Mapped[int | None]
    user_id: Mapped[int | None]
    before: Mapped[dict[str, Any] | None] = mapped_column(JSONB)
    after: Mapped[dict[str, Any] | None] = mapped_column(JSONB)
    transaction_id: Mapped[int] = mapped_column(Xid8, server_default=func.pg_current_xact_id())
