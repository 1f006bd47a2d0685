"""The part of metrics in the processes of ``groupsvc serve``: one listens, each worker records.

What does it is imported when it is asked for: without metrics it would only delay the start.
"""

import os
import tempfile
from collections.abc import Generator
from contextlib import contextmanager
from typing import Final

from groupsvc.cli.runtime import Database
from groupsvc.recorder import SILENT, Recorder
from groupsvc.settings import Settings

# Read by prometheus_client when it is imported, in each of the processes.
DIRECTORY: Final = "PROMETHEUS_MULTIPROC_DIR"


@contextmanager
def serve_metrics(settings: Settings, database: Database) -> Generator[None]:
    """Raises ValueError when nobody can listen there."""
    if not settings.metrics_address:
        yield
        return
    with tempfile.TemporaryDirectory(prefix="groupsvc-metrics-") as directory:
        os.environ[DIRECTORY] = directory
        from groupsvc.telemetry.listener import listening

        with listening(settings, database.url if settings.control_url is None else None, directory):
            yield


def make_recorder(settings: Settings) -> Recorder:
    """For a worker process."""
    if not settings.metrics_address:
        return SILENT
    from prometheus_client import CollectorRegistry

    from groupsvc.telemetry.metrics import PrometheusRecorder

    return PrometheusRecorder(CollectorRegistry(), tenants=settings.metrics_tenants)
