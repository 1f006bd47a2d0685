"""What a process makes for one institution: pools of connections, and all that is on them."""

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final

from sqlalchemy import URL
from sqlalchemy.ext.asyncio import AsyncEngine

from groupsvc.auth.verifier import make_verifier
from groupsvc.core.accounts.authentication import CACHED_TOKENS, Authenticator
from groupsvc.core.audit.sealing import Sealer
from groupsvc.core.audit.seals import read_private_key
from groupsvc.core.changes import tail
from groupsvc.core.changes.journal import Journal
from groupsvc.core.changes.tail import Crowd, Tail
from groupsvc.core.jobs.service import JobRunner, Pace
from groupsvc.core.unit_of_work import TransactionRunner
from groupsvc.core.upkeep.service import Terms, Upkeep
from groupsvc.db.engine import close_engine, for_bulk, make_engine
from groupsvc.db.pool import ConnectionPool
from groupsvc.db.readiness import DatabaseCheck
from groupsvc.db.standbys import Standbys
from groupsvc.faces import openedx, scodoc
from groupsvc.http.event_stream import render_line
from groupsvc.http.routing import AppState, CallRate
from groupsvc.recorder import SILENT, Recorder
from groupsvc.settings import Settings

# In whose words the change log can be read.
JOURNALS: Final[Mapping[str, Journal]] = {
    "scodoc": scodoc.JOURNAL,
    "openedx": openedx.JOURNAL,
}

VOCABULARY: Final = replace(
    scodoc.VOCABULARY, upload=openedx.UPLOAD_WORDS, numbering_systems={openedx.JOURNAL.system}
)

MakePool = Callable[..., ConnectionPool]


@dataclass(frozen=True, slots=True)
class Means:
    """How connections are opened and pooled, how many tokens are cached, and who else follows the
    change log of another institution.
    """

    make_engine: Callable[[URL, Settings], AsyncEngine] = make_engine
    make_pool: MakePool = ConnectionPool
    cached_tokens: int = CACHED_TOKENS
    crowd: Crowd | None = None


OF_ITS_OWN: Final = Means()


class Institution:
    """Nothing is connected before it is used. Raises ValueError and OSError for its settings."""

    def __init__(
        self,
        settings: Settings,
        url: URL,
        home: Path,
        recorder: Recorder = SILENT,
        *,
        embedded: bool = False,
        means: Means = OF_ITS_OWN,
    ) -> None:
        self._verifier = make_verifier(settings, home, scodoc.VOCABULARY.permissions)
        self._engines = means.make_engine(url, settings), means.make_engine(url, for_bulk(settings))
        words = replace(
            VOCABULARY,
            usernames_in_any_case=settings.openedx_usernames == "any_case",
            cohorts_collated=settings.openedx_cohort_order == "collated",
        )
        engine, bulk = self._engines
        self.pools = {
            "requests": means.make_pool(engine, "requests", recorder),
            "bulk": means.make_pool(bulk, "bulk", recorder, patience=settings.command_timeout),
        }
        self._standbys = Standbys(url, settings, recorder) if settings.read_hosts else None
        if self._standbys is not None:
            self.pools |= self._standbys.pools
        self.settings = settings
        units = TransactionRunner(
            self.pools["requests"], self.pools["bulk"], words, recorder, self._standbys
        )
        pace = Pace(poll=settings.job_poll, silence=settings.job_silence, keep=settings.job_days)
        self.jobs = JobRunner(units, pace)
        self.upkeep = _make_upkeep(units, settings)
        authenticator = Authenticator(self._verifier, tokens=means.cached_tokens)
        self.tail = Tail(
            units, authenticator, _tail_terms(settings), render_line, means.crowd or Crowd()
        )
        state = AppState(
            settings,
            CallRate(settings.max_requests_per_caller),
            units,
            authenticator,
            self.jobs,
            JOURNALS,
            self.tail,
        )
        strict = settings.env == "production"
        self._readiness = DatabaseCheck(engine, embedded=embedded, strict=strict)
        # What requests find in their state.
        self.request_state: Mapping[str, Any] = {
            "app_state": state,
            "readiness": self._readiness,
        }

    def start(self) -> None:
        """Begin what goes on by itself."""
        if self._standbys is not None:
            self._standbys.start()
        self.jobs.start()
        self.upkeep.start()

    async def aclose(self) -> None:
        await self.tail.stop()
        await self._readiness.aclose()
        await self.upkeep.stop()
        await self.jobs.stop()
        await self._verifier.aclose()
        if self._standbys is not None:
            await self._standbys.stop()
        await asyncio.gather(*map(close_engine, self._engines))


def _tail_terms(settings: Settings) -> tail.Terms:
    return tail.Terms(
        poll=settings.event_poll,
        quiet=settings.event_heartbeat,
        kept=settings.event_buffer,
        most=settings.event_streams,
        most_of_caller=settings.event_streams_per_caller,
    )


def _make_upkeep(units: TransactionRunner, settings: Settings) -> Upkeep:
    """Raises ValueError or OSError for a key that cannot be used."""
    path = settings.audit_key_file
    key = read_private_key(path) if path is not None else None
    terms = Terms(
        pause=settings.audit_seal_seconds,
        idempotency_hours=settings.idempotency_hours,
        job_days=settings.job_days,
        former_name_days=settings.former_name_days,
        preassignment_days=settings.preassignment_days,
    )
    return Upkeep(units, Sealer(units, key), terms, warns=settings.env == "production")
