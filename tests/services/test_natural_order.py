"""The order in which people list names."""

import string
from itertools import pairwise
from random import Random

from hypothesis import given
from hypothesis import strategies as st

from groupsvc.domain.names import normalise
from groupsvc.domain.natural_order import in_natural_order, natural_key

# Few characters, so that names are often alike: cases, accents, numbers of other scripts.
alike = st.text("aAbB\u00e9e\u0301 -.0129\u0663\u00b2\u00bd", max_size=8)
names = st.one_of(st.text(max_size=20), alike)


@given(names, names)
def test_every_two_names_have_an_order_and_only_the_same_are_equal(one: str, two: str) -> None:
    first, second = natural_key(one), natural_key(two)
    assert (first < second) + (first == second) + (first > second) == 1
    assert (first == second) == (one == two)


@given(st.lists(names, unique=True, max_size=12), st.randoms())
def test_the_order_does_not_depend_on_how_the_list_stood(given: list[str], random: Random) -> None:
    numbered = dict(enumerate(given))
    order = [numbered[each] for each in in_natural_order(numbered)]
    random.shuffle(given)
    numbered = dict(enumerate(given))
    assert [numbered[each] for each in in_natural_order(numbered)] == order
    assert all(natural_key(one) < natural_key(two) for one, two in pairwise(order))


@given(st.lists(st.text(string.ascii_lowercase + " -."), unique=True))
def test_names_without_numbers_cases_and_accents_are_compared_as_texts(given: list[str]) -> None:
    assert sorted(given, key=natural_key) == sorted(given)


@given(st.text(string.ascii_letters + " "), st.lists(st.integers(0, 10**30), unique=True))
def test_numbers_go_by_their_value(text: str, numbers: list[int]) -> None:
    listed = sorted((f"{text}{each}" for each in numbers), key=natural_key)
    assert listed == [f"{text}{each}" for each in sorted(numbers)]


def test_the_longest_name_of_digits_has_its_place() -> None:
    longest = normalise("9" * 255)
    assert in_natural_order({1: longest, 2: "1", 3: None}) == [3, 2, 1]


def test_lists_of_groups_as_people_write_them() -> None:
    written = [
        "1", "2", "10", "Groupe 1", "groupe 2", "Groupe 02", "Groupe 10", "Groupe B", "TD", "TD 1",
        "TD 1 bis", "TD 1a", "TD 2", "\u00e9t\u00e9", "Zone",
    ]  # fmt: skip
    expected = [
        "1", "2", "10", "\u00e9t\u00e9", "Groupe 1", "Groupe 02", "groupe 2", "Groupe 10",
        "Groupe B", "TD", "TD 1", "TD 1 bis", "TD 1a", "TD 2", "Zone",
    ]  # fmt: skip
    numbered = dict(enumerate(reversed(written)))
    assert [numbered[each] for each in in_natural_order(numbered)] == expected
