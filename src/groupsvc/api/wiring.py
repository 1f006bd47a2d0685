"""What the application keeps for all its requests, in the state of the lifespan."""

from dataclasses import dataclass
from typing import cast

from starlette.requests import Request

from groupsvc.services.authentication import Authenticator
from groupsvc.services.jobs import JobRunner
from groupsvc.services.unit import Units
from groupsvc.settings import Settings


@dataclass(frozen=True, slots=True)
class Wiring:
    settings: Settings
    units: Units
    authenticator: Authenticator
    jobs: JobRunner


def wiring(request: Request) -> Wiring:
    return cast("Wiring", request.scope["state"]["wiring"])
