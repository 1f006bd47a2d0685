"""What the other generated clients do, by one of openapi-python-client."""

import io
import os
import sys
from typing import Any

from groupsvc_client import AuthenticatedClient
from groupsvc_client.api.courses import put_course
from groupsvc_client.api.enrollments import list_enrollments
from groupsvc_client.api.groups import create_group, edit_group, get_group
from groupsvc_client.api.import_and_export import export_table, import_roster_csv
from groupsvc_client.api.memberships import assign_member, list_members
from groupsvc_client.api.partitions import create_partition
from groupsvc_client.api.users import edit_user
from groupsvc_client.models import (
    ConflictProblem,
    CourseIn,
    ExportTableKind,
    GroupIn,
    GroupPatch,
    PartitionIn,
    UserPatch,
)
from groupsvc_client.types import UNSET, File

GENERATOR = "openapi-python-client"
KEY = f"course-v1:INFO+{GENERATOR}+2026"


def main(client: Any) -> None:
    course = put_course.sync(KEY, client=client, body=CourseIn(department="INFO"))
    partition = create_partition.sync(course.id, client=client, body=PartitionIn(name="TD"))
    body = GroupIn(name="TD1", capacity=2)
    group = create_group.sync(partition.id, client=client, body=body)

    rows = [f"{GENERATOR}-{n},Famille,Élise,{KEY}\n" for n in range(3)]
    table = "username,family_name,given_name,course_key\n" + "".join(rows)
    report = import_roster_csv.sync(client=client, body=File(io.BytesIO(table.encode())))
    assert report.counts.to_dict() == {"created": 3}

    users, cursor = [], UNSET
    while cursor is not None:
        page = list_enrollments.sync(course.id, client=client, limit=1, cursor=cursor)
        assert len(page.items) == 1
        users += [each.user_id for each in page.items]
        cursor = page.next_cursor
    assert len(users) == 3

    assert [assign_member.sync(group.id, user, client=client).changed for user in users[:2]] == [
        True,
        True,
    ]
    found = list_members.sync(group.id, client=client)
    assert [each.id for each in found.items] == users[:2]

    tag = get_group.sync_detailed(group.id, client=client).headers["etag"]
    changed = edit_group.sync(group.id, client=client, body=GroupPatch(capacity=30), if_match=tag)
    assert (changed.capacity, changed.name) == (30, "TD1")
    refused = edit_group.sync(group.id, client=client, body=GroupPatch(capacity=40), if_match=tag)
    assert isinstance(refused, ConflictProblem)
    assert refused.changes[0].kind == "group.updated"
    assert get_group.sync(group.id, client=client).capacity == 30

    person = edit_user.sync(users[0], client=client, body=UserPatch(given_name="Zoé"))
    assert (person.given_name, person.family_name) == ("Zoé", "Famille")
    answer = export_table.sync_detailed(ExportTableKind.ROSTER, client=client, course_id=course.id)
    lines = answer.content.decode().splitlines()
    assert (len(lines), lines[0].partition(",")[0]) == (4, "username")
    sys.stdout.write(f"{GENERATOR}: told\n")


main(AuthenticatedClient(os.environ["GROUPSVC_ADDRESS"], os.environ["GROUPSVC_TOKEN"]))
