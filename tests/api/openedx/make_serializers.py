"""Write ``serializers.json``: what serializers of Django REST framework make of bodies.

In an environment of its own, since nothing else here needs the framework::

    python -m venv /tmp/drf && /tmp/drf/bin/pip install "djangorestframework==3.18.*"
    /tmp/drf/bin/python tests/api/openedx/make_serializers.py

A line is the kind of the body, the body (a text is a form, anything else is JSON), and what comes
out: the members that are valid, or the first member that is not and why.
"""

import json
from pathlib import Path
from typing import Any

import django
from django.conf import settings
from django.http import QueryDict

settings.configure(USE_I18N=False)
django.setup()

from rest_framework import serializers  # noqa: E402 - needs the settings

TYPES = ("manual", "random")
STORED = Path(__file__).with_name("serializers.json")


class Settings(serializers.Serializer):
    is_cohorted = serializers.BooleanField()


class Cohort(serializers.Serializer):
    id = serializers.IntegerField(read_only=True)
    name = serializers.CharField(max_length=255)
    assignment_type = serializers.ChoiceField(choices=TYPES)
    user_partition_id = serializers.IntegerField(required=False, allow_null=True)
    group_id = serializers.IntegerField(required=False, allow_null=True)


class Patch(Cohort):
    name = serializers.CharField(max_length=255, required=False)
    assignment_type = serializers.ChoiceField(choices=TYPES, required=False)


class Users(serializers.Serializer):
    users = serializers.ListField(child=serializers.CharField(), allow_empty=False)


KINDS = {
    "settings": (Settings, {}),
    "cohort": (Cohort, {}),
    "patch": (Patch, {"partial": True}),
    "users": (Users, {}),
}

WORDS = [
    *("true", "TRUE", "True", "t", "T", "yes", "YES", "y", "Y", "on", "On", "1", "false", "False"),
    *("FALSE", "f", "F", "no", "No", "n", "N", "off", "OFF", "0", "null", "NULL", "none", "None"),
    *(
        "",
        " ",
        "true ",
        " 1",
        "1.0",
        "01",
        "2",
        "-1",
        "x",
        "vrai",
        "\u24e3",
        "tr\u0000ue",
        "\ud800",
    ),
]
NUMBERS = [
    0,
    1,
    2,
    -1,
    1.0,
    0.0,
    -0.0,
    0.5,
    1e3,
    5.0,
    5.5,
    1e16,
    1e-7,
    2026,
    2**63,
    -(2**63),
    10**19,
]
OTHERS: list[Any] = [True, False, None, [], {}, [1], {"a": 1}, [None], ["true"], [[]]]
INTEGERS = [
    *("5", "-5", "+5", " 5 ", "5.0", "5.", "5.000 ", "5.5", ".0", "-0", "0", "007", "1_000", "5e3"),
    *("0x5", "", " ", "\u0665", "\uff15", "five", "5,0", "--5", "5-", "\u22125", "5\u0000", "5\n"),
    *("\u00a05", "5.0.0", "1" * 19, "1" * 20, "1" * 1000, "1" * 1001, " " * 1001, "5.0\u3000"),
]
TEXTS = [
    *("A", " A ", "\tA\n", "\u00a0A\u3000", "\u200bA", "a b", "", " ", "\u3000", "\n", "x" * 255),
    *("x" * 256, " " + "x" * 255 + " ", "\u00e9" * 255, "\U0001f600" * 255, "\U0001f600" * 256),
    *("a\u0000b", "\u0000", "\ud800", "a\udfff", "\u0000\ud800", "x" * 256 + "\u0000", "e\u0301"),
    *("true", "null", "[]", "2026"),
]
CHOICES = [
    "manual",
    "random",
    "Manual",
    " manual",
    "manual ",
    "automatic",
    "",
    " ",
    "\u0000",
    "{a}",
]
FORMS = {
    "settings": [
        *("", "x=1", "is_cohorted=", "is_cohorted=true", "is_cohorted=on", "is_cohorted=off"),
        *("is_cohorted=true&is_cohorted=false", "is_cohorted=false&is_cohorted=true"),
        *("is_cohorted", "is_cohorted=null", "is_cohorted=+1", "IS_COHORTED=true", "is_cohorted=2"),
    ],
    "cohort": [
        *("", "name=A", "name=A&assignment_type=manual", "name=&assignment_type=manual"),
        *("name=+A+&assignment_type=random", "name=A&name=B&assignment_type=manual"),
        "name=A&name=&assignment_type=manual",
        *("name=A&assignment_type=", "name=A&assignment_type=x", "assignment_type=manual"),
        "name=A&assignment_type=manual&group_id=5&user_partition_id=50",
        "name=A&assignment_type=manual&group_id=5.0&user_partition_id=+50+",
        "name=A&assignment_type=manual&group_id=&user_partition_id=",
        "name=A&assignment_type=manual&group_id=null",
        "name=A&assignment_type=manual&group_id=+",
        "name=A&assignment_type=manual&group_id=1&group_id=",
        "name=A&assignment_type=manual&group_id=x&user_partition_id=y",
        "name=%00&assignment_type=manual",
        "name=%20&assignment_type=manual",
        "name[0]=A&assignment_type=manual",
    ],
    "patch": [
        *("", "x=1", "name=", "name=A", "name=+", "name=A&name=", "assignment_type="),
        *("assignment_type=random", "assignment_type=x", "group_id=", "group_id=5"),
        *("group_id=x", "user_partition_id=5", "name=&assignment_type=&group_id="),
        "name=&assignment_type=&user_partition_id=&group_id=",
    ],
    "users": [
        *("", "users", "users=", "users=a", "users=a&users=b", "users=+a+&users=", "users=a,b"),
        *("users[0]=a&users[1]=b", "users[1]=b&users[0]=a", "users[10]=c&users[9]=b", "users[]=a"),
        *("users[0]=a&users[0]=b", "users=a&users[0]=b", "users[x]=a", "users[-1]=a", "users.0=a"),
        *("users[0]=", "users[0][x]=a", "users[0]x=a", "xusers[0]=a", "users[00]=a", "users[0]=+"),
        *("users[0]=a&users[0]x=b", "users[0]x=a&users[0]=b", "users=%00", "users=7"),
    ],
}


