"""Whether ``groupsvc serve`` traces what it does: when the standard variables name a collector."""

import os
from importlib.util import find_spec
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from groupsvc.telemetry.tracing import Tracing

COLLECTORS: Final = ("OTEL_EXPORTER_OTLP_ENDPOINT", "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT")
PACKAGES: Final = ("exporter.otlp.proto.http", "instrumentation.asyncpg", "sdk")


def is_traced() -> bool:
    named = any(os.environ.get(name) for name in COLLECTORS)
    off = os.environ.get("OTEL_SDK_DISABLED", "").lower() == "true"
    return named and not off and os.environ.get("OTEL_TRACES_EXPORTER", "otlp") == "otlp"


def check_tracing() -> None:
    """Raises ValueError when the packages for it are not installed."""
    if is_traced() and not all(map(_is_installed, PACKAGES)):
        raise ValueError("traces need more packages: pip install 'groupsvc[otel]'")


def _is_installed(package: str) -> bool:
    try:
        return find_spec(f"opentelemetry.{package}") is not None
    except ModuleNotFoundError:
        return False


def make_tracing() -> "Tracing | None":
    """For a worker process."""
    if not is_traced():
        return None
    from groupsvc.telemetry.tracing import start_tracing

    return start_tracing()
