"""(b) The shape of ScoDoc 9: Flask, the synchronous ORM with lazy relations, gunicorn.

Each request looks up the token, its account and what that may do; objects turn themselves into
dictionaries and load what belongs to them as they go; whoever is put into a group is looked for
among the students of the semester; what was done is written to a journal, and committed again.
"""

import hashlib
import os
from collections.abc import Iterable
from typing import Any

from flask import Flask, Response, abort, g, jsonify, request
from sqlalchemy import MetaData, create_engine, func, insert, make_url, select, text, update
from sqlalchemy.orm import DeclarativeBase, relationship, scoped_session, sessionmaker

Json = dict[str, Any]

url = make_url(os.environ["BENCHMARK_URL"]).set(drivername="postgresql+psycopg")
engine = create_engine(url, pool_size=8, connect_args={"options": "-c timezone=UTC"})
with engine.begin() as setup:
    setup.execute(text("CREATE TABLE IF NOT EXISTS scolog (at timestamptz, etudid int, msg text)"))
metadata = MetaData()
metadata.reflect(engine)
db = scoped_session(sessionmaker(engine))
memberships, scolog = metadata.tables["memberships"], metadata.tables["scolog"]


class Base(DeclarativeBase):
    metadata = metadata


class Token(Base):
    __table__ = metadata.tables["tokens"]
    account = relationship("Account")


class Account(Base):
    __table__ = metadata.tables["accounts"]
    grants = relationship("Grant")


class Grant(Base):
    __table__ = metadata.tables["grants"]


class Etudiant(Base):
    __table__ = metadata.tables["users"]


class Inscription(Base):
    __table__ = metadata.tables["enrollments"]


class Semester(Base):
    __table__ = metadata.tables["courses"]
    partitions = relationship("Partition", order_by="Partition.position")
    etuds = relationship("Etudiant", secondary=metadata.tables["enrollments"])


class Partition(Base):
    __table__ = metadata.tables["partitions"]
    semester = relationship("Semester", back_populates="partitions")
    groups = relationship("Group", order_by="Group.position, Group.name")

    def to_dict(self) -> Json:
        names = "id course_id kind name position groups_editable show_in_lists show_rank_on_report"
        own = {name: getattr(self, name) for name in names.split()}
        return {**own, "groups": [group.to_dict() for group in self.groups]}

    def to_scodoc(self) -> Json:
        return {
            "id": self.id,
            "partition_id": self.id,
            "formsemestre_id": self.course_id,
            "partition_name": self.name,
            "numero": self.position - 1,
            "bul_show_rank": self.show_rank_on_report,
            "show_in_lists": self.show_in_lists,
            "groups_editable": self.groups_editable,
            "groups": {group.id: group.to_scodoc() for group in self.groups},
        }

    def get_etud_group(self, etudid: int) -> "Group | None":
        return (
            db.query(Group)
            .join(memberships)
            .filter(Group.course_id == self.course_id, Group.partition_id == self.id)
            .filter(memberships.c.user_id == etudid)
            .first()
        )

    def set_etud_group(self, etudid: int, group: "Group") -> bool:
        """Returns whether they were somewhere else."""
        if etudid not in {etud.id for etud in self.semester.etuds}:
            abort(404)
        mine = (
            (memberships.c.course_id == self.course_id)
            & (memberships.c.partition_id == self.id)
            & (memberships.c.user_id == etudid)
        )
        row = db.execute(select(memberships).where(mine)).first()
        if row is not None and row.group_id == group.id:
            return False
        place = {"course_id": self.course_id, "partition_id": self.id, "user_id": etudid}
        if row is not None:
            values = {"group_id": group.id, "previous_group_id": row.group_id}
            db.execute(update(memberships).where(mine).values(since=func.now(), **values))
        else:
            db.execute(insert(memberships).values(group_id=group.id, **place))
        db.commit()
        db.execute(insert(scolog).values(at=func.now(), etudid=etudid, msg=f"group {group.id}"))
        db.commit()
        g.previous = row.group_id if row is not None else None
        return True


class Group(Base):
    __table__ = metadata.tables["groups"]
    partition = relationship("Partition", back_populates="groups")
    etuds = relationship("Etudiant", secondary=memberships, viewonly=True)

    def to_dict(self) -> Json:
        names = "id course_id partition_id name position capacity timetable_id assignment_type"
        return {name: getattr(self, name) for name in names.split()} | {"content_link": None}

    def to_scodoc(self) -> Json:
        return {
            "id": self.id,
            "partition_id": self.partition_id,
            "group_name": self.name,
            "name": self.name,
            "numero": self.position - 1,
            "edt_id": self.timetable_id,
        }


