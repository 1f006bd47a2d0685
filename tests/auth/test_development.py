import asyncio
import stat
import sys
from pathlib import Path

import jwt
import pytest
from cryptography.hazmat.primitives import serialization

from groupsvc.auth.development import (
    KEY_FILE,
    DevelopmentKey,
    DevelopmentKeyError,
    open_development_key,
)
from groupsvc.auth.jwt import JwtVerifier
from groupsvc.domain.errors import InvalidError
from groupsvc.domain.principal import Grant, Permission, Principal
from groupsvc.settings import Settings

from .forge import NOW, RSA, RULES, Clock

GRANTS = frozenset({Grant(Permission.ADMIN), Grant(Permission.GROUPS_READ, course="a:b@c")})


@pytest.fixture
def key(tmp_path: Path, clock: Clock) -> DevelopmentKey:
    return DevelopmentKey(tmp_path / KEY_FILE, RULES, clock=clock)


async def test_what_it_issues_is_believed(key: DevelopmentKey, clock: Clock) -> None:
    token = key.issue("anna", GRANTS, username="amartin", lifetime=60)
    principal = Principal("anna", "amartin", GRANTS)
    verifier = JwtVerifier(key.rules, key, clock=clock)
    assert await verifier.verify(token) == (principal, NOW + 60)
    assert (await verifier.verify(key.issue("anna")))[0] == Principal("anna")
    assert jwt.get_unverified_header(token)["typ"] == "at+jwt"
    await verifier.aclose()


@pytest.mark.parametrize("lifetime", [-1, 0, RULES.max_lifetime + 1])
def test_it_issues_nothing_that_would_be_refused(key: DevelopmentKey, lifetime: int) -> None:
    with pytest.raises(InvalidError):
        key.issue("anna", lifetime=lifetime)


async def test_it_has_one_key(key: DevelopmentKey) -> None:
    assert await key.find("other") is None


def test_the_file_is_the_owner_s(key: DevelopmentKey, tmp_path: Path) -> None:
    assert [path.name for path in tmp_path.iterdir()] == [KEY_FILE]
    assert stat.S_IMODE((tmp_path / KEY_FILE).stat().st_mode) == 0o600


def test_the_key_outlives_the_process(key: DevelopmentKey, tmp_path: Path) -> None:
    again = DevelopmentKey(tmp_path / KEY_FILE, RULES)
    first, second = (jwt.get_unverified_header(k.issue("anna")) for k in (key, again))
    assert first == second


RSA_PEM = RSA.private_bytes(
    serialization.Encoding.PEM,
    serialization.PrivateFormat.PKCS8,
    serialization.NoEncryption(),
)
LOCKED_PEM = RSA.private_bytes(
    serialization.Encoding.PEM,
    serialization.PrivateFormat.PKCS8,
    serialization.BestAvailableEncryption(b"secret"),
)


@pytest.mark.parametrize(
    "content", [b"", b"nonsense", RSA_PEM, LOCKED_PEM], ids=["empty", "nonsense", "RSA", "locked"]
)
def test_another_file_in_its_place_is_not_overwritten(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / KEY_FILE
    path.write_bytes(content)
    with pytest.raises(DevelopmentKeyError, match="not an Ed25519 private key"):
        DevelopmentKey(path, RULES)
    assert path.read_bytes() == content


def test_production_refuses(tmp_path: Path) -> None:
    with pytest.raises(DevelopmentKeyError, match="production"):
        open_development_key(Settings(env="production"), tmp_path)
    assert list(tmp_path.iterdir()) == []


RACER = """
import sys
from pathlib import Path
import jwt
from groupsvc.auth.development import open_development_key
from groupsvc.settings import Settings
print("ready", flush=True)
for line in sys.stdin:
    token = open_development_key(Settings(), Path(line.strip())).issue("anna")
    print(jwt.get_unverified_header(token)["kid"], flush=True)
"""


async def test_processes_that_race_get_one_key(tmp_path: Path) -> None:
    pipes = {"stdin": asyncio.subprocess.PIPE, "stdout": asyncio.subprocess.PIPE}
    racers = [
        await asyncio.create_subprocess_exec(sys.executable, "-c", RACER, **pipes) for _ in range(4)
    ]
    for racer in racers:
        assert racer.stdout is not None
        assert await racer.stdout.readline() == b"ready\n"
    homes = [tmp_path / str(number) / "home" for number in range(25)]
    start = "".join(f"{home}\n" for home in homes).encode()
    told = await asyncio.gather(*(racer.communicate(start) for racer in racers))
    kids = [out.split() for out, _ in told]
    assert len(kids[0]) == len(set(kids[0])) == 25
    assert kids == [kids[0]] * 4
    assert [len(list(home.iterdir())) for home in homes] == [1] * 25
