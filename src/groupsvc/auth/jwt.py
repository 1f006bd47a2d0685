"""Signed tokens of one issuer."""

import time
from collections.abc import Callable, Mapping, Sequence

from jwt import PyJWS, PyJWTError

from groupsvc.auth.claims import TokenRules, check_claims, read_principal
from groupsvc.auth.compact import Compact, read_compact, refused
from groupsvc.auth.keys import ALGORITHMS, KeySource, VerifyingKey
from groupsvc.domain.errors import UnauthenticatedError
from groupsvc.domain.principal import Principal

_SIGNATURES = PyJWS(algorithms=sorted(ALGORITHMS))
_TYPES = frozenset({"jwt", "at+jwt"})
MOST_KEYS = 10  # that are tried for a token which names none


class JwtVerifier:
    """Believes a token of its issuer when signature, type, audience and times are right.

    Raises ValueError for rules that accept no algorithm, or one that is not asymmetric.
    """

    def __init__(
        self, rules: TokenRules, keys: KeySource, *, clock: Callable[[], float] = time.time
    ) -> None:
        if not rules.algorithms or not rules.algorithms <= ALGORITHMS:
            raise ValueError(f"signature algorithms are one or more of {sorted(ALGORITHMS)}")
        self._rules = rules
        self._keys = keys
        self._clock = clock

    async def verify(self, token: str) -> tuple[Principal, float]:
        """The caller, and when the token expires in seconds since the epoch.

        Raises UnauthenticatedError with code ``invalid_token`` or ``token_expired``, and
        UnavailableError when the issuer's keys cannot be had.
        """
        return await self.check(read_compact(token))

    async def check(self, compact: Compact) -> tuple[Principal, float]:
        """``verify`` for a token that has been read already."""
        await self._check_signature(compact)
        expires = check_claims(compact.claims, self._rules, self._clock())
        return read_principal(compact.claims, self._rules), expires

    async def aclose(self) -> None:
        await self._keys.aclose()

    async def _check_signature(self, compact: Compact) -> None:
        algorithm = _check_header(compact.header, self._rules.algorithms)
        if "kid" not in compact.header:
            await self._try_every_key(compact, algorithm)
            return
        key = await self._key(compact.header, algorithm)
        if key is None:
            await self._try_nameless_keys(compact, algorithm)
        elif not _is_signed(compact, key, algorithm):
            raise _wrong_signature()

    async def _try_nameless_keys(self, compact: Compact, algorithm: str) -> None:
        """A set may leave out the names of its keys though tokens have them."""
        nameless = [key for key in await self._keys.every() if key.kid is None]
        fitting = [key for key in nameless if algorithm in key.algorithms][:MOST_KEYS]
        if not any(_is_signed(compact, key, algorithm) for key in fitting):
            raise refused("the token's key is not known")

    async def _try_every_key(self, compact: Compact, algorithm: str) -> None:
        """For issuers that do not say which key they have signed with."""
        tried: Sequence[VerifyingKey] = ()
        for again in (False, True):
            keys = await self._keys.every(again=again)
            fitting = [key for key in keys if algorithm in key.algorithms][:MOST_KEYS]
            if fitting == tried:
                break
            if any(_is_signed(compact, key, algorithm) for key in fitting):
                return
            tried = fitting
        raise _wrong_signature()

    async def _key(self, header: Mapping[str, object], algorithm: str) -> VerifyingKey | None:
        """Only ``kid`` finds a key: whatever else the header brings or points at is ignored."""
        kid = header["kid"]
        if not isinstance(kid, str):
            raise refused("the token does not name its key")
        key = await self._keys.find(kid)
        if key is not None and algorithm not in key.algorithms:
            raise refused("the token's key is made for another algorithm")
        return key


def _is_signed(compact: Compact, key: VerifyingKey, algorithm: str) -> bool:
    try:
        _SIGNATURES.decode_complete(compact.token, key.public, algorithms=[algorithm])
    except PyJWTError:
        return False
    return True


def _wrong_signature() -> UnauthenticatedError:
    return refused("the token's signature is wrong")


def _check_header(header: Mapping[str, object], algorithms: frozenset[str]) -> str:
    """Returns the algorithm. Runs before any key is looked for."""
    algorithm = header.get("alg")
    if not isinstance(algorithm, str) or algorithm not in algorithms:
        raise refused("the token's signature algorithm is not accepted")
    if "crit" in header:
        raise refused("the token needs extensions that are not known")
    kind = header.get("typ", "JWT")
    if not isinstance(kind, str) or kind.lower().removeprefix("application/") not in _TYPES:
        raise refused("the token is of another type")
    return algorithm