app = Flask(__name__)
app.json.sort_keys = False  # type: ignore[attr-defined]


@app.before_request
def check_token() -> None:
    given = request.headers.get("Authorization", "").removeprefix("Bearer ")
    digest = hashlib.sha256(given.encode()).digest()
    token = db.query(Token).filter_by(digest=digest).first()
    wanted = "groups:read" if request.method == "GET" else "groups:write"
    if token is None or not any(grant.permission == wanted for grant in token.account.grants):
        abort(403)


@app.teardown_appcontext
def close(_: BaseException | None) -> None:
    db.remove()


def found(kind: type[Any], **by: Any) -> Any:
    thing = db.query(kind).filter_by(**by).first()
    return thing if thing is not None else abort(404)


def listed(partitions: Iterable[Partition]) -> list[Partition]:
    return [partition for partition in partitions if partition.kind != "default"]


@app.get("/v1/partitions/<int:partition_id>")
def partition_info(partition_id: int) -> Response:
    return jsonify(found(Partition, id=partition_id).to_dict())


@app.get("/v1/courses/<int:semester_id>/partitions")
def semester_partitions(semester_id: int) -> Response:
    return jsonify([p.to_dict() for p in listed(found(Semester, id=semester_id).partitions)])


@app.get("/ScoDoc/api/formsemestre/<int:semester_id>/partitions")
def scodoc_partitions(semester_id: int) -> Response:
    partitions = listed(found(Semester, id=semester_id).partitions)
    return jsonify({partition.id: partition.to_scodoc() for partition in partitions})


@app.get("/v1/groups/<int:group_id>/members")
def group_etudiants(group_id: int) -> Response:
    """All of them: ScoDoc knows no pages."""
    group = found(Group, id=group_id)
    states = {
        each.user_id: each.state
        for each in db.query(Inscription)
        .join(memberships, memberships.c.user_id == Inscription.user_id)
        .filter(Inscription.course_id == group.course_id)
        .filter(memberships.c.course_id == group.course_id, memberships.c.group_id == group.id)
    }
    names = ("id", "username", "family_name", "given_name", "email", "student_number")
    items = [
        {name: getattr(etud, name) for name in names} | {"state": states.get(etud.id)}
        for etud in sorted(group.etuds, key=lambda etud: etud.id)
    ]
    return jsonify({"items": items})


@app.get("/v1/courses/<int:semester_id>/users/<int:etudid>/groups")
def etud_groups(semester_id: int, etudid: int) -> Response:
    etud, semester = found(Etudiant, id=etudid), found(Semester, id=semester_id)
    groups = ((p, p.get_etud_group(etud.id)) for p in listed(semester.partitions))
    return jsonify([{"partition_name": p.name, **each.to_dict()} for p, each in groups if each])


def set_group(group_id: int, etudid: int) -> tuple[Group, bool]:
    etud, group = found(Etudiant, id=etudid), found(Group, id=group_id)
    if group.partition.semester.is_locked:
        abort(403)
    if etud.id not in {each.id for each in group.partition.semester.etuds}:
        abort(404)
    return group, group.partition.set_etud_group(etud.id, group)


@app.put("/v1/groups/<int:group_id>/members/<int:etudid>")
def assign(group_id: int, etudid: int) -> Response:
    group, changed = set_group(group_id, etudid)
    return jsonify(
        course_id=group.course_id,
        partition_id=group.partition_id,
        group_id=group_id,
        user_id=etudid,
        changed=changed,
        previous_group_id=g.previous if changed else None,
    )


@app.post("/ScoDoc/api/group/<int:group_id>/set_etudiant/<int:etudid>")
def set_etudiant(group_id: int, etudid: int) -> Response:
    set_group(group_id, etudid)
    return jsonify(group_id=group_id, etudid=etudid)


@app.post("/v1/partitions/<int:partition_id>/assignments")
def assign_many(partition_id: int) -> Response:  # noqa: ARG001 - Flask names it
    """One student after the other: ScoDoc's editor sends a request for each."""
    rows: list[Json] = []
    for line, row in enumerate(request.get_json()["rows"], start=1):
        _, changed = set_group(row["group_id"], row["user_id"])
        previous = g.previous if changed else row["group_id"]
        result = "unchanged" if not changed else "assigned" if previous is None else "moved"
        rows.append({"line": line, "result": result, **row, "previous_group_id": previous})
    return jsonify(written=True, rows=rows)
