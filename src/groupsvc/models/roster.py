"""Departments, users, courses, and who takes them."""

from datetime import datetime

from sqlalchemy import (
    CheckConstraint,
    ForeignKey,
    Identity,
    Index,
    PrimaryKeyConstraint,
    UniqueConstraint,
    text,
)
from sqlalchemy.orm import Mapped, mapped_column

from groupsvc.models.declaration import CODE_POINTS, Base, created, tidy


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
