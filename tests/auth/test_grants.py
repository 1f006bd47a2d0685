import pytest
from hypothesis import given
from hypothesis import strategies as st

from groupsvc.domain.errors import InvalidError
from groupsvc.domain.grants import MAX_NAME, format_grant, is_name, parse_grant
from groupsvc.domain.principal import Grant, Permission
from groupsvc.faces.scodoc.vocabulary import VOCABULARY

READ, WRITE = Permission.GROUPS_READ, Permission.GROUPS_WRITE


@pytest.mark.parametrize(
    ("text", "grant"),
    [
        ("admin", Grant(Permission.ADMIN)),
        ("groups:read", Grant(READ)),
        ("roster:write", Grant(Permission.ROSTER_WRITE)),
        ("groups:write@department:INFO", Grant(WRITE, department="INFO")),
        ("groups:write@department:R&T 1", Grant(WRITE, department="R&T 1")),
        ("groups:read@course:42", Grant(READ, course="42")),
        ("groups:read@course:course-v1:U+C+2026", Grant(READ, course="course-v1:U+C+2026")),
        ("groups:read@course:U/C/2026_1", Grant(READ, course="U/C/2026_1")),
        ("groups:read@course:a@course:b", Grant(READ, course="a@course:b")),
        ("groups:read@course:département", Grant(READ, course="département")),
        ("groups:read@course:" + "k" * MAX_NAME, Grant(READ, course="k" * MAX_NAME)),
    ],
)
def test_a_grant_and_its_text(text: str, grant: Grant) -> None:
    assert parse_grant(text) == grant
    assert format_grant(grant) == text


@pytest.mark.parametrize(
    ("text", "ours"),
    [
        ("ScoView", "groups:read"),
        ("EtudChangeGroups@department:RT", "groups:write@department:RT"),
        ("ScoEtudChangeGroups@course:k", "groups:write@course:k"),
    ],
)
def test_the_names_that_scodoc_has_are_written_as_ours(text: str, ours: str) -> None:
    assert format_grant(parse_grant(text, VOCABULARY.permissions)) == ours


@pytest.mark.parametrize(
    "text",
    [
        "",
        "@",
        "read",
        "Admin",
        " admin",
        "admin ",
        "admin\n",
        "groups",
        "groups:",
        "groups:read:write",
        "groups:read@",
        "groups:read@department",
        "groups:read@department:",
        "groups:read@:INFO",
        "groups:read@Department:INFO",
        "groups:read@faculty:INFO",
        "groups:read @department:INFO",
        "groups:read@department: INFO",
        "groups:read@course:k ",
        "groups:read@course:a\nb",
        "groups:read@course:a\x00b",
        "groups:read@course:a\u202eb",
        "groups:read@course:\ud800",
        "groups:read@course:" + "k" * (MAX_NAME + 1),
        "@course:k",
        "*",
    ],
)
def test_nonsense_is_no_grant(text: str) -> None:
    with pytest.raises(InvalidError) as refusal:
        parse_grant(text)
    assert len(text) < 3 or text not in str(refusal.value)


def test_a_grant_is_in_one_place() -> None:
    with pytest.raises(ValueError, match="not in both"):
        Grant(READ, department="INFO", course="42")


names = st.text(min_size=1, max_size=MAX_NAME).filter(is_name)
grants = st.one_of(
    st.builds(Grant, st.sampled_from(Permission)),
    st.builds(Grant, st.sampled_from(Permission), department=names),
    st.builds(Grant, st.sampled_from(Permission), course=names),
)


@given(grants)
def test_no_grant_is_lost_in_writing(grant: Grant) -> None:
    assert parse_grant(format_grant(grant)) == grant
