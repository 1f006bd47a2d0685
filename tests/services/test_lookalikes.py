"""When names look alike, and that the database finds all that do."""

import unicodedata

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from groupsvc.domain.lookalikes import differ_by_damage, lookalike, shows_damage, similar
from tests.conftest import SQL
from tests.examples import examples

# Letters in many scripts, marks, spaces, invisible characters, forms that are compatible.
TEXTS = st.text(st.characters(exclude_categories=("Cs", "Cn", "Co"), exclude_characters="\x00"))
ODD = st.sampled_from(
    " \u00a0\u200b\ufeff\u00ad\u2019'\u2013-\u0345\u00df"
    "\u1e9e\u017f\u03a3\u03c2\u03c3\u0130\u0131\ufb01\u0401\u0451\u3164"
)
NAMES = st.lists(st.one_of(TEXTS, ODD), max_size=6).map("".join)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Cute Cats", "cute  cats"),
        ("Cute Cats", "\ufeffCute\u00a0Cats\u200b "),
        ("É", "e\u0301"),
        ("STRASSE", "straße"),
        ("L\u2019été", "l'\u00e9te\u0301"),
        ("A\u2013B", "a-b"),
        ("\uff34\uff30\uff11", "tp1"),
        ("ΣΊΣΥΦΟΣ", "σίσυφος"),
        ("Группа", "ГРУППА"),
        ("ﬁn", "FIN"),
    ],
)
def test_names_that_look_alike(one: str, other: str) -> None:
    assert lookalike(one) == lookalike(other)


@pytest.mark.parametrize(
    ("one", "other"),
    [("A", "\u0410"), ("TP 1", "TP1"), ("TP 1", "TP 2"), ("é", "e"), ("a-b", "a b"), ("o", "0")],
)
def test_names_that_do_not_look_alike(one: str, other: str) -> None:
    assert lookalike(one) != lookalike(other)


@given(NAMES)
@example("\u1f88")
@example("\u0345\u0301A")
def test_the_key_of_a_key_is_itself(name: str) -> None:
    assert lookalike(lookalike(name)) == lookalike(name)


@given(NAMES, st.sampled_from(["upper", "lower", "swapcase", "NFC", "NFD", "NFKC", "NFKD"]))
def test_case_and_composition_make_no_difference(name: str, change: str) -> None:
    if change.startswith("N"):
        name = name.replace("\u00b4", "").replace(
            "\u1ffd", ""
        )  # compatible with a space and a mark
        changed = unicodedata.normalize(change, name)  # type: ignore[arg-type]
        assert lookalike(changed) == lookalike(name)
    else:
        changed = getattr(name, change)()
        # Some letters have no way back: the dotless i, or the n with an apostrophe before it.
        assert (lookalike(changed) == lookalike(name)) or (
            changed.casefold() != name.casefold() or "\u0345" in unicodedata.normalize("NFKD", name)
        )


@settings(
    max_examples=examples(150),
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(st.lists(NAMES, min_size=1, max_size=20))
async def test_the_database_finds_whatever_looks_alike(sql: SQL, names: list[str]) -> None:
    pairs = [(name, other) for name in names for other in (lookalike(name), name.casefold())]
    found = await sql(
        "SELECT one, other, rough_name(one), rough_name(other)"
        " FROM unnest(CAST(:ones AS text[]), CAST(:others AS text[])) AS pair (one, other)",
        ones=[one for one, _ in pairs],
        others=[other for _, other in pairs],
    )
    for one, other, rough, rough_other in found:
        assert lookalike(one) != lookalike(other) or rough == rough_other, (one, other)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("420001", "00420001"),
        ("420001.0", "00420001"),
        ("420001,00", "420001"),
        ("4.2E+05", "00420001"),
        ("4,20001E+5", "420001"),
        ("4.20001e5", "420001"),
        ('"420001"', "420001"),
        ('="00420001"', "420001"),
        ("'420001", "420001"),
        ("9.99E+05", "999499"),
        ("0A12", "A12"),
        ("420001.", "00420001"),
        ("420.001", "420001"),
        ("1,420,001", "01420001"),
        ("420\u202f001", "420001"),
        ("42 00 01", "00420001"),
        ("420\u2019001", "420001"),
        ("1.234.567", "1234567"),
        ("1,234,567.00", "01234567"),
        ("1'234'567", "1234567"),
        ("42.000", "42"),
        ("42.000", "042000"),
        ("1,000", "1000"),
    ],
)
def test_numbers_that_a_spreadsheet_has_damaged(one: str, other: str) -> None:
    assert differ_by_damage(one, other)
    assert differ_by_damage(other, one)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("420001", "420001"),
        ("420001", "4200010"),
        ("4.2E+05", "00430001"),
        ("4.2E+05", "4200001"),
        ("9.99E+05", "1000000"),
        ("12E3", "12000"),
        ("0", "00"),
        ("", "0"),
        ("A12", "B12"),
        ("42.00.01", "420001"),
        ("1,420.001", "1420001"),
        ("A 12", "A12"),
        ("42.000", "420"),
        ("42.00", "4200"),
        ("1,234,567", "1"),
        ("1.234.000", "1234"),
        ("1.234,567", "1234567"),
    ],
)
def test_numbers_that_are_different(one: str, other: str) -> None:
    assert not differ_by_damage(one, other)


def test_damage_that_shows_by_itself() -> None:
    damaged = ["1.0", "12,00", "4.2E+05", "4E+05", "4.2e5"]
    damaged += [
        "1\u00a0234",
        "1\u202f234\u202f567",
        "1,234,567",
        "1.234.567",
        "1'234'567",
        "1.000",
        "420.001",
        "1.234.567,00",
    ]
    assert all(map(shows_damage, damaged))
    intact = ["1", "007", "12E3", "1.5", "A1.0", "", "1 23 45", "1.23.45", "12.34.567"]
    assert not any(map(shows_damage, intact))
    assert similar("000") == ()


def test_a_list_of_numbers_shows_no_damage() -> None:
    assert not any(shows_damage(each, may_be_list=True) for each in ("123,456", "1,234,567"))
    assert shows_damage("123,0", may_be_list=True)
