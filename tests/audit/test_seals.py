"""Seals over the change log: whatever is done to it behind its triggers shows."""

import asyncio
import json
import os
import random
import uuid
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path
from uuid import UUID

import asyncpg
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
)

from groupsvc.core.audit.repository import AuditRepository, Mark
from groupsvc.core.audit.sealing import Sealer
from groupsvc.core.audit.seals import Line, Seal, digest_changesets
from groupsvc.core.audit.verification import Verification
from groupsvc.core.unit_of_work import UnitOfWork
from tests.audit.conftest import Log
from tests.test_schema import dsn
from tests.waiting import until

ONE = UUID("00000000-0000-4000-8000-000000000001")
TWO = UUID("00000000-0000-4000-8000-000000000002")


async def test_what_was_sealed_verifies_and_the_rest_is_counted(log: Log) -> None:
    ((lines,),) = await log.sql("SELECT count(*) FROM changes")
    assert await log.groupsvc("audit", "verify") == (
        0,
        f"0 seals and 0 lines are as they were sealed\n{lines} lines are not sealed yet\n",
    )
    assert await log.groupsvc("audit", "seal") == (0, "1 seals made\n")
    assert await log.groupsvc("audit", "seal") == (0, "0 seals made\n")
    await log.world.add_group(await log.world.add_partition("TP"))
    assert await log.verify() == Verification(seals=1, lines=lines, unsealed=2)
    await log.seal()
    assert await log.groupsvc("audit", "verify") == (
        0,
        f"2 seals and {lines + 2} lines are as they were sealed\n",
    )


def test_a_seal_can_be_checked_by_hand() -> None:
    """The form of texts and statements is for ever: seals that were made must go on to hold."""
    changesets = digest_changesets([Line(1, ONE, "a"), Line(2, TWO, "b"), Line(3, ONE, "é")])
    assert changesets == (
        ONE.bytes + sha256("a\né\n".encode()).digest() + TWO.bytes + sha256(b"b\n").digest()
    )
    at = datetime(2026, 11, 29, 8, 0, tzinfo=UTC)
    seal = Seal(id=2, last_seq=3, lines=3, changesets=changesets, previous=bytes(32), sealed_at=at)
    assert seal.statement().decode() == (
        "groupsvc seal 1\nid 2\nlast_seq 3\nlines 3\n"
        f"changesets {sha256(changesets).hexdigest()}\nprevious {'0' * 64}\n"
        "sealed_at 2026-11-29T08:00:00.000000+00:00\n"
    )


async def test_the_text_of_a_line_is_the_same_everywhere(log: Log) -> None:
    await log.behind_the_triggers(
        "INSERT INTO changes (seq, at, actor, request_id, changeset_id, kind, course_id, user_id,"
        " before, after, transaction_id) OVERRIDING SYSTEM VALUE VALUES (1000, '2026-11-29"
        " 09:00:00.5+01', 'É', 'a\"b', '00000000-0000-4000-8000-000000000001', 'x', 7, 8, NULL,"
        """ '{"b": 1.50, "a": ["\\u00e9", null]}', '12')"""
    )
    await log.sql("INSERT INTO audit_actors (actor, salt) VALUES ('É', '\\x00')")
    ((name,),) = await log.sql("SELECT current_database()")
    await log.sql(f"ALTER DATABASE {name} SET timezone = 'Asia/Tokyo'")
    lines = await log.units.run(
        "test", lambda uow: uow.repository(AuditRepository).lines(999, 1000)
    )
    actor = sha256(b"\x00" + "É".encode()).hexdigest()
    assert [line.text for line in lines] == [
        '{"seq":1000,"course_id":7,"at":"2026-11-29T08:00:00.500000Z","actor":"' + actor + '",'
        '"request_id":"a\\"b","changeset_id":"00000000-0000-4000-8000-000000000001",'
        '"cause":null,"kind":"x","partition_id":null,"group_id":null,"user_id":8,"before":null,'
        '"after":{"a": ["é", null], "b": 1.50},"transaction_id":"12"}'
    ]


