"""Tokens in the cookies of the platform's pages."""

import httpx
import pytest

from tests.api.openedx.conftest import FORBIDDEN, UNAUTHENTICATED, Callers, Course, envelope, told

ASKED = {"use-jwt-cookie": "true"}


def cookies(callers: Callers, kind: str) -> list[str]:
    """Header and payload in one, the signature in the other."""
    token = callers[kind]["authorization"].partition(" ")[2]
    head, _, signature = token.rpartition(".")
    return [f"edx-jwt-cookie-header-payload={head}", f"edx-jwt-cookie-signature={signature}"]


async def test_a_token_in_two_cookies(
    anonymous: httpx.AsyncClient, course: Course, callers: Callers
) -> None:
    headers = {**ASKED, "cookie": "; ".join(["sessionid=x", *cookies(callers, "course staff")])}
    assert told(await anonymous.get(course.cohorts, headers=headers)) == (200, [])
    changed = await anonymous.put(course.settings, json={"is_cohorted": True}, headers=headers)
    assert (changed.status_code, changed.json()["is_cohorted"]) == (200, True)
    headers = {**ASKED, "cookie": "; ".join(cookies(callers, "learner"))}
    assert told(await anonymous.get(course.cohorts, headers=headers)) == FORBIDDEN


@pytest.mark.parametrize("asked", [{}, {"use-jwt-cookie": ""}, {"x-csrftoken": ""}])
async def test_cookies_change_nothing_without_a_header_of_the_page(
    anonymous: httpx.AsyncClient, course: Course, callers: Callers, asked: dict[str, str]
) -> None:
    """Whoever makes a browser call from elsewhere has the cookies sent, but no such header."""
    headers = {**asked, "cookie": "; ".join(cookies(callers, "global staff"))}
    body = {"is_cohorted": True}
    answer = await anonymous.put(course.settings, json=body, headers=headers)
    assert told(answer) == (403, envelope("CSRF Failed: CSRF token missing."))
    assert told(await anonymous.get(course.cohorts, headers=headers)) == (200, [])
    unchanged = await anonymous.get(course.settings, headers=headers)
    assert unchanged.json()["is_cohorted"] is False


# One secret of Django, as it is and under two masks.
SECRET = "lFZIRxMh1OxDsYCiNRgJ7yTnbqxGLtv0"
MASKED = "ZatqXtQGDb77f9ceG1suNnaxq0fFwkjsaFiYEQsNuPuAxXEmjIy3KLTKrgCb7DEi"
MASKED_AGAIN = "qV9zYbII3Qni8Osy4rI3WD7rZKAnEM9kBqY7FykPUuKLqCUGH8OCT1QE00XTf5ua"


@pytest.mark.parametrize("kept", [None, SECRET, MASKED, MASKED_AGAIN])
@pytest.mark.parametrize("sent", [SECRET, MASKED])
async def test_cookies_with_the_token_against_forgery(
    anonymous: httpx.AsyncClient, course: Course, callers: Callers, kept: str | None, sent: str
) -> None:
    jar = [*cookies(callers, "course staff"), *([f"csrftoken={kept}"] if kept else [])]
    headers = {"x-csrftoken": sent, "cookie": "; ".join(jar)}
    changed = await anonymous.put(course.settings, json={"is_cohorted": True}, headers=headers)
    assert (changed.status_code, changed.json()["is_cohorted"]) == (200, True)


@pytest.mark.parametrize("sent", ["other", SECRET[::-1], MASKED[::-1], "é" * 64, SECRET + "-"])
async def test_another_token_against_forgery(
    anonymous: httpx.AsyncClient, course: Course, callers: Callers, sent: str
) -> None:
    jar = [*cookies(callers, "course staff"), f"csrftoken={MASKED}"]
    headers = {"x-csrftoken": sent.encode(), "cookie": "; ".join(jar)}
    answer = await anonymous.put(course.settings, json={"is_cohorted": True}, headers=headers)
    words = "CSRF Failed: CSRF token from the 'X-Csrftoken' HTTP header incorrect."
    assert told(answer) == (403, envelope(words))


async def test_half_a_token_and_a_wrong_one(
    anonymous: httpx.AsyncClient, course: Course, callers: Callers
) -> None:
    both = cookies(callers, "global staff")
    for each in (
        both[0],
        both[1],
        f"{both[0]}; edx-jwt-cookie-signature=",
        "nonsense",
        "sessionid=x",
        "",
    ):
        answer = await anonymous.get(course.cohorts, headers={**ASKED, "cookie": each})
        assert told(answer) == UNAUTHENTICATED
    headers = {**ASKED, "cookie": f"{both[0]}; edx-jwt-cookie-signature=x"}
    assert told(await anonymous.get(course.cohorts, headers=headers)) == (
        401,
        envelope("Invalid token."),
    )


async def test_the_header_comes_before_the_cookies(
    anonymous: httpx.AsyncClient, course: Course, callers: Callers
) -> None:
    headers = {**ASKED, "cookie": "; ".join(cookies(callers, "global staff"))}
    answer = await anonymous.get(course.cohorts, headers={**headers, **callers["learner"]})
    assert told(answer) == FORBIDDEN
