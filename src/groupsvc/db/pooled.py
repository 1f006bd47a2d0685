"""What a pool lends."""

from dataclasses import dataclass
from typing import Any

from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.pool import PoolProxiedConnection


@dataclass(slots=True)
class PooledConnection:
    """``pooled`` is SQLAlchemy's, ``driver`` is asyncpg's. A spoiled one is not used again."""

    pooled: PoolProxiedConnection
    driver: Any
    generation: int
    spoiled: bool = False

    def discard(self) -> None:
        if self.spoiled:
            self.driver.terminate()  # else it would be asked to end, and waited for
        if self.pooled.is_valid:  # SQLAlchemy may have found out before
            self.pooled.invalidate()
        self.pooled.close()


@dataclass(frozen=True, slots=True)
class PooledSession:
    """A session of one transaction, and the connection on which it is."""

    session: AsyncSession
    connection: PooledConnection