def bodies() -> list[tuple[str, Any]]:
    cohort = {"name": "A", "assignment_type": "manual"}
    anything = [*NUMBERS, *OTHERS]
    found: list[tuple[str, Any]] = [("settings", {}), ("cohort", {}), ("patch", {}), ("users", {})]
    found.extend(("settings", {"is_cohorted": value}) for value in (*WORDS, *anything))
    for value in (*INTEGERS, *anything):
        found.append(("cohort", {**cohort, "group_id": value, "user_partition_id": 1}))
        found.append(("patch", {"user_partition_id": value}))
    for value in (*TEXTS, *anything):
        found.append(("cohort", {**cohort, "name": value}))
        found.append(("patch", {"name": value}))
        found.append(("users", {"users": ["a", value]}))
        found.append(("users", {"users": value}))
    for value in (*CHOICES, *anything):
        found.append(("cohort", {**cohort, "assignment_type": value}))
        found.append(("patch", {"assignment_type": value}))
    found.append(("cohort", {"name": None, "assignment_type": None, "group_id": "x"}))
    found.append(("cohort", {"assignment_type": "x", "user_partition_id": "y", "id": "z"}))
    found.append(("users", {"users": [None, "", True, []]}))
    found.extend((kind, text) for kind, texts in FORMS.items() for text in texts)
    return found


def outcome(kind: str, body: Any) -> Any:
    serializer, options = KINDS[kind]
    data = QueryDict(body) if isinstance(body, str) else body
    read = serializer(data=data, **options)
    if read.is_valid():
        return dict(read.validated_data)
    where, why = next(iter(read.errors.items()))
    while isinstance(why, dict):
        where, why = f"{where}: {next(iter(why))}", next(iter(why.values()))
    return f"{where}: {why[0]}"


if __name__ == "__main__":
    lines = [json.dumps([kind, body, outcome(kind, body)]) for kind, body in bodies()]
    STORED.write_text("[\n" + ",\n".join(lines) + "\n]\n")