SWAP = "UPDATE changes SET seq = :new WHERE seq = :old"
# More of them: AUDIT_ROUNDS=1000 make test PYTEST="-n 0 tests/audit -k random"
ROUNDS = int(os.environ.get("AUDIT_ROUNDS", "50"))
TAMPERING = [
    "UPDATE changes SET actor = 'somebody else' WHERE seq = :seq",
    "UPDATE changes SET user_id = coalesce(user_id, 0) + 1 WHERE seq = :seq",
    "UPDATE changes SET at = at + interval '1 microsecond' WHERE seq = :seq",
    "UPDATE changes SET kind = kind || '.' WHERE seq = :seq",
    """UPDATE changes SET after = coalesce(after, '{}') || '{"x": 1}' WHERE seq = :seq""",
    """UPDATE changes SET before = '{"x": 1}' WHERE seq = :seq""",
    "UPDATE changes SET course_id = course_id + 1 WHERE seq = :seq",
    "UPDATE changes SET request_id = 'x' WHERE seq = :seq",
    "UPDATE changes SET cause = 'x' WHERE seq = :seq",
    "UPDATE changes SET changeset_id = gen_random_uuid() WHERE seq = :seq",
    "DELETE FROM changes WHERE seq = :seq",
    "DELETE FROM changes WHERE seq >= :seq",
    "DELETE FROM changes WHERE changeset_id = (SELECT changeset_id FROM changes WHERE seq = :seq)",
    # Two lines in each other's place.
    SWAP,
    # A line that was never written, in a place that nobody had.
    "INSERT INTO changes (seq, actor, changeset_id, kind) OVERRIDING SYSTEM VALUE"
    " SELECT min(seq) - 1, 'x', gen_random_uuid(), 'user.deleted' FROM changes"
    " HAVING CAST(:seq AS bigint) > 0",
    "INSERT INTO changes (course_id, seq, actor, changeset_id, kind) OVERRIDING SYSTEM VALUE"
    " SELECT -1, seq, 'x', gen_random_uuid(), 'user.deleted' FROM changes WHERE seq = :seq",
]


async def test_a_line_is_sealed_alike_however_long_it_is(log: Log) -> None:
    """What was written before lines were shorter has the seals of then."""
    ((short,),) = await log.sql("SELECT count(*) FROM changes WHERE jsonb_typeof(after) = 'array'")
    assert short > 0
    await log.seal()
    await log.sql("ALTER TABLE changes DISABLE TRIGGER ALL")
    await log.sql("UPDATE changes SET before = told(before), after = told(after)")
    assert (await log.verify()).fault is None
    await log.sql("UPDATE changes SET after = after || '[1]' WHERE kind = 'membership.assigned'")
    assert (await log.verify()).fault is not None


async def test_random_tampering_is_found_every_time(log: Log) -> None:
    """Some rounds of what somebody could do who is a superuser; each is undone afterwards."""
    await log.seal()
    await log.world.add_partition("TP")
    await log.seal()
    await log.sql("ALTER TABLE changes ALTER seq SET GENERATED BY DEFAULT")
    await log.sql("ALTER TABLE changes DISABLE TRIGGER ALL")
    await log.sql("CREATE TABLE copy AS SELECT * FROM changes")
    sealed = [seq for (seq,) in await log.sql("SELECT seq FROM changes ORDER BY seq")]
    assert (await log.verify()).fault is None
    chance = random.Random(12)
    for round_ in range(ROUNDS):
        statement = TAMPERING[round_ % len(TAMPERING)]
        seq, other = chance.sample(sealed, 2)
        if statement is SWAP:
            for old, new in ((seq, -1), (other, seq), (-1, other)):
                await log.sql(SWAP, old=old, new=new)
        else:
            await log.sql(statement, seq=seq)
        fault = (await log.verify()).fault
        assert fault is not None, (statement, seq, other)
        assert "changeset" in fault
        await log.sql("TRUNCATE changes")
        await log.sql("INSERT INTO changes SELECT * FROM copy")
    assert (await log.verify()).fault is None


