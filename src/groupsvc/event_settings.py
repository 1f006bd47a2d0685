"""The settings of streams of events."""

from pydantic import Field
from pydantic_settings import BaseSettings


class EventSettings(BaseSettings):
    event_poll: float = Field(
        default=0.05,
        ge=0.01,
        le=10,
        description="Seconds between two looks for changes that streams of events tell of",
    )
    event_heartbeat: float = Field(
        default=15.0,
        ge=0.1,
        le=300,
        description="Seconds until a stream of events that is silent says that it is still there; "
        "who takes nothing for twice as long is let go",
    )
    event_buffer: int = Field(
        default=10_000,
        ge=10,
        description="Changes that are kept for all streams of events of a worker: who falls behind "
        "further while they take nothing is cut off, and may resume",
    )
    event_streams: int = Field(
        default=10_000, ge=1, description="Streams of events of a worker, for one institution"
    )
    event_streams_per_caller: int = Field(
        default=20, ge=1, description="Those of one caller in a worker"
    )
