import pickle

import pytest

from groupsvc.auth.cache import MAX_AGE_SECONDS, TokenCache
from groupsvc.domain.principal import Principal

from .forge import NOW, Clock

ANNA = Principal("anna")


def test_a_token_is_remembered_until_it_expires(clock: Clock) -> None:
    cache = TokenCache[Principal](clock=clock)
    cache.put("token", ANNA, NOW + 60)
    clock.advance(59.9)
    assert cache.get("token") == (ANNA, NOW + 60)
    assert cache.get("Token") is None
    clock.advance(0.1)
    assert cache.get("token") is None
    assert len(cache) == 0


def test_a_token_is_verified_again_from_time_to_time(clock: Clock) -> None:
    cache = TokenCache[Principal](clock=clock)
    cache.put("token", ANNA, NOW + 86_400)
    clock.advance(MAX_AGE_SECONDS - 0.1)
    assert cache.get("token") == (ANNA, NOW + 86_400)
    clock.advance(0.1)
    assert cache.get("token") is None


def test_the_least_recently_used_goes_first(clock: Clock) -> None:
    cache = TokenCache[Principal](size=3, clock=clock)
    for name in ("a", "b", "c"):
        cache.put(name, Principal(name), NOW + 60)
    cache.get("a")
    cache.put("b", Principal("b"), NOW + 90)
    cache.put("d", Principal("d"), NOW + 60)
    assert [name for name in "abcd" if cache.get(name)] == ["a", "b", "d"]
    assert cache.get("b") == (Principal("b"), NOW + 90)


def test_it_is_bounded(clock: Clock) -> None:
    cache = TokenCache[Principal](clock=clock)
    for number in range(10_100):
        cache.put(str(number), ANNA, NOW + 60)
    assert len(cache) == 10_000


def test_no_token_is_kept() -> None:
    cache = TokenCache[Principal]()
    cache.put("gsv_a-very-recognisable-token", ANNA, NOW)
    assert b"recognisable" not in pickle.dumps(vars(cache))


@pytest.mark.parametrize("token", ["", "\ud800", "\0", "é"])
def test_no_token_is_too_strange(token: str, clock: Clock) -> None:
    cache = TokenCache[Principal](clock=clock)
    assert cache.get(token) is None
    cache.put(token, ANNA, NOW + 60)
    assert cache.get(token) == (ANNA, NOW + 60)
