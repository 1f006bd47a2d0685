"""Accounts and their tokens."""

from datetime import datetime

from sqlalchemy import (
    CheckConstraint,
    ForeignKey,
    Identity,
    Index,
    UniqueConstraint,
    text,
)
from sqlalchemy.orm import Mapped, mapped_column

from groupsvc.models.declaration import CODE_POINTS, Base, created, tidy


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
