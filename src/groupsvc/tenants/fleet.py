"""The institutions that a process serves: made when they are asked for, put aside when they rest.

Nothing of one is shared with another but the ceiling of connections: each has its own pools,
verifier of tokens, caches, rates and runner of jobs.
"""

import asyncio
import contextvars
import logging
from collections import OrderedDict
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from time import monotonic
from typing import Final, cast

from cachetools import TTLCache
from sqlalchemy import URL

from groupsvc import logs
from groupsvc.core.changes.tail import Crowd
from groupsvc.db.connect import hosts_of
from groupsvc.db.engine import make_engine
from groupsvc.db.readiness import Readiness
from groupsvc.domain.errors import UnavailableError
from groupsvc.institution import Institution, Means
from groupsvc.recorder import SILENT, Recorder
from groupsvc.settings import Settings
from groupsvc.tenants.connections import Budget, SharedPool, within
from groupsvc.tenants.own_settings import settings_of
from groupsvc.tenants.registry import Registry, Tenant, TenantRepository

# Of each institution: of one that has a process to itself there are more.
CACHED_TOKENS: Final = 500
SELDOM: Final = 86_400.0  # seconds: whoever visits looks for jobs instead
MOST_BROKEN: Final = 1_000
LARGEST_SHARE: Final = 0.5  # of the requests that a worker works on, for one institution

_log = logging.getLogger(__name__)


class Served:
    """An institution that has been made. ``last_used`` is None while nobody has asked for it;
    ``streams`` are no requests under way, but the institution is in use.
    """

    def __init__(self, tenant: Tenant, institution: Institution) -> None:
        self.tenant, self.institution = tenant, institution
        self.under_way = self.streams = 0
        self.last_used: float | None = None

    def is_at_rest(self, since: float) -> bool:
        return (
            not self.under_way
            and not self.streams
            and not self.institution.jobs.is_busy
            and (self.last_used is None or self.last_used <= since)
        )

    def end_bulk(self) -> None:
        """Bulk work is seldom: of many institutions each would keep a connection for it."""
        if not self.under_way and not self.institution.jobs.is_busy:
            cast("SharedPool", self.institution.pools["bulk"]).close_all_idle()

    def pools(self) -> Iterator[SharedPool]:
        return (cast("SharedPool", pool) for pool in self.institution.pools.values())


