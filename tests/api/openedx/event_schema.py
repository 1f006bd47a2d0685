"""Holds events against the Avro schemas of the published package openedx-events."""

import io
from typing import Any

import fastavro
from django.conf import settings

if not settings.configured:
    settings.configure()

from openedx_events.event_bus.avro.deserializer import deserialize_bytes_to_event_data
from openedx_events.event_bus.avro.serializer import AvroSignalSerializer
from openedx_events.learning.signals import COHORT_MEMBERSHIP_CHANGED

# The others are tracking events, for which there is no schema.
SIGNALS = {COHORT_MEMBERSHIP_CHANGED.event_type: COHORT_MEMBERSHIP_CHANGED}


def hold_to_schema(event: dict[str, Any]) -> None:
    """Write the payload as it is, and read it as a consumer does. Raises when it does not fit."""
    signal = SIGNALS.get(event["name"])
    if signal is None:
        return
    written = io.BytesIO()
    schema = AvroSignalSerializer(signal).schema
    fastavro.schemaless_writer(written, schema, event["payload"], strict=True)
    read = deserialize_bytes_to_event_data(written.getvalue(), signal)["cohort"]
    given = event["payload"]["cohort"]
    pii = {name: getattr(read.user.pii, name) for name in ("username", "email", "name")}
    user = {"id": read.user.id, "is_active": read.user.is_active, "pii": pii}
    key = str(read.course.course_key)
    assert (read.name, key, user) == (given["name"], given["course"]["course_key"], given["user"])