@pytest.mark.parametrize(
    ("statement", "said"),
    [
        ("UPDATE changes SET kind = 'x' WHERE seq = :seq", "was altered"),
        ("DELETE FROM changes WHERE changeset_id = :changeset", "is missing"),
        (
            "INSERT INTO changes (seq, actor, changeset_id, kind) OVERRIDING SYSTEM VALUE"
            " VALUES (0, 'x', '00000000-0000-4000-8000-000000000001', 'x')",
            "was added after seal 1",
        ),
    ],
)
async def test_the_changeset_that_does_not_match_is_named(
    log: Log, statement: str, said: str
) -> None:
    await log.seal()
    ((seq, changeset),) = await log.sql(
        "SELECT seq, changeset_id FROM changes WHERE kind = 'membership.assigned'"
        " ORDER BY seq LIMIT 1"
    )
    given = {
        name: value
        for name, value in (("seq", seq), ("changeset", changeset))
        if f":{name}" in statement
    }
    await log.behind_the_triggers(statement, **given)
    named = ONE if "added" in said else changeset
    code, text = await log.groupsvc("audit", "verify")
    assert (code, f"changeset {named} " in text, said in text) == (1, True, True), text


@pytest.mark.parametrize(
    ("statement", "fault"),
    [
        ("UPDATE audit_seals SET lines = lines + 1 WHERE id = 2", "seal 2 was altered"),
        ("UPDATE audit_seals SET changesets = '' WHERE id = 2", "seal 2 was altered"),
        ("DELETE FROM audit_seals WHERE id = 1", "seal 2 follows seal 0"),
        ("DELETE FROM audit_seals WHERE id = 2", "seal 3 follows seal 1"),
        (
            "UPDATE audit_seals SET previous = sha256(previous) WHERE id = 3",
            "seal 3 is not about the seal before it",
        ),
    ],
)
async def test_a_seal_that_was_touched_is_named(log: Log, statement: str, fault: str) -> None:
    await log.seal()
    for name in ("TP", "TQ"):
        await log.world.add_partition(name)
        await log.seal()
    await log.behind_the_triggers(statement)
    assert (await log.verify()).fault == fault


async def test_a_chain_that_was_made_anew_is_not_the_one_kept_elsewhere(
    log: Log, tmp_path: Path
) -> None:
    await log.seal()
    ((lines,),) = await log.sql("SELECT count(*) FROM changes")
    await log.world.add_partition("TP")
    await log.seal()
    kept = tmp_path / "seals.jsonl"
    kept.write_text((await log.groupsvc("audit", "seals"))[1])
    assert [json.loads(line)["id"] for line in kept.read_text().splitlines()] == [1, 2]
    assert (await log.groupsvc("audit", "verify", "--known", kept))[0] == 0
    await log.behind_the_triggers("DELETE FROM audit_seals WHERE id = 2")
    assert await log.groupsvc("audit", "verify", "--known", kept) == (
        1,
        f"1 seals and {lines} lines are as they were sealed\n1 lines are not sealed yet\n"
        "TAMPERED: seal 2, which was kept elsewhere, is missing\n",
    )
    await log.behind_the_triggers("UPDATE changes SET actor = 'somebody else'")
    await log.behind_the_triggers("DELETE FROM audit_seals")
    await log.seal()
    assert (await log.groupsvc("audit", "verify"))[0] == 0
    assert await log.groupsvc("audit", "verify", "--known", kept) == (
        1,
        "0 seals and 0 lines are as they were sealed\n"
        "TAMPERED: seal 1 is another one than was kept elsewhere\n",
    )


async def test_an_actor_who_is_made_anonymous_in_silence_is_missed(log: Log) -> None:
    await log.seal()
    await log.sql(
        "UPDATE changes x SET actor = 'erased:' || sealed_actor(a.actor, a.salt)"
        " FROM audit_actors a WHERE a.actor = x.actor"
    )
    assert (await log.verify()).fault == (
        "an actor was made anonymous, and the log does not tell of it"
    )


async def test_a_mark_of_another_server_is_over(log: Log) -> None:
    """After a restore transactions are counted anew: nobody waits for the old ones."""

    async def is_over(uow: UnitOfWork) -> bool:
        return await uow.repository(AuditRepository).is_over(Mark(1, 2**60))

    assert await log.units.run("test", is_over)


def pem(path: Path, key: Ed25519PrivateKey) -> tuple[Path, Path]:
    private, public = path / f"{uuid.uuid4().hex}.pem", path / f"{uuid.uuid4().hex}.pub"
    private.write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    public.write_bytes(
        key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    )
    return private, public


