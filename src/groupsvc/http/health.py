"""Whether the process lives, and whether it should get requests."""

import asyncio
from typing import Any

from fastapi import APIRouter, Request
from pydantic import BaseModel
from starlette.responses import JSONResponse

from groupsvc import __version__
from groupsvc.db.readiness import DatabaseCheck, Readiness

RETRY_AFTER = 1


class Liveness(BaseModel):
    status: str
    version: str


class ReadinessReport(BaseModel):
    status: str
    version: str
    checks: dict[str, str]


router = APIRouter(prefix="/health", tags=["health"])


@router.get("/live", operation_id="get_liveness", summary="Is the process alive?")
async def live() -> Liveness:
    """Answers without asking the database: restarting this process would not cure that one."""
    return Liveness(status="alive", version=__version__)


_NOT_READY: dict[int | str, dict[str, Any]] = {
    503: {
        "model": ReadinessReport,
        "description": "Not now: the database is away, or the process is about to stop",
    }
}


@router.get(
    "/ready",
    operation_id="get_readiness",
    summary="Should this process get requests?",
    response_model=ReadinessReport,
    responses=_NOT_READY,
)
async def ready(request: Request) -> JSONResponse:
    """Turns to 503 when the database cannot be used and as soon as the process is to stop."""
    stopping: asyncio.Event = request.state.stopping
    if stopping.is_set():
        return _report(Readiness(ready=False, checks={"process": "stopping"}))
    readiness: DatabaseCheck = request.state.readiness
    return _report(await readiness.check())


def _report(readiness: Readiness) -> JSONResponse:
    status = "ready" if readiness.ready else "not_ready"
    return JSONResponse(
        {"status": status, "version": __version__, "checks": readiness.checks},
        status_code=200 if readiness.ready else 503,
        headers=None if readiness.ready else {"retry-after": str(RETRY_AFTER)},
    )
