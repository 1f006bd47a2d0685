"""A course in each state, with more names on its stage than the tour needs."""

import uuid
from types import SimpleNamespace
from typing import Any

from tests.conftest import SQL
from tests.tour import set_stage

Scene = Any  # a stage with more names on it

_STATES = {
    "open": "SELECT CAST(:course AS bigint)",
    "locked": "UPDATE courses SET is_locked = true WHERE id = :course",
    "ended": (
        "UPDATE courses SET starts_on = '2001-09-01', ends_on = '2002-01-31' WHERE id = :course"
    ),
    "not editable": (
        "UPDATE partitions SET groups_editable = false"
        " WHERE course_id = :course AND kind = 'ordinary'"
    ),
}


async def make_scene(sql: SQL, state: str) -> Scene:
    """Texts of the course and of its people hold a word that is nowhere else."""
    stage = await set_stage(sql)
    word = f"Word{stage.course}x"
    ((department,),) = await sql(
        "UPDATE departments SET name = :word WHERE acronym = :acronym RETURNING id",
        word=word,
        acronym=stage.department,
    )
    await sql("UPDATE courses SET title = :word WHERE id = :id", word=word, id=stage.course)
    await sql(
        "UPDATE users SET family_name = :word, sort_key = lower(:word) || ' ' || id,"
        " student_number = 'n-' || username, national_number = 'i-' || username"
        " WHERE department_id = :id",
        word=word,
        id=department,
    )
    other_key = f"{stage.key}-other"
    await sql(
        "INSERT INTO courses (department_id, key, title) VALUES (:id, :key, 'Other')",
        id=department,
        key=other_key,
    )
    cohort = await _add_cohort(sql, stage.course, stage.member)
    names = await sql("SELECT username FROM users WHERE id = :id", id=stage.users[1])
    await sql(_STATES[state], course=stage.course)
    return SimpleNamespace(
        **vars(stage),
        word=word,
        own_department=stage.department,
        department_id=department,
        other_key=other_key,
        cohort=cohort,
        peer=stage.users[1],
        peer_name=names[0][0],
        default=await _default_group(sql, stage.course),
    )


async def _add_cohort(sql: SQL, course: int, member: int) -> int:
    await sql(
        "INSERT INTO partitions (course_id, kind, name, position)"
        " VALUES (:course, 'cohorts', 'Cohorts', 3)",
        course=course,
    )
    ((cohort,),) = await sql(
        "INSERT INTO groups (course_id, partition_id, name, position)"
        " SELECT course_id, id, 'A', 1 FROM partitions"
        " WHERE course_id = :course AND kind = 'cohorts' RETURNING id",
        course=course,
    )
    await sql(
        "INSERT INTO memberships (course_id, partition_id, group_id, user_id)"
        " SELECT course_id, partition_id, id, :member FROM groups WHERE id = :cohort",
        cohort=cohort,
        member=member,
    )
    return int(cohort)


async def _default_group(sql: SQL, course: int) -> int:
    ((group,),) = await sql(
        "SELECT g.id FROM groups g JOIN partitions p ON p.id = g.partition_id"
        " WHERE p.course_id = :course AND p.kind = 'default'",
        course=course,
    )
    return int(group)


ABSENT_ID = 2**62
_IDS = ("course", "partition", "spare", "group", "other", "member", "loose", "job", "department_id")


def absent(scene: Scene) -> Scene:
    """The same names for what there is not; texts are as long as the ones that there are."""
    texts = ("department", "key", "username", "account", "empty")
    gone = {name: _another(getattr(scene, name)) for name in texts}
    ids = {name: ABSENT_ID + number for number, name in enumerate(_IDS)}
    gone["changeset"] = str(uuid.uuid4())
    more = {"cohort": 2**31 - 2, "users": (ABSENT_ID,) * 4, "groups": (ABSENT_ID,) * 2}
    return SimpleNamespace(**{**vars(scene), **ids, **gone, **more})


def _another(text: str) -> str:
    """One that nobody has: hexadecimal digits of names are shifted out of their range."""
    head, _, rest = text.partition("-v1:")
    turned = (rest or head).translate(str.maketrans("abcdef0123456789", "qrstuvwxyzghijkl"))
    return f"{head}-v1:{turned}" if rest else turned


async def digest(sql: SQL, scene: Scene) -> str:
    """Of all that is stored of a course and its department, so that nothing changes unseen."""
    ((found,),) = await sql(
        "SELECT md5(string_agg(line, '' ORDER BY line)) FROM ("
        " SELECT to_jsonb(t)::text FROM courses t WHERE id = :course"
        " UNION ALL SELECT to_jsonb(t)::text FROM partitions t WHERE course_id = :course"
        " UNION ALL SELECT to_jsonb(t)::text FROM groups t WHERE course_id = :course"
        " UNION ALL SELECT to_jsonb(t)::text FROM memberships t WHERE course_id = :course"
        " UNION ALL SELECT to_jsonb(t)::text FROM enrollments t WHERE course_id = :course"
        " UNION ALL SELECT to_jsonb(t)::text FROM preassignments t WHERE course_id = :course"
        " UNION ALL SELECT to_jsonb(t)::text FROM content_partitions t WHERE course_id = :course"
        " UNION ALL SELECT to_jsonb(t)::text FROM cohort_settings t WHERE course_id = :course"
        " UNION ALL SELECT to_jsonb(t)::text FROM jobs t WHERE course_id = :course"
        " UNION ALL SELECT to_jsonb(t)::text FROM changes t WHERE course_id = :course"
        " UNION ALL SELECT to_jsonb(t)::text FROM users t WHERE department_id = :department"
        " UNION ALL SELECT to_jsonb(t)::text FROM departments t WHERE id = :department"
        " UNION ALL SELECT to_jsonb(t)::text FROM accounts t WHERE name = :account"
        ") all_of_it (line)",
        course=scene.course,
        department=scene.department_id,
        account=scene.account,
    )
    return str(found)
