"""The settings of jobs: work that outlives its request."""

from pydantic import Field
from pydantic_settings import BaseSettings


class JobSettings(BaseSettings):
    job_poll: float = Field(
        default=10.0, ge=0.1, description="Seconds between two looks for jobs that others have left"
    )
    job_silence: float = Field(
        default=60.0, ge=1, description="Seconds after which a silent worker's job is taken over"
    )
    job_days: int = Field(default=30, ge=1, description="Days until a job that ended is forgotten")
    job_answer_hours: int = Field(
        default=24, ge=1, description="Hours until the answer of a job that ended is forgotten"
    )
    job_bytes: int = Field(
        default=8_388_608,
        ge=0,
        description="Bytes of a body above which imports and bulk requests become jobs",
    )
    job_rows: int = Field(default=200_000, ge=0, description="Rows above which exports become jobs")
    jobs_at_once: int = Field(
        default=2, ge=1, le=16, description="Jobs that a worker does at a time"
    )
    jobs_per_caller: int = Field(
        default=20, ge=1, description="Whole requests of one caller that may wait as jobs"
    )
    job_max_answer: int = Field(
        default=536_870_912, ge=1_048_576, description="Bytes of an answer that a job may keep"
    )
