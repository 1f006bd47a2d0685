"""How a connection is opened: host after host, each in its own time, and only where it is safe."""

import asyncio
import re
from collections.abc import Sequence
from typing import Any, Final, NamedTuple

import asyncpg
from asyncpg import InterfaceError, PostgresError
from asyncpg.exceptions import DivisionByZeroError, InternalClientError, ProtocolViolationError
from sqlalchemy import URL, make_url

# Several hosts before the path, as libpq takes them.
_LIST: Final = re.compile(r"([^:/?#]+://(?:[^/?#]*@)?)([^/?#@]*,[^/?#@]*)/?(.*)", re.DOTALL)
_HOST: Final = re.compile(r"(?:\[([^\]]+)\]|([^:\[\]]+))(?::(\d*))?")
# What goes wrong with one host. "Not a primary" is none of the driver's other errors.
_ERRORS: Final = (OSError, TimeoutError, PostgresError, InterfaceError, InternalClientError)
# Of SQLAlchemy's own way to the driver, which is not taken.
_NOT_OURS: Final = ("prepared_statement_cache_size", "prepared_statement_name_func")


class Host(NamedTuple):
    """What is not said is left to the driver."""

    name: str | None = None
    port: int | None = None


class Connection(asyncpg.Connection):
    """Breaks off what takes too long, without asking the server to cancel it.

    A server that was asked while a commit waits for its standby would let that commit be seen: a
    repetition would find it done and answer so, and a failover would lose it. What can be cancelled
    ends by the time limits of the server, and whoever asks a server that is frozen waits again.
    """

    __slots__ = ()

    def _cancel_current_command(self, *_: object) -> None:
        self._loop.call_soon(self.terminate)


def parse_url(text: str) -> URL:
    """The URL with its hosts in the query, where SQLAlchemy takes several. Raises ValueError."""
    several = _LIST.fullmatch(text)
    before, hosts, rest = several.groups() if several is not None else (text, None, "")
    url = make_url(text if hosts is None else f"{before}/{rest}")
    if url.drivername.partition("+")[0] not in ("postgresql", "postgres"):
        raise ValueError("the database is no PostgreSQL")
    return url if hosts is None else url.update_query_pairs([("host", hosts)])


def hosts_of(url: URL) -> Sequence[Host]:
    """In the order of the URL. Raises ValueError when it cannot be understood."""
    if url.host:
        return [_checked(Host(url.host, url.port))]
    names, ports, default = _listed(url, "host") or [""], _listed(url, "port"), None
    if len(ports) == 1:
        default, ports = int(ports[0]), []
    found = [parse_host(name, default) for name in names]
    if ports and len(ports) != len(names):
        raise ValueError("as many ports as hosts, or one for all")
    for place, port in enumerate(ports):
        found[place] = _checked(Host(found[place].name, int(port)))
    return found


def _checked(host: Host) -> Host:
    if host.port is not None and not 0 < host.port < 65_536:
        raise ValueError("a port is a number from 1 to 65535")
    return host


def _listed(url: URL, key: str) -> list[str]:
    values = url.query.get(key, ())
    return ",".join([values] if isinstance(values, str) else values).split(",") if values else []


def parse_host(text: str, port: int | None = None) -> Host:
    if text.startswith("/") or not text:
        return Host(text or None, port)
    found = _HOST.fullmatch(text)
    if found is None:
        raise ValueError("a host is a name, or a name and a port")
    address, name, own_port = found.groups()
    return _checked(Host(address or name, int(own_port) if own_port else port))


class Connector:
    """Opens connections for an engine. The host that answered last is asked first."""

    def __init__(self, url: URL, *, timeout: float, patience: float, pooler: bool, **options: Any):
        """``timeout`` seconds for each host, ``patience`` for all of them."""
        self._hosts = list(hosts_of(url))
        self._timeout, self._patience, self._pooler = timeout, patience, pooler
        query = {
            key: url.query[key] for key in url.query if key not in ("host", "port", *_NOT_OURS)
        }
        if "ssl" in query:
            query.setdefault("sslmode", query.pop("ssl"))
        if len(self._hosts) > 1:
            query.setdefault("target_session_attrs", "read-write")
        plain = url.set(drivername="postgresql", host=None, port=None, query=query)
        self._dsn = plain.render_as_string(hide_password=False)
        self._options = options

    async def __call__(self, **_: Any) -> Connection:
        failed: Exception = OSError("no host is named")
        async with asyncio.timeout(self._patience):
            for host in tuple(self._hosts):
                try:
                    connection = await self._open(host)
                except _ERRORS as error:
                    failed = error
                else:
                    self._hosts.remove(host)
                    self._hosts.insert(0, host)
                    return connection
        raise failed

    async def _open(self, host: Host) -> Connection:
        connection = await asyncpg.connect(
            self._dsn,
            host=host.name,
            port=host.port,
            timeout=self._timeout,
            connection_class=Connection,
            **self._options,
        )
        try:
            if not self._pooler:
                await _refuse_pooler(connection)
        except BaseException:
            connection.terminate()
            raise
        return connection


async def _refuse_pooler(connection: Connection) -> None:
    """Raises ProtocolViolationError when somebody else's backend answers.

    A pooler invents the process that it names at the start of a connection. One that has been told
    to ignore what it does not know is found out by nothing else, and statements that are cached
    would meet those of other processes there: each would get answers of the other.
    """
    try:
        # A plain query, without a statement that could be mixed up.
        await connection.execute(
            f"SELECT 1 / (pg_backend_pid() = {connection.get_server_pid()})::int"
        )
    except DivisionByZeroError:
        raise ProtocolViolationError("a pooler stands between") from None
