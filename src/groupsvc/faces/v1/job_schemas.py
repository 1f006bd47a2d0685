"""What the native face answers of jobs."""

from datetime import datetime
from typing import Annotated, Literal

from pydantic import Field

from groupsvc.faces.v1.schemas import Id, Output, WhenKnown

Texts = list[str]


class CohortResult(Output):
    """The result of the rows that name one cohort."""

    cohort_name: str
    exists: bool
    learners_added: Annotated[int, Field(description="Added or moved")]
    learners_not_found: Texts
    invalid_email_addresses: Texts
    preassigned_learners: Texts
    learners_not_allowed: Annotated[Texts, Field(description="The cohort was full")]


class JobResult(Output):
    cohorts: list[CohortResult]
    without_identifier: Annotated[int, Field(description="Rows without an identifier")]


class FaultyField(Output):
    pointer: str
    code: str
    message: str


class JobError(Output):
    """Why it failed: what the request would have been refused with."""

    code: str
    message: str
    status: WhenKnown[int] = None
    permission: WhenKnown[str] = None
    kinds: WhenKnown[Texts] = None
    errors: WhenKnown[list[FaultyField]] = None


class JobAnswer(Output):
    """The answer that is kept for a while: `GET /v1/jobs/{id}/results`."""

    media_type: str
    bytes: int
    parts: int
    headers: Annotated[dict[str, str], Field(description="That come with it")]


class JobOut(Output):
    id: Id
    course_id: Annotated[Id | None, Field(description="Of an upload of cohorts")]
    kind: Literal["cohort_upload", "import", "export", "assignments", "undo"]
    request: Annotated[str | None, Field(examples=["POST /v1/import/roster"])]
    state: Literal["queued", "running", "succeeded", "failed", "cancelled"]
    is_being_cancelled: Annotated[bool, Field(description="It runs, and will end soon")]
    total: Annotated[int | None, Field(description="Rows; null before they have been counted")]
    attempted: Annotated[int, Field(description="Rows that are done, which one transaction writes")]
    succeeded: Annotated[int, Field(description="Rows that change something, or are exported")]
    skipped: Annotated[int, Field(description="Rows of what is so already")]
    preassigned: Annotated[int, Field(description="Addresses that wait for their users")]
    failed: Annotated[int, Field(description="Rows that are refused")]
    rows_per_second: Annotated[float | None, Field(description="Null before the first are done")]
    seconds_left: Annotated[int | None, Field(description="While it is running, at that speed")]
    result: Annotated[JobResult | None, Field(description="Of an upload of cohorts")]
    output: Annotated[
        JobAnswer | None, Field(description="Null before the end and when it is gone")
    ]
    error: JobError | None
    created_by: str
    created_at: datetime
    started_at: datetime | None
    finished_at: datetime | None