class Fleet:
    """``hosts`` and ``issuers`` say whose a request is."""

    def __init__(self, settings: Settings, home: Path, recorder: Recorder = SILENT) -> None:
        self.settings, self._home, self._recorder = settings, home, recorder
        self.most_of_one = max(1, int(settings.max_requests * LARGEST_SHARE))
        self.known = False
        self.tenants: dict[str, Tenant] = {}
        self._by_host: dict[str, Tenant] = {}
        self._by_issuer: dict[str, Tenant] = {}
        self._digest: str = ""
        self._served: OrderedDict[str, Served] = OrderedDict()
        self._retired: list[Served] = []
        self._crowd, self._is_stopping = Crowd(), False
        # Not tried with every request, which anybody may send.
        self._broken = TTLCache[str, Tenant](MOST_BROKEN, settings.tenant_poll, timer=monotonic)
        self.shared_hosts = frozenset(host_name(each.encode()) for each in settings.shared_hosts)
        self.hosts = Hosts(self)
        self.budget = Budget(settings.max_connections, settings.pool_timeout, self._pools)

    def of_host(self, host: str) -> Tenant | None:
        return self._by_host.get(host)

    def of_issuer(self, issuer: object) -> Tenant | None:
        return self._by_issuer.get(issuer) if isinstance(issuer, str) else None

    def served(self) -> list[Served]:
        return list(self._served.values())

    def is_made(self, tenant: Tenant) -> bool:
        return tenant.name in self._served

    def get(self, tenant: Tenant) -> Served:
        """The institution, made if need be. Raises UnavailableError when its settings are wrong."""
        served = self._served.get(tenant.name)
        if served is None:
            if self._broken.get(tenant.name) == tenant:
                raise UnavailableError("the institution is not available")
            try:
                served = self._make(tenant)
            except (ValueError, OSError) as error:
                _log.exception("the institution %s cannot be served", tenant.name)
                self._broken[tenant.name] = tenant
                raise UnavailableError("the institution is not available") from error
            self._served[tenant.name] = served
        return served

    def use(self, tenant: Tenant) -> Served:
        """The same for a request, which has to ``leave`` it."""
        served = self.get(tenant)
        served.under_way += 1
        served.last_used = asyncio.get_running_loop().time()
        self._served.move_to_end(tenant.name)
        return served

    def leave(self, served: Served, *, streamed: bool = False) -> None:
        if streamed:
            served.streams -= 1
        else:
            served.under_way -= 1
        served.last_used = asyncio.get_running_loop().time()

    def _make(self, tenant: Tenant) -> Served:
        settings = settings_of(tenant.own_settings, self.settings).model_copy(
            update={"job_poll": SELDOM, "audit_seal_seconds": self.settings.audit_seal_seconds}
        )
        home = tenant.home(self._home)
        means = Means(
            make_engine=partial(make_engine, wrap=within(self.budget, tenant.name)),
            make_pool=partial(SharedPool, budget=self.budget),
            cached_tokens=CACHED_TOKENS,
            crowd=self._crowd,
        )
        institution = Institution(settings, _served_url(tenant), home, self._recorder, means=means)
        # Not in the name of the request that happens to be the first.
        context = contextvars.Context()
        context.run(logs.tenant.set, tenant.name)
        context.run(institution.jobs.start)
        institution.tail.context = context
        if self._is_stopping:
            institution.tail.close()
        return Served(tenant, institution)

    def _pools(self) -> Iterator[SharedPool]:
        for served in (*self._retired, *self._served.values()):
            yield from served.pools()

    async def put_aside(self, since: float) -> None:
        """Close what has not been asked for since then, and what is not listed any more."""
        for served in self.served():
            if served.is_at_rest(since):
                self._retire(served)
            else:
                served.end_bulk()
        done = [each for each in self._retired if each.is_at_rest(float("inf"))]
        self._retired = [each for each in self._retired if each not in done]
        await asyncio.gather(*(each.institution.aclose() for each in done))
        self.budget.close_idle()

    def _retire(self, served: Served) -> None:
        served.institution.tail.close()
        del self._served[served.tenant.name]
        self._retired.append(served)

    def end_streams(self) -> None:
        """Those that there are, and those that come."""
        self._is_stopping = True
        for served in (*self._retired, *self.served()):
            served.institution.tail.close()

    async def read(self, registry: Registry) -> None:
        """Look whether the list has changed, and go by it. Raises UnavailableError."""
        digest: str = await registry.run(TenantRepository.digest, reading=True)
        if digest == self._digest:
            return
        found = await registry.every()
        self.tenants = {each.name: each for each in found}
        self._by_host = {host: each for each in found for host in each.hosts}
        self._by_issuer = {each.issuer: each for each in found if each.issuer is not None}
        for served in self.served():
            if self.tenants.get(served.tenant.name) != served.tenant:
                self._retire(served)
        self._digest, self.known = digest, True
        _log.info("%d institutions are served", len(found))

    async def aclose(self) -> None:
        every = [*self._retired, *self.served()]
        await asyncio.gather(*(each.institution.aclose() for each in every))

    async def check(self) -> Readiness:
        """Of the process: one institution whose database is away does not make it useless."""
        return Readiness(self.known, {"tenants": "ok" if self.known else "not listed yet"})


class Hosts:
    """The names at which requests are looked at any further."""

    def __init__(self, fleet: Fleet) -> None:
        self._fleet = fleet

    def __contains__(self, host: object) -> bool:
        name = host_name(cast("bytes", host))
        fleet = self._fleet
        listed = fleet.of_host(name) is not None or name in fleet.shared_hosts
        return listed or not fleet.known


def host_name(host: bytes) -> str:
    return host.decode("latin-1").lower().rstrip(".")


def _served_url(tenant: Tenant) -> URL:
    """While it moves its primary takes no writes: what does is not looked for."""
    url = tenant.url()
    if tenant.target_url is None or len(hosts_of(url)) == 1:
        return url
    return url.update_query_dict({"target_session_attrs": "primary"})
