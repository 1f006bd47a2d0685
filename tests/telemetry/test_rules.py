"""Alert rules, dashboard and runbooks fit one another; promtool checks what they say."""

import json
import re
import shutil
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PROMETHEUS = ROOT / "deploy/prometheus"
ALERTS, ALERT_TESTS = PROMETHEUS / "alerts.yml", PROMETHEUS / "alerts.test.yml"
DASHBOARD = ROOT / "deploy/grafana/groupsvc.json"
RUNBOOKS = ROOT / "docs/runbooks.md"
PROMTOOL = shutil.which("promtool")
needs_promtool = pytest.mark.skipif(PROMTOOL is None, reason="promtool is not installed")


def expressions() -> list[str]:
    """What the panels ask, with the variables of Grafana filled in."""
    panels = json.loads(DASHBOARD.read_text(encoding="utf-8"))["panels"]
    asked = [target["expr"] for panel in panels for target in panel.get("targets", ())]
    return [
        each.replace("$__rate_interval", "5m").replace('"$job"', '"groupsvc"') for each in asked
    ]


def promtool(*arguments: object) -> None:
    done = subprocess.run(
        [str(PROMTOOL), *map(str, arguments)], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr


def alerts(text: str) -> list[str]:
    return re.findall(r"^ *- alert: (\w+)$", text, re.MULTILINE)


@needs_promtool
def test_the_alert_rules_are_rules() -> None:
    promtool("check", "rules", ALERTS)


@needs_promtool
def test_alerts_fire_when_they_should_and_not_else() -> None:
    promtool("test", "rules", ALERT_TESTS)


@needs_promtool
def test_the_example_is_a_configuration(tmp_path: Path) -> None:
    for name in ("scrape.yml", "alerts.yml"):
        shutil.copy(PROMETHEUS / name, tmp_path)
    promtool("check", "config", tmp_path / "scrape.yml")


@needs_promtool
def test_panels_ask_what_prometheus_understands(tmp_path: Path) -> None:
    rules = [{"record": f"panel:{n}", "expr": expr} for n, expr in enumerate(expressions())]
    file = tmp_path / "panels.yml"
    file.write_text(json.dumps({"groups": [{"name": "panels", "rules": rules}]}))
    promtool("check", "rules", file)


def test_every_alert_is_tested_both_ways() -> None:
    """promtool takes an alert that does not exist for one that does not fire."""
    text = ALERT_TESTS.read_text(encoding="utf-8")
    defined = set(alerts(ALERTS.read_text(encoding="utf-8")))
    quiet = set(re.findall(r"eval_time: \w+, alertname: (\w+)\}", text))
    firing = set(re.findall(r"^ *alertname: (\w+)\n *exp_alerts:\n *- ", text, re.MULTILINE))
    assert (quiet, firing) == (defined, defined)


def test_every_alert_leads_to_its_runbook() -> None:
    text = ALERTS.read_text(encoding="utf-8")
    names = alerts(text)
    pages = re.findall(r"^ *runbook: docs/runbooks\.md#([\w-]+)$", text, re.MULTILINE)
    titles = re.findall(r"^## (\w+)$", RUNBOOKS.read_text(encoding="utf-8"), re.MULTILINE)
    assert pages == [name.lower() for name in names]
    assert titles == names
    assert len(names) >= 10


def test_panels_have_room_and_a_title() -> None:
    panels = json.loads(DASHBOARD.read_text(encoding="utf-8"))["panels"]
    assert len({panel["id"] for panel in panels}) == len(panels)
    assert all(panel["title"] for panel in panels)
    taken: set[tuple[int, int]] = set()
    for panel in panels:
        place = panel["gridPos"]
        cells = {
            (x, y)
            for x in range(place["x"], place["x"] + place["w"])
            for y in range(place["y"], place["y"] + place["h"])
        }
        assert not cells & taken, panel["title"]
        assert max(x for x, _ in cells) < 24
        taken |= cells
