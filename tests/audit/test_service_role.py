"""A role that serves and does not own the tables: it can do its work, and nothing to the past."""

import json
import uuid
from base64 import urlsafe_b64encode
from pathlib import Path

import asyncpg
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from sqlalchemy import URL

from groupsvc.app import create_app
from groupsvc.db import migrate
from groupsvc.settings import Settings
from tests.audit.conftest import Log
from tests.cli.conftest import Run, command
from tests.conftest import EVERYTHING, SQL, Auth, serving
from tests.test_schema import dsn
from tests.tour import TOUR, set_stage


async def test_every_operation_works_for_it(
    log: Log, service: URL, settings: Settings, home: Path, auth: Auth
) -> None:
    async with serving(create_app(settings, service, home)) as client:
        client.headers.update(auth(*EVERYTHING, subject="root"))
        for name, visit in TOUR.items():
            answer = await visit.go(client, await set_stage(log.sql))
            assert (name, answer.status_code, answer.text) == (name, visit.status, answer.text)


REFUSED = [
    "UPDATE changes SET actor = 'x'",
    "UPDATE changes SET before = NULL",
    "DELETE FROM changes",
    "TRUNCATE changes",
    "ALTER TABLE changes DISABLE TRIGGER ALL",
    "DROP TRIGGER append_only ON changes",
    "DROP TABLE changes",
    "CREATE TRIGGER x BEFORE INSERT ON changes EXECUTE FUNCTION refuse_rewriting()",
    "CREATE RULE x AS ON INSERT TO changes DO INSTEAD NOTHING",
    "ALTER TABLE memberships DISABLE TRIGGER ALL",
    "CREATE OR REPLACE FUNCTION change_context() RETURNS record LANGUAGE sql AS ''",
    "SET session_replication_role = replica",
    # A line may be added: not one that pretends to be of another time or place.
    "INSERT INTO changes (seq, actor, changeset_id, kind) OVERRIDING SYSTEM VALUE"
    " VALUES (1, 'x', gen_random_uuid(), 'x')",
    "INSERT INTO changes (at, actor, changeset_id, kind)"
    " VALUES ('2020-01-01', 'x', gen_random_uuid(), 'x')",
    "INSERT INTO changes (transaction_id, actor, changeset_id, kind)"
    " VALUES ('1', 'x', gen_random_uuid(), 'x')",
    "SELECT setval('changes_seq_seq', 1)",
    "SELECT nextval('changes_seq_seq')",
    "UPDATE audit_seals SET lines = 0",
    "DELETE FROM audit_seals",
    "TRUNCATE audit_seals",
    "INSERT INTO audit_archives (last_seq, lines, file, sha256) VALUES (9, 9, '', '')",
    "DELETE FROM audit_actors",
    "UPDATE audit_actors SET salt = ''",
    "UPDATE alembic_version SET version_num = ''",
    # Tables of one's own would come before those of the program.
    "CREATE TEMPORARY TABLE changes (actor text)",
    "CREATE TABLE changes (actor text)",
    "CREATE FUNCTION hashtextextended(text, bigint) RETURNS bigint LANGUAGE sql AS 'SELECT 1'",
]


async def test_it_can_do_nothing_to_the_past(service: URL) -> None:
    connection = await asyncpg.connect(dsn(service))
    for statement in REFUSED:
        with pytest.raises(asyncpg.PostgresError) as refused:
            await connection.execute(statement)
        # Insufficient privilege, or a table that is there already.
        assert refused.value.sqlstate in {"42501", "42P07"}, (statement, refused.value)
    await connection.close()


async def test_it_seals_and_verifies_and_does_not_archive(
    log: Log, service: URL, tmp_path: Path
) -> None:
    run: Run = command(service)
    await log.sql("DELETE FROM memberships")
    assert await run("audit", "seal") == (0, "1 seals made\n")
    assert (await run("audit", "verify"))[0] == 0
    code, _ = await run("audit", "archive", tmp_path, "--older-than", 0)
    assert code != 0
    assert (await log.verify()).fault is None


