"""Several servers in one URL: how it is read, and which of them is taken."""

import socket
from collections.abc import Iterator

import pytest
from sqlalchemy import URL, text

from groupsvc.db import readiness
from groupsvc.db.connect import Host, hosts_of, parse_url
from groupsvc.db.engine import database_url, make_engine
from groupsvc.settings import Settings
from tests.waiting import until

LISTS = {
    "postgresql://u:p%40x@db1:5432,db2:5433/name": [Host("db1", 5432), Host("db2", 5433)],
    "postgresql://db1,db2/name?sslmode=require": [Host("db1"), Host("db2")],
    "postgres://u@[::1]:1,db2": [Host("::1", 1), Host("db2")],
    "postgresql:///name?host=db1:5432&host=db2": [Host("db1", 5432), Host("db2")],
    "postgresql://u@/name?host=db1,db2&port=1,2": [Host("db1", 1), Host("db2", 2)],
    "postgresql:///name?host=/run/a,/run/b&port=7": [Host("/run/a", 7), Host("/run/b", 7)],
    "postgresql://u:p@db1:9/name": [Host("db1", 9)],
    "postgresql://[fe80::1]:9/name": [Host("fe80::1", 9)],
    "postgresql:///name": [Host()],
}


@pytest.mark.parametrize("given", LISTS)
def test_hosts_are_read_in_all_their_forms(given: str) -> None:
    assert hosts_of(parse_url(given)) == LISTS[given]


def test_the_rest_of_a_list_is_what_it_was() -> None:
    url = parse_url("postgresql://u:p%40x@db1,db2/name?sslmode=require")
    assert (url.username, url.password, url.database) == ("u", "p@x", "name")
    assert url.query["sslmode"] == "require"


@pytest.mark.parametrize(
    "given",
    [
        "postgresql://db1:x,db2/name",
        "postgresql://db1:1:2,db2/name",
        "postgresql:///name?host=a,b,c&port=1,2",
        "postgresql:///name?host=a&port=x",
        "postgresql://db1:99999/name",
        "postgresql://db1:1,db2:99999/name",
        "postgresql:///name?host=a,b&port=1,70000",
        "sqlite:///name",
    ],
)
def test_a_list_that_cannot_be_understood_is_refused_without_its_words(given: str) -> None:
    with pytest.raises(ValueError, match=r"^GROUPSVC_DATABASE_URL is no URL of a database$"):
        database_url(Settings.model_validate({"database_url": given}))


@pytest.fixture
def silent() -> Iterator[str]:
    """A host that takes connections and says nothing."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen()
        yield f"127.0.0.1:{listener.getsockname()[1]}"


def beside(url: URL, *others: str) -> URL:
    """The URL with other hosts before its own."""
    (own,) = hosts_of(url)
    query = {**url.query, "host": [*others, own.name or "127.0.0.1"], "port": str(own.port or 5432)}
    return url.set(host=None, port=None, query=query)


async def test_a_silent_host_is_left_for_the_next_and_not_asked_first_again(
    url: URL, settings: Settings, silent: str
) -> None:
    changes = {"connect_timeout": 0.3, "pool_size": 2}
    engine = make_engine(beside(url, silent), settings.model_copy(update=changes))
    try:
        async with engine.connect() as one, engine.connect() as two:
            found = [await each.scalar(text("SELECT 1")) for each in (one, two)]
    finally:
        await engine.dispose()
    assert found == [1, 1]


async def test_hosts_that_are_all_silent_are_given_up_together(
    url: URL, settings: Settings, silent: str
) -> None:
    changes = {"connect_timeout": 60.0, "command_timeout": 0.3}
    engine = make_engine(beside(url, silent, silent), settings.model_copy(update=changes))
    with pytest.raises(TimeoutError):
        await engine.connect()
    await engine.dispose()


async def test_a_replica_gets_ready_without_requests_though_its_first_host_is_silent(
    url: URL, settings: Settings, silent: str
) -> None:
    """However long one answer waits, and that host is given."""
    changes = {"connect_timeout": readiness.SECONDS_ALLOWED * 1.5}
    engine = make_engine(beside(url, silent), settings.model_copy(update=changes))
    check = readiness.DatabaseCheck(engine, embedded=False, strict=False)

    async def is_reached() -> bool:
        return (await check.check()).checks["database"] == "ok"

    assert not await is_reached()
    await until(is_reached)
    await check.aclose()
    await engine.dispose()
