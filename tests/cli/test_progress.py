"""What the terminal shows of a command that takes long."""

import io

import pytest
from rich.console import Console

from groupsvc.cli import progress


@pytest.mark.parametrize(("total", "left"), [(100, True), (None, False)])
def test_progress_has_a_rate_and_with_a_total_the_time_left(
    monkeypatch: pytest.MonkeyPatch, total: int | None, left: bool
) -> None:
    screen = io.StringIO()
    console = Console(file=screen, force_terminal=True, width=120, color_system=None)
    monkeypatch.setattr(progress, "console", console)
    monkeypatch.setattr(progress, "DELAY", -1)
    with progress.Meter(total) as meter:
        meter.advance(40)
    shown = screen.getvalue()
    assert "rows" in shown
    assert "/s" in shown
    assert ("left:" in shown) is left
    assert ("40/100" in shown) is left


def test_what_is_done_at_once_shows_no_progress(monkeypatch: pytest.MonkeyPatch) -> None:
    screen = io.StringIO()
    monkeypatch.setattr(progress, "console", Console(file=screen, force_terminal=True))
    monkeypatch.setattr(progress, "DELAY", 3600)
    with progress.Meter(10) as meter:
        meter.advance(10)
    assert screen.getvalue() == ""
