"""The columns of the representations that the bare contender returns, as the service words them."""

PLACE = "d.acronym AS department, c.key AS course"
COURSE_OF = "JOIN courses c ON c.id = {0}.course_id JOIN departments d ON d.id = c.department_id"

# The users of a page, looked up one by one: a plain join lets the planner, which knows neither the
# course nor the limit, read all users of the university for the few of a group.
USER_OF = "CROSS JOIN LATERAL (SELECT * FROM users WHERE id = {0}.user_id OFFSET 0) u"

DEPARTMENT = "d.acronym, d.name"

COURSE = "c.id, c.key, d.acronym AS department, c.title, c.is_locked"

USER = """u.id, u.username, u.email, u.family_name, u.given_name, u.usual_name, u.civility,
    u.student_number, u.national_number,
    (SELECT ud.acronym FROM departments ud WHERE ud.id = u.department_id) AS department,
    u.is_active"""

PERSON = "u.id, u.username, u.family_name, u.given_name, u.email, u.student_number"

ENROLLMENT = "e.course_id, e.user_id, u.username, u.family_name, u.given_name, e.state, e.track"

GROUP = """g.id, g.course_id, g.partition_id, g.name, g.position, g.capacity, g.timetable_id,
    g.assignment_type,
    CASE WHEN g.content_partition_id IS NOT NULL
         THEN json_build_object('content_partition_id', g.content_partition_id,
                                'content_group_id', g.content_group_id) END AS content_link"""

PARTITION_ONLY = """p.id, p.course_id, p.kind, p.name, p.position, p.groups_editable,
    p.show_in_lists, p.show_rank_on_report"""

PARTITION = f"""{PARTITION_ONLY}, coalesce((
        SELECT json_agg(row_to_json(each_group)) FROM (
            SELECT {GROUP} FROM groups g
            WHERE g.course_id = p.course_id AND g.partition_id = p.id
            ORDER BY g.position, g.name
        ) each_group), '[]') AS groups"""

# The state is null for a member of a cohort who is not enrolled.
MEMBER = f"{PERSON}, e.state"

CHANGE = """x.seq, nullif(x.course_id, 0) AS course_id, x.at, x.actor, x.request_id,
    x.changeset_id, x.cause, x.kind, x.partition_id, x.group_id, x.user_id, x.before, x.after"""

ACCOUNT = """a.id, a.name, a.username, a.is_active, coalesce((
        SELECT json_agg(t.permission || coalesce('@department:' || gd.acronym,
                                                 '@course:' || gc.key, '')
                        ORDER BY t.permission, gd.acronym, gc.key)
        FROM grants t
        LEFT JOIN departments gd ON gd.id = t.department_id
        LEFT JOIN courses gc ON gc.id = t.course_id
        WHERE t.account_id = a.id), '[]') AS grants"""


def as_json(columns: str) -> str:
    return f"CROSS JOIN LATERAL (SELECT {columns}) shape"
