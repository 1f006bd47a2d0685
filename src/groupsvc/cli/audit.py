"""The commands that seal, check and archive the change log."""

import asyncio
import json
import time
from collections.abc import AsyncGenerator
from contextlib import aclosing
from pathlib import Path
from typing import Annotated

import typer

from groupsvc.cli.runtime import OperatorRunner, open_and_run, run_unit
from groupsvc.core.audit.archiving import archive_some, removals
from groupsvc.core.audit.repository import AuditRepository
from groupsvc.core.audit.sealing import Sealer
from groupsvc.core.audit.seals import Seal, read_private_key, read_public_keys
from groupsvc.core.audit.verification import SEALS_AT_ONCE, Verification, Verifier
from groupsvc.core.unit_of_work import UnitOfWork
from groupsvc.domain.errors import ConflictError
from groupsvc.settings import Settings

app = typer.Typer(
    help="Seal the change log, check that nobody has touched it, archive its old lines.",
    no_args_is_help=True,
    add_completion=False,
)

TAMPERED = 1  # exit code
PAUSE = 0.1  # seconds

ArchivesIn = Annotated[
    Path | None,
    typer.Option("--archives", exists=True, file_okay=False, help="Where archived lines are."),
]


@app.command()
def seal(
    wait: Annotated[float, typer.Option(help="Seconds for what is being written to end.")] = 60,
) -> None:
    """Seal all that has been written. `groupsvc serve` does it too, every few minutes."""
    path = Settings().audit_key_file
    key = read_private_key(path) if path is not None else None

    async def work(runner: OperatorRunner) -> int:
        sealer, deadline = Sealer(runner.units, key), time.monotonic() + wait
        await sealer.mark()
        while not await sealer.is_over():
            if time.monotonic() > deadline:
                raise ConflictError("something is still being written: try again")
            await asyncio.sleep(PAUSE)
        return len([each.id async for each in sealer.seal()])

    typer.echo(f"{open_and_run(work)} seals made")


@app.command()
def seals() -> None:
    """Print all seals, one JSON object a line: keep them elsewhere, for `verify --known`."""

    async def work(uow: UnitOfWork) -> None:
        async with aclosing(_all_seals(uow.repository(AuditRepository))) as found:
            async for each in found:
                typer.echo(json.dumps(_shown(each)))

    run_unit(work, reading=True)


async def _all_seals(audit: AuditRepository) -> AsyncGenerator[Seal]:
    after = 0
    while page := await audit.seals(after=after, limit=SEALS_AT_ONCE):
        for each in page:
            yield each
        after = page[-1].id


def _shown(each: Seal) -> dict[str, str | int | None]:
    return {
        "id": each.id,
        "last_seq": each.last_seq,
        "lines": each.lines,
        "sealed_at": each.sealed_at.isoformat(),
        "digest": each.digest.hex(),
        "key_id": each.key_id,
        "signature": each.signature.hex() if each.signature is not None else None,
    }


@app.command()
def verify(
    archives: ArchivesIn = None,
    known: Annotated[
        typer.FileText | None, typer.Option(help="Seals that were kept elsewhere, from `seals`.")
    ] = None,
    key: Annotated[
        list[Path] | None,
        typer.Option(exists=True, dir_okay=False, help="A public key (PEM). May be repeated."),
    ] = None,
) -> None:
    """Check the change log against its seals; names the first changeset that does not match."""
    digests = {int(each["id"]): str(each["digest"]) for each in map(json.loads, known or ())}
    keys = read_public_keys(key or ())

    async def work(uow: UnitOfWork) -> Verification:
        audit = uow.repository(AuditRepository)
        return await Verifier(audit, directory=archives, keys=keys, known=digests).verify()

    found = run_unit(work, reading=True)
    typer.echo(f"{found.seals} seals and {found.lines} lines are as they were sealed")
    if found.unread:
        typer.echo(f"{found.unread} lines are archived and were not read: give --archives")
    if found.unsigned:
        typer.echo(
            f"{found.unsigned} seals are not signed: only --known can tell whether they are new"
        )
    if found.unsealed:
        typer.echo(f"{found.unsealed} lines are not sealed yet")
    if found.fault is not None:
        typer.echo(f"TAMPERED: {found.fault}")
        raise typer.Exit(TAMPERED)


@app.command()
def archive(
    directory: Annotated[Path, typer.Argument(exists=True, file_okay=False, writable=True)],
    older_than: Annotated[
        int | None,
        typer.Option(min=0, help="Days since they were sealed; else GROUPSVC_CHANGE_LOG_DAYS."),
    ] = None,
) -> None:
    """Write old lines to files, and delete those of courses that are gone. Needs the owner's role.

    Lines of a course stay in the database as long as the course, in files as well.
    """
    days = older_than if older_than is not None else Settings().change_log_days

    async def work(runner: OperatorRunner) -> int:
        while True:
            written = await runner.run(lambda uow: archive_some(uow, directory, days))
            if written is None:
                break
            typer.echo(f"{directory / written.file}: {written.lines} lines")
        return await runner.run(_remove)

    typer.echo(f"{open_and_run(work)} lines deleted")


async def _remove(uow: UnitOfWork) -> int:
    return sum([each async for each in removals(uow.repository(AuditRepository))])
