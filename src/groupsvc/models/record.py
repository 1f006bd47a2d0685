"""What was done, is being done, and must not be done twice."""

import uuid
from datetime import datetime
from typing import Any

from sqlalchemy import (
    CheckConstraint,
    ForeignKey,
    Identity,
    Index,
    Integer,
    PrimaryKeyConstraint,
    func,
    text,
)
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from groupsvc.models.declaration import Base, Xid8, created


class Change(Base):
    """One line of the change log, written by triggers alone. Course 0 is outside every course."""

    __tablename__ = "changes"
    __table_args__ = (
        PrimaryKeyConstraint("course_id", "seq"),
        Index("ix_changes_seq", "seq"),
        Index("ix_changes_user_id", "user_id", "seq"),
        Index("ix_changes_partition_id", "partition_id", "user_id", "seq"),
        Index("ix_changes_actor", "actor", "seq"),
        Index("ix_changes_transaction_id", "transaction_id", "seq"),
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
