"""When traces are on: what the standard variables say."""

import subprocess
import sys

import pytest

from groupsvc.cli import tracing

COLLECTOR = {"OTEL_EXPORTER_OTLP_ENDPOINT": "http://127.0.0.1:4318"}
TRACES = {"OTEL_EXPORTER_OTLP_TRACES_ENDPOINT": "http://127.0.0.1:4318/v1/traces"}


@pytest.mark.parametrize(
    ("variables", "traced"),
    [
        ({}, False),
        ({"OTEL_SERVICE_NAME": "groupsvc"}, False),
        ({"OTEL_EXPORTER_OTLP_ENDPOINT": ""}, False),
        (COLLECTOR, True),
        (TRACES, True),
        ({**COLLECTOR, "OTEL_SDK_DISABLED": "True"}, False),
        ({**COLLECTOR, "OTEL_TRACES_EXPORTER": "none"}, False),
        ({**COLLECTOR, "OTEL_TRACES_EXPORTER": "otlp"}, True),
    ],
)
def test_traces_are_on_when_a_collector_is_named(
    monkeypatch: pytest.MonkeyPatch, variables: dict[str, str], traced: bool
) -> None:
    for name in (*COLLECTOR, *TRACES, "OTEL_SDK_DISABLED", "OTEL_TRACES_EXPORTER"):
        monkeypatch.delenv(name, raising=False)
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    assert tracing.is_traced() is traced
    made = tracing.make_tracing()
    assert (made is not None) is traced
    if made is not None:
        made.stop()


def test_a_package_that_is_missing_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", "http://127.0.0.1:4318")
    tracing.check_tracing()
    monkeypatch.setattr(tracing, "PACKAGES", ("sdk", "exporter.nothing"))
    with pytest.raises(ValueError, match=r"pip install 'groupsvc\[otel\]'"):
        tracing.check_tracing()


def test_what_is_off_is_not_imported() -> None:
    program = (
        "import sys, groupsvc.cli.server;"
        "print({'prometheus_client', 'opentelemetry.sdk'} & set(sys.modules))"
    )
    ended = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert ended.stdout == "set()\n"