@pytest.mark.parametrize("env", ["development", "production"])
async def test_the_doctor_looks_at_what_the_role_could_do(
    log: Log, service: URL, env: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GROUPSVC_ENV", env)
    public = Ed25519PrivateKey.generate().public_key().public_bytes_raw()
    key = {"kty": "OKP", "crv": "Ed25519", "x": urlsafe_b64encode(public).decode().rstrip("=")}
    monkeypatch.setenv("GROUPSVC_JWKS", json.dumps({"keys": [key]}))
    monkeypatch.setenv("GROUPSVC_JWT_ISSUER", "https://id.example.org")
    monkeypatch.setenv("COLUMNS", "300")
    _, text = await command(service)("doctor")
    (line,) = [line.strip() for line in text.splitlines() if "privileges" in line]
    assert (line[:2], "cannot rewrite" in line) == ("ok", True)
    _, text = await log.groupsvc("doctor")
    (line,) = [line.strip() for line in text.splitlines() if "privileges" in line]
    assert ("could rewrite" in line, line.startswith("wrong")) == (True, env == "production")


async def test_an_owner_who_is_no_superuser_does_all_that_is_left_to_owners(
    sql: SQL, server_url: URL, role: str, tmp_path: Path
) -> None:
    owner, database = f"owns_{uuid.uuid4().hex[:8]}", f"groupsvc_owned_{uuid.uuid4().hex[:8]}"
    await sql(f"CREATE ROLE {owner} LOGIN PASSWORD 'secret'")
    await sql(f"CREATE DATABASE {database} OWNER {owner} TEMPLATE template0 ENCODING 'UTF8'")
    url = server_url.set(database=database)
    owning = command(url.set(username=owner, password="secret"))
    serving_ = command(url.set(username=role, password="secret"))
    try:
        code, text = await owning("migrate", "--grant-to", role)
        assert (code, text.splitlines()[-1]) == (0, f"the role {role} may serve")
        assert (await serving_("account", "create", "machine"))[0] == 0
        assert await serving_("audit", "seal") == (0, "1 seals made\n")
        code, text = await owning("audit", "archive", tmp_path, "--older-than", 0)
        assert (code, text.splitlines()[-1]) == (0, "1 lines deleted")
        assert (await serving_("audit", "verify", "--archives", tmp_path))[0] == 0
        assert (await owning("migrate", "--grant-to", role))[0] == 0
    finally:
        await sql(f"DROP DATABASE {database} WITH (FORCE)")
        await sql(f"DROP ROLE {owner}")


async def test_a_role_that_is_not_there_or_owns_the_tables_is_refused(log: Log) -> None:
    absent = f"absent-{uuid.uuid4().hex[:8]}"
    with pytest.raises(ValueError, match=f"there is no role {absent}"):
        await failing(log, absent)
    ((owner,),) = await log.sql("SELECT current_user")
    with pytest.raises(ValueError, match="it could rewrite the change log"):
        await failing(log, owner)


async def failing(log: Log, role: str) -> None:
    await migrate.upgrade(log.engine, service=role)


async def test_privileges_follow_migrations_and_are_not_left_behind(
    log: Log, service: URL, role: str
) -> None:
    await log.sql(f'GRANT DELETE, TRUNCATE ON changes, audit_seals TO "{role}"')
    assert (await log.groupsvc("migrate", "--grant-to", role))[0] == 0
    rights = await log.sql(
        "SELECT table_name, string_agg(privilege_type, ' ' ORDER BY privilege_type)"
        " FROM information_schema.table_privileges WHERE grantee = :role"
        " GROUP BY table_name",
        role=role,
    )
    limited = {table: held for table, held in rights if held != "DELETE INSERT SELECT UPDATE"}
    assert limited == {
        "alembic_version": "SELECT",
        "audit_actors": "SELECT",
        "audit_archives": "SELECT",
        "audit_seals": "INSERT SELECT",
        "changes": "SELECT",
        "institution": "SELECT",
    }