async def test_seals_are_signed_and_a_forger_lacks_the_key(
    log: Log, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    private, public = pem(tmp_path, Ed25519PrivateKey.generate())
    other_private, other_public = pem(tmp_path, Ed25519PrivateKey.generate())
    await log.seal()
    # Whoever asks for signatures is not content with a last seal without one.
    code, text = await log.groupsvc("audit", "verify", "--key", public)
    assert (code, "TAMPERED: seal 1 is not signed" in text) == (1, True)
    monkeypatch.setenv("GROUPSVC_AUDIT_KEY_FILE", str(private))
    await log.world.add_partition("TP")
    await log.seal()
    code, text = await log.groupsvc("audit", "verify", "--key", public)
    assert (code, "\n1 seals are not signed" in text) == (0, True)
    code, text = await log.groupsvc("audit", "verify", "--key", other_public)
    assert (code, "seal 2 is signed with another key" in text) == (1, True)
    both = ("--key", other_public, "--key", public)
    assert (await log.groupsvc("audit", "verify", *both))[0] == 0
    monkeypatch.delenv("GROUPSVC_AUDIT_KEY_FILE")
    await log.world.add_partition("TQ")
    await log.seal()
    code, text = await log.groupsvc("audit", "verify", "--key", public)
    assert (code, "seal 3 is not signed, as those before were" in text) == (1, True)
    # A chain of the forger's own, signed with another key under the name of the right one.
    monkeypatch.setenv("GROUPSVC_AUDIT_KEY_FILE", str(other_private))
    ((name,),) = await log.sql("SELECT key_id FROM audit_seals WHERE id = 2")
    await log.behind_the_triggers("DELETE FROM audit_seals")
    await log.seal()
    await log.behind_the_triggers("UPDATE audit_seals SET key_id = :name", name=name)
    code, text = await log.groupsvc("audit", "verify", "--key", public)
    assert (code, "seal 1 has a wrong signature" in text) == (1, True)


async def test_a_line_of_a_transaction_that_is_still_running_is_waited_for(log: Log) -> None:
    """It has a number below those of others who have committed already."""
    sealer = Sealer(log.units, None)
    await sealer.mark()
    assert [each async for each in sealer.seal()] != []
    late = await asyncpg.connect(dsn(log.url))
    running = late.transaction()
    await running.start()
    await late.execute("UPDATE groups SET capacity = 9 WHERE name = 'A'")
    await log.world.add_partition("TP")
    await sealer.mark()
    assert not await sealer.is_over()
    await running.commit()
    await late.close()
    # Transactions of other databases on the server are waited for, too.
    await until(sealer.is_over)
    assert [each.lines async for each in sealer.seal()] == [2]
    assert (await log.verify()).fault is None


async def test_nothing_is_missed_while_ten_write(log: Log) -> None:
    sealer, writing = Sealer(log.units, None), True

    async def write(number: int) -> None:
        connection = await asyncpg.connect(dsn(log.url))
        for round_ in range(15):
            async with connection.transaction():
                await connection.execute(
                    "INSERT INTO users (username, sort_key) VALUES ($1, '')",
                    f"writer-{number}-{round_}",
                )
                await connection.execute("SELECT pg_sleep(random() * 0.01)")
                await connection.execute(
                    "UPDATE users SET sort_key = 'x' WHERE username = $1",
                    f"writer-{number}-{round_}",
                )
        await connection.close()

    async def seal_on() -> int:
        sealed = 0
        while writing or not await sealer.is_over():
            if await sealer.is_over():
                sealed += sum([each.lines async for each in sealer.seal()])
                await sealer.mark()
        return sealed + sum([each.lines async for each in sealer.seal()])

    sealing = asyncio.create_task(seal_on())
    await asyncio.gather(*map(write, range(10)))
    writing = False
    await sealing
    await log.seal()
    ((lines,),) = await log.sql("SELECT count(*) FROM changes")
    assert await log.verify() == Verification(
        seals=(await log.sql("SELECT count(*) FROM audit_seals"))[0][0], lines=lines
    )


async def test_two_who_seal_at_once_make_one_chain(log: Log) -> None:
    sealers = [Sealer(log.units, None) for _ in range(4)]
    for sealer in sealers:
        await sealer.mark()

    async def seal(sealer: Sealer) -> list[int]:
        return [each.id async for each in sealer.seal()]

    made = await asyncio.gather(*map(seal, sealers))
    assert [seal_id for ids in made for seal_id in ids] == [1]
    assert (await log.verify()).fault is None
