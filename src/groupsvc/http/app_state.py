"""What the application keeps for all its requests, in the state of the lifespan."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import cast

from starlette.requests import Request

from groupsvc.core.accounts.authentication import Authenticator
from groupsvc.core.changes.journal import Journal
from groupsvc.core.jobs.service import JobRunner
from groupsvc.core.transactions import TransactionRunner
from groupsvc.settings import Settings


@dataclass(frozen=True, slots=True)
class AppState:
    settings: Settings
    units: TransactionRunner
    authenticator: Authenticator
    jobs: JobRunner
    journals: Mapping[str, Journal]


def app_state(request: Request) -> AppState:
    return cast("AppState", request.scope["state"]["app_state"])
