"""What every process does now and then."""

import logging
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import URL

from groupsvc.app import create_app
from groupsvc.core.audit.sealing import Sealer
from groupsvc.core.unit_of_work import TransactionRunner
from groupsvc.core.upkeep.service import Terms, Upkeep
from groupsvc.db.engine import make_engine
from groupsvc.db.pool import ConnectionPool
from groupsvc.settings import Settings
from tests.audit.conftest import Log
from tests.conftest import serving
from tests.waiting import until

TERMS: dict[str, Any] = {
    "pause": 1,
    "idempotency_hours": 24,
    "job_days": 30,
    "former_name_days": None,
    "preassignment_days": None,
}


def upkeep(units: TransactionRunner, *, warns: bool = False, **terms: Any) -> Upkeep:
    return Upkeep(units, Sealer(units, None), Terms(**{**TERMS, **terms}), warns=warns)


async def fill(log: Log) -> None:
    """Of each kind many that are 40 days old, and one of today."""
    await log.sql(
        "INSERT INTO idempotency_keys (subject, key, fingerprint, created_at)"
        " SELECT 'x', n::text, '', now() - (n > 0)::integer * interval '40 days'"
        " FROM generate_series(0, 250) n"
    )
    await log.sql(
        "INSERT INTO jobs (course_id, kind, state, total, created_by, finished_at)"
        " SELECT :course, 'x', 'done', 0, 'x', now() - (n > 0)::integer * interval '40 days'"
        " FROM generate_series(0, 250) n",
        course=log.world.course_id,
    )
    await log.sql(
        "INSERT INTO former_user_names (user_id, name, until)"
        " SELECT :user, n::text, now() - (n > 0)::integer * interval '40 days'"
        " FROM generate_series(0, 600) n",
        user=log.world.users[0],
    )
    await log.sql(
        "INSERT INTO preassignments (course_id, partition_id, group_id, email, created_at)"
        " SELECT course_id, partition_id, id, n || '@example.org',"
        " now() - (n > 0)::integer * interval '40 days'"
        " FROM groups, generate_series(0, 600) n WHERE name = 'A'"
    )
    await log.sql(
        "INSERT INTO removed_preassignments (course_id, id, email, removed_at)"
        " SELECT :course, n, n || '@example.org', now() - (n > 0)::integer * interval '31 days'"
        " FROM generate_series(0, 600) n",
        course=log.world.course_id,
    )


async def left(log: Log) -> tuple[int, ...]:
    (counts,) = await log.sql(
        "SELECT (SELECT count(*) FROM idempotency_keys), (SELECT count(*) FROM jobs),"
        " (SELECT count(*) FROM former_user_names), (SELECT count(*) FROM preassignments),"
        " (SELECT count(*) FROM removed_preassignments)"
    )
    return tuple(counts)


async def test_what_has_expired_goes_and_what_has_no_term_stays(log: Log) -> None:
    await fill(log)
    await upkeep(log.units).once()
    assert await left(log) == (1, 1, 601, 601, 1)
    await upkeep(log.units, former_name_days=39, preassignment_days=39).once()
    assert await left(log) == (1, 1, 1, 1, 1)
    lines = await log.sql(
        "SELECT DISTINCT actor, cause FROM changes WHERE kind = 'preassignment.deleted'"
    )
    assert lines == [("retention", "retention")]


async def test_it_works_in_the_role_that_serves(log: Log, service: URL) -> None:
    await fill(log)
    engine = make_engine(service, Settings())
    units = TransactionRunner(ConnectionPool(engine))
    mine = upkeep(units, former_name_days=39, preassignment_days=39)
    await mine.once()
    assert await left(log) == (1, 1, 1, 1, 1)

    async def is_sealed() -> bool:
        await mine.once()
        return (await log.verify()).seals == 1

    # Transactions of other databases on the server are waited for, too.
    await until(is_sealed)
    await engine.dispose()


async def test_a_service_seals_by_itself(log: Log, settings: Settings, home: Path) -> None:
    quick = settings.model_copy(update={"audit_seal_seconds": 0.01})

    async def is_sealed() -> bool:
        found = await log.verify()
        return found.seals > 0 and found.fault is None and found.unsealed == 0

    async with serving(create_app(quick, log.url, home)):
        await until(is_sealed)


@pytest.mark.parametrize("owns", [True, False])
async def test_who_serves_as_the_owner_is_warned_once(
    log: Log, service: URL, owns: bool, caplog: pytest.LogCaptureFixture
) -> None:
    engine = make_engine(log.url if owns else service, Settings())
    mine = upkeep(TransactionRunner(ConnectionPool(engine)), warns=True)
    with caplog.at_level(logging.WARNING):
        await mine.once()
        await mine.once()
    assert caplog.text.count("could rewrite the change log") == owns
    await engine.dispose()
