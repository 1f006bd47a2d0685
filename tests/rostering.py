"""Bundles as rostering systems write them, about a school with invented people."""

import csv
import io
from collections.abc import Iterable, Mapping
from pathlib import Path
from zipfile import ZIP_DEFLATED, ZipFile

ORGS = "sourcedId,status,dateLastModified,name,type,identifier,parentSourcedId"
CLASSES = (
    "sourcedId,status,dateLastModified,title,grades,courseSourcedId,classCode,classType,location,"
    "schoolSourcedId,termSourcedIds,subjects,subjectCodes,periods"
)
ENROLLMENTS = (
    "sourcedId,status,dateLastModified,classSourcedId,schoolSourcedId,userSourcedId,role,primary,"
    "beginDate,endDate"
)
USERS = {
    "1.1": "sourcedId,status,dateLastModified,enabledUser,orgSourcedIds,role,username,userIds,"
    "givenName,familyName,middleName,identifier,email,sms,phone,agentSourcedIds,grades,password",
    "1.2": "sourcedId,status,dateLastModified,enabledUser,username,userIds,givenName,familyName,"
    "middleName,identifier,email,sms,phone,agentSourcedIds,grades,password,userMasterIdentifier,"
    "preferredGivenName,preferredMiddleName,preferredFamilyName,primaryOrgSourcedId,pronouns",
}
ROLES = (
    "sourcedId,status,dateLastModified,userSourcedId,roleType,role,beginDate,endDate,orgSourcedId,"
    "userProfileSourcedId"
)


def table(header: str, rows: Iterable[Mapping[str, object]]) -> str:
    text = io.StringIO()
    writer = csv.DictWriter(text, header.split(","), restval="")
    writer.writeheader()
    writer.writerows(rows)
    return text.getvalue()


def bundle(
    version: str, *, students: int, school: str = "north", gone: int = 0, deleted: int = 0
) -> dict[str, str]:
    """Two classes of all students with a teacher each, of which the second has an aide as well.

    The last ``gone`` enrollments of students are to be deleted, and so are the last ``deleted``
    users.
    """
    people = [
        {
            "sourcedId": f"{school}-u{n}",
            "status": "tobedeleted" if n > students - deleted else "",
            "enabledUser": "true",
            "orgSourcedIds": f"{school},other",
            "primaryOrgSourcedId": school,
            "role": "student",
            "username": f"{school}.s{n}",
            "givenName": "Given",
            "familyName": f"Family {n}",
            "identifier": f"{school}-{n:05}",
            "email": f"{school}.s{n}@x.example",
        }
        for n in range(1, students + 1)
    ] + [
        {
            "sourcedId": f"{school}-{role}{n}",
            "enabledUser": "true",
            "orgSourcedIds": school,
            "primaryOrgSourcedId": school,
            "role": role,
            "username": f"{school}.{role}{n}",
            "familyName": role.title(),
        }
        for n, role in ((1, "teacher"), (2, "teacher"), (1, "aide"), (1, "guardian"))
    ]
    enrolled = [
        {
            "classSourcedId": f"{school}-c{n}",
            "userSourcedId": person["sourcedId"],
            "role": "student",
        }
        for n in (1, 2)
        for person in people[:students]
    ]
    for enrollment in enrolled[len(enrolled) - gone :]:
        enrollment["status"] = "tobedeleted"
    team = ((1, "teacher1", "teacher"), (2, "teacher2", "teacher"), (2, "aide1", "aide"))
    enrolled += [
        {"classSourcedId": f"{school}-c{n}", "userSourcedId": f"{school}-{who}", "role": role}
        for n, who, role in team
    ]
    for n, enrollment in enumerate(enrolled):
        enrollment |= {"sourcedId": f"{school}-e{n}", "schoolSourcedId": school}
    files = {
        "manifest.csv": "propertyName,value\nmanifest.version,1.0\n"
        f"oneroster.version,{version}\nfile.users,bulk\n",
        "orgs.csv": table(
            ORGS,
            (
                {"sourcedId": f"{school}-d", "name": "District", "type": "district"},
                {"sourcedId": school, "name": "A School", "type": "school"},
            ),
        ),
        "classes.csv": table(
            CLASSES,
            (
                {"sourcedId": f"{school}-c{n}", "title": f"Class {n}", "schoolSourcedId": school}
                for n in (1, 2)
            ),
        ),
        "courses.csv": "sourcedId,status,dateLastModified,title,courseCode,orgSourcedId\n",
        "users.csv": table(
            USERS[version],
            (
                {name: each[name] for name in each if name in USERS[version].split(",")}
                for each in people
            ),
        ),
        "enrollments.csv": table(ENROLLMENTS, enrolled),
    }
    if version == "1.2":
        files["roles.csv"] = table(
            ROLES,
            (
                {
                    "sourcedId": f"r-{each['sourcedId']}",
                    "userSourcedId": each["sourcedId"],
                    "roleType": "primary",
                    "role": each["role"],
                    "orgSourcedId": school,
                }
                for each in people
            ),
        )
    return files


def archive(files: Mapping[str, str | bytes], folder: str = "") -> bytes:
    content = io.BytesIO()
    with ZipFile(content, "w", ZIP_DEFLATED) as packed:
        for name, text in files.items():
            packed.writestr(folder + name, text)
    return content.getvalue()


def unpacked(files: Mapping[str, str], path: Path) -> Path:
    path.mkdir()
    for name, text in files.items():
        (path / name).write_text(text)
    return path
