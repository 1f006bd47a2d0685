"""What the native document fills in. Ids are those of the demo institution."""

from collections.abc import Mapping
from typing import Any, Final

from groupsvc.http.examples import Example, at

_COURSE: Final = "course-v1:INFO+PROG1+2026"
_CLIENT: Final = {"client_id": "demo", "client_secret": "demonstration"}

USUAL: Final[Mapping[str, Any]] = {
    "acronym": "INFO",
    "content_partition_id": 50,
    "course_id": 1,
    "dry_run": True,
    "group_id": 5,
    "job_id": 1,
    "key": _COURSE,
    "kind": "roster",
    "name": "demo",
    "partition_id": 5,
    "user_id": 2,
    "username": "demo001",
}

# What several operations are shown with is for different rows, so that all can be executed.
OWN: Final[Mapping[str, Example | None]] = {
    "issue_token": at({"grant_type": "client_credentials", **_CLIENT}),
    "revoke_token": at({"token": "gsv_one-that-is-over", **_CLIENT}),
    "put_course": at(
        {"department": "INFO", "title": "Programming 2"}, key="course-v1:INFO+PROG2+2026"
    ),
    "lock_course": at(course_id=4),
    "unlock_course": at(course_id=4),
    "create_partition": at({"name": "Workshops", "show_in_lists": True}),
    "order_partitions": at({"ids": [10, 9, 8]}, course_id=2),
    "put_tracks": at({"codes": ["A", "B"]}, course_id=3),
    "export_partition": at(**{"as": "canvas-groups"}),
    "edit_partition": at({"show_in_lists": False}, partition_id=7),
    "create_group": at({"name": "TD5", "capacity": 60}),
    "create_cohort": at({"name": "Cohort C", "assignment_type": "random"}),
    "create_groups": at({"pattern": "TD#", "from": 5, "count": 4, "capacity": 30}),
    "order_groups": at({"ids": [23, 22, 21, 20]}, partition_id=8),
    "edit_group": at({"capacity": 62}),
    "assign_member": at(user_id=11),
    "assign_many": at(
        {"rows": [{"user": "demo020", "group": "TD2"}, {"user_id": 31, "group_id": 7}]}
    ),
    "put_enrollment": at({"state": "active"}, course_id=2, user_id=200),
    "edit_enrollment": at({"state": "defaulted"}),
    "put_user": at(
        {
            "email": "alovelace@example.org",
            "family_name": "Lovelace",
            "given_name": "Ada",
            "civility": "F",
            "department": "INFO",
        },
        username="alovelace",
    ),
    # The person of whom it is tried stays who they are.
    "edit_user": at({"is_active": True}),
    "put_department": at({"name": "Physics"}, acronym="PHYS"),
    "put_cohort_settings": at({"is_cohorted": True, "random_assignment": "balanced"}),
    "assign_cohort": at({"user_id": 2}),
    "put_content_partition": at({"name": "Content", "groups": [{"id": 1, "name": "Experienced"}]}),
    "retire_address": at({"email": "nobody@example.org"}),
    "upload_cohorts": at("cohort,email\nCohort A,demo001@example.org\n"),
    "list_changes": at(course_id=1),
    # Swagger UI shows an answer when it is whole.
    "stream_course_events": at(seconds=5),
    # Which changesets there are is known when there are some.
    "undo_changeset": None,
    "put_team": at({"members": [{"username": "demo001", "roles": ["staff"]}]}),
    "put_team_member": at({"roles": ["moderator"]}, user_id=3),
    "put_user_roles": at({"roles": ["staff@department:INFO"]}),
    # Without a secret, so that one is made up and told once.
    "put_account": at({"grants": ["groups:read@department:INFO"]}, name="timetable-sync"),
    "import_courses": at(
        {"rows": [{"department": "INFO", "course_key": "course-v1:INFO+WEB1+2026"}]}
    ),
    "import_courses_csv": at("department,course_key\nINFO,course-v1:INFO+WEB1+2026\n"),
    "import_roster": at({"rows": [{"username": "ahopper", "course_key": _COURSE}]}),
    "import_roster_csv": at(f"username,course_key\nahopper,{_COURSE}\n"),
    "import_structure": at({"rows": [{"course_key": _COURSE, "partition": "TD", "group": "TD6"}]}),
    "import_structure_csv": at(f"course_key,partition,group\n{_COURSE},TD,TD6\n"),
    "import_assignments": at(
        {"rows": [{"course_key": _COURSE, "user": "demo010", "partition": "TD", "group": "TD1"}]}
    ),
    "import_assignments_csv": at(f"course_key,user,partition,group\n{_COURSE},demo010,TD,TD1\n"),
    "import_preassignments": at(
        {
            "rows": [
                {
                    "course_key": _COURSE,
                    "partition": "Cohorts",
                    "group": "Cohort A",
                    "waiting_email": "late@example.org",
                }
            ]
        }
    ),
    "import_preassignments_csv": at(
        f"course_key,partition,group,waiting_email\n{_COURSE},Cohorts,Cohort A,late@example.org\n"
    ),
    "import_content_groups": at(
        {
            "rows": [
                {"course_key": _COURSE, "content_partition_id": 51, "content_partition": "Content"}
            ]
        }
    ),
    "import_content_groups_csv": at(
        f"course_key,content_partition_id,content_partition\n{_COURSE},51,Content\n"
    ),
    "import_roles": at({"rows": [{"user": "demo002", "role": "staff", "course_key": _COURSE}]}),
    "import_roles_csv": at(f"user,role,course_key\ndemo002,staff,{_COURSE}\n"),
}
