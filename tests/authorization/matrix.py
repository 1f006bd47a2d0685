"""Asks the cells of the matrix, each of them over HTTP and with its own token."""

import itertools
import random
from collections import Counter
from collections.abc import AsyncIterator, Iterable, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any, Final
from urllib.parse import quote

import httpx
import pytest
from asyncpg.transaction import Transaction
from sqlalchemy import URL, event
from sqlalchemy.ext.asyncio import AsyncEngine

from groupsvc import app as wiring
from groupsvc.app import create_app
from groupsvc.core.jobs.service import JobRunner
from groupsvc.db.engine import make_engine
from groupsvc.institution import Institution, Means
from groupsvc.settings import Settings
from tests.conftest import SQL, Auth, serving

from .answers import fault
from .callers import CALLERS, PLACES, RELATIONS, STATES, Caller
from .declared import FACES, PLACES_OF, Row
from .requests import REQUESTS, path_of
from .rules import ADDRESSES, READ, Outcome, expected
from .scenes import Scene, absent, digest, make_scene

# Those who are not admitted are answered the same for what there is and for what there is not.
_BLIND: Final = frozenset(
    {Outcome.FORBIDDEN, Outcome.ABSENT, Outcome.NOTHING, Outcome.NO_DEPARTMENT}
)
# The platform finds the course first, or its moderators; a list may have others in it.
_TELLS: Final = frozenset({"found", "staff", "lists"})
# What requests send, so that answers may repeat it.
_NAMES: Final = (
    *("key", "empty", "department", "username", "peer_name", "account", "department_id"),
    *("course", "partition", "group", "member", "loose", "cohort"),
)


@dataclass(frozen=True, slots=True)
class Cell:
    face: str
    row: Row
    address: str
    caller: Caller
    relation: str
    state: str

    @property
    def name(self) -> str:
        where = f" at {self.address}" if self.face == "scodoc" else ""
        about = f"{self.face} {self.row.operation}{where}"
        return f"{about}: {self.caller.name}, {self.relation}, {self.state}"

    @property
    def outcome(self) -> Outcome:
        return expected(self.face, self.row, self.caller, self.state, self.address)


def _addressed() -> Iterator[tuple[str, Row, str]]:
    for face, rows in FACES.items():
        addresses = ADDRESSES if face == "scodoc" else ADDRESSES[:1]
        for row, address in itertools.product(rows.values(), addresses):
            yield face, row, address


def cells() -> Iterator[Cell]:
    """All of them; those of one caller in one course follow one another."""
    for state, relation, caller in itertools.product(STATES, RELATIONS, CALLERS):
        for face, row, address in _addressed():
            yield Cell(face, row, address, caller, relation, state)


def sample(count: int) -> list[Cell]:
    """Always the same cells: so many of them all, and one of each outcome of an operation."""
    chance = random.Random(7)
    asked = [*_addressed()]

    def some(face: str, row: Row, address: str) -> Cell:
        caller, relation = chance.choice(CALLERS), chance.choice(RELATIONS)
        return Cell(face, row, address, caller, relation, chance.choice(STATES))

    taken = {some(*chance.choice(asked)) for _ in range(count)}
    for face, row in ((face, row) for face, rows in FACES.items() for row in rows.values()):
        addresses = [each for each in asked if each[:2] == (face, row)]
        found = {cell.outcome: cell for cell in (some(*a) for a in addresses for _ in range(200))}
        taken.update(found.values())
    places = {name: number for number, name in enumerate(STATES)}
    return sorted(taken, key=lambda c: (places[c.state], c.relation, c.caller.name, c.name))


@dataclass
class Rehearsal:
    """Undoes what has been done on the connections of an application: nothing is ever committed."""

    _open: dict[Any, Transaction] = field(default_factory=dict)

    def watch(self, engine: AsyncEngine) -> None:
        @event.listens_for(engine.sync_engine, "checkout")
        def taken(adapted: Any, *_: Any) -> None:
            adapted.run_async(self._begin)

    async def _begin(self, driver: Any) -> None:
        # What the application begins and commits are savepoints in it.
        if driver not in self._open:
            self._open[driver] = driver.transaction(isolation="read_committed")
            await self._open[driver].start()

    async def undo(self) -> None:
        while self._open:
            _, transaction = self._open.popitem()
            await transaction.rollback()


@dataclass
class Matrix:
    auth: Auth
    sql: SQL
    client: httpx.AsyncClient
    rehearsing: httpx.AsyncClient
    rehearsal: Rehearsal
    scenes: Mapping[str, Scene]
    stranger: Scene
    # Whatever is expected: where a rule is weakened, refusals would not be refused.
    rehearse_all: bool = False
    faults: list[str] = field(default_factory=list)
    asked: Counter[Outcome] = field(default_factory=Counter[Outcome])
    _tokens: dict[Any, dict[str, str]] = field(default_factory=dict)
    _known: dict[Any, Any] = field(default_factory=dict)

    async def ask_all(self, asked: Iterable[Cell]) -> Sequence[str]:
        """Returns what is not as declared, and whatever is different afterwards from before."""
        self.faults.clear()
        self._known.clear()
        before = {state: await digest(self.sql, scene) for state, scene in self.scenes.items()}
        for (state, relation, caller), group in itertools.groupby(
            asked, key=lambda cell: (cell.state, cell.relation, cell.caller)
        ):
            async with self._role(caller, relation, state):
                for cell in group:
                    await self._ask(cell)
        after = {state: await digest(self.sql, scene) for state, scene in self.scenes.items()}
        if before != after:
            self.faults.append(f"something has changed: {before} {after}")
        return [*self.faults]

    async def _ask(self, cell: Cell) -> None:
        scene, outcome = self.scenes[cell.state], cell.outcome
        self.asked[outcome] += 1
        answer, path = await self._send(cell, scene)
        request = REQUESTS[cell.face][cell.row.operation]
        found = fault(cell.face, cell.row, request, path, outcome, answer)
        found = found or self._word_fault(cell, scene, answer)
        if found is None and outcome in _BLIND and cell.row.kind not in _TELLS:
            found = await self._blind_fault(cell, answer)
        if found is None and outcome is Outcome.ALLOWED and request.method == "GET":
            found = await self._same_fault(cell, answer)
        if found is not None:
            self.faults.append(f"{cell.name}: to be {outcome}: {found}")

    async def _send(self, cell: Cell, scene: Scene) -> tuple[httpx.Response, str]:
        request = REQUESTS[cell.face][cell.row.operation]
        path = path_of(cell.face, request, cell.address).format(**vars(scene))
        more = request.more(scene)
        headers = {**more.pop("headers", {}), **self._headers(cell), "x-request-id": "same"}
        # What is allowed to be written is written, and undone.
        may_write = cell.outcome is Outcome.ALLOWED or self.rehearse_all
        rehearsed = request.method != "GET" and may_write
        client = self.rehearsing if rehearsed else self.client
        answer = await client.request(request.method, path, headers=headers, **more)
        if rehearsed:
            await self.rehearsal.undo()
        return answer, path

    def _headers(self, cell: Cell) -> dict[str, str]:
        scene = self.scenes[cell.state]
        grants = tuple(
            permission + PLACES[place].format(**vars(scene))
            for permission, place in cell.caller.grants
        )
        username = self._person(cell.relation, cell.state)[1]
        key = (grants, username)
        if key not in self._tokens:
            self._tokens[key] = self.auth(*grants, username=username)
        return self._tokens[key]

    def _person(self, relation: str, state: str) -> tuple[int, str]:
        scene = self.scenes[state]
        return {
            "self": (scene.member, scene.username),
            "member": (scene.peer, scene.peer_name),
            "other": (self.stranger.member, self.stranger.username),
        }[relation]

    @asynccontextmanager
    async def _role(self, caller: Caller, relation: str, state: str) -> AsyncIterator[None]:
        if caller.role is None:
            yield
            return
        role, place = caller.role
        user, _ = self._person(relation, state)
        scene = self.scenes[state]
        department = {"own department": scene.department}.get(place)
        department = scene.other_department if place == "other department" else department
        course = {"this course": scene.key, "other course": scene.other_key}.get(place)
        await self.sql(
            "INSERT INTO roles (user_id, role, department_id, course_id) VALUES (:user, :role,"
            " (SELECT id FROM departments WHERE acronym = :department),"
            " (SELECT id FROM courses WHERE key = :course))",
            user=user,
            role=role,
            department=department,
            course=course,
        )
        yield
        await self.sql("DELETE FROM roles WHERE user_id = :user", user=user)

    def _word_fault(self, cell: Cell, scene: Scene, answer: httpx.Response) -> str | None:
        """A list has the course in it, and a refusal has not, but for whoever may read it.

        Natively, whoever may change the course and cannot is told what it is like.
        """
        shown = scene.word.lower() in answer.text.lower()
        if cell.outcome is Outcome.ALLOWED:
            told = cell.row.kind != "lists" or cell.row.operation in _WORDLESS or shown
            return None if told else f"the list lacks it: {answer.text[:200]}"
        if cell.face == "v1" and cell.outcome in (Outcome.LOCKED, Outcome.NOT_EDITABLE):
            shown = shown and not cell.caller.holds(READ, PLACES_OF["course"])
        return f"it tells of the course: {answer.text[:300]}" if shown else None

    async def _blind_fault(self, cell: Cell, answer: httpx.Response) -> str | None:
        """It is answered what is answered for what there is not, byte for byte."""
        scene = self.scenes[cell.state]
        key = ("absent", cell.face, cell.row, cell.address, cell.caller)
        gone = absent(scene)
        if key not in self._known:
            other, _ = await self._send(cell, gone)
            self._known[key] = plain(other, gone)
        told, wanted = plain(answer, scene), self._known[key]
        return None if told == wanted else f"{told} is not {wanted}, as for what there is not"

    async def _same_fault(self, cell: Cell, answer: httpx.Response) -> str | None:
        """Whoever may read is answered what whoever may everything is."""
        if cell.row.kind == "lists" or cell.row.where == "nowhere":
            return None
        key = ("all", cell.face, cell.row, cell.address, cell.state)
        if key not in self._known:
            path = path_of(cell.face, REQUESTS[cell.face][cell.row.operation], cell.address)
            headers = self.auth(*(_EVERYTHING), subject="root")
            known = await self.client.get(
                path.format(**vars(self.scenes[cell.state])), headers=headers
            )
            self._known[key] = known.content
        same = self._known[key] == answer.content
        return None if same else f"{answer.text[:300]} is not {self._known[key][:300]!r}"


# Ids alone, and who is there at a day, when courses without dates never are.
_WORDLESS: Final = ("departements_ids", "etudiants_courants", "etudiants_courants_long")
_EVERYTHING: Final = ("groups:read", "groups:write", "roster:write", "admin")


def plain(answer: httpx.Response, scene: Scene) -> tuple[int, str, Any]:
    """Without what the caller has sent."""

    def unnamed(text: str) -> str:
        for name in _NAMES:
            value = getattr(scene, name)
            # Ids of different kinds may be equal.
            said = "<id>" if isinstance(value, int) else f"<{name}>"
            text = text.replace(str(value), said).replace(quote(str(value)), said)
        return text

    headers = [
        (name, unnamed(value))
        for name, value in answer.headers.multi_items()
        if name != "content-length"
    ]
    return answer.status_code, unnamed(answer.text), headers


@asynccontextmanager
async def opened(
    settings: Settings, url: URL, home: Path, auth: Auth, sql: SQL
) -> AsyncIterator[Matrix]:
    """On a database of its own, in which there is nothing else."""
    rehearsal = Rehearsal()

    def watched(url: URL, settings: Settings) -> AsyncEngine:
        # One that is always put back: what is kept would not be seen to be taken.
        engine = make_engine(url, settings.model_copy(update={"pool_size": 1}))
        rehearsal.watch(engine)
        return engine

    stranger = await make_scene(sql, "open")
    scenes = {state: await make_scene(sql, state) for state in STATES}
    for scene in scenes.values():
        scene.other_department = stranger.department
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(wiring, "Institution", partial(Institution, means=Means(watched)))
        # It would use a connection while what was done on it is undone.
        patch.setattr(JobRunner, "start", lambda _: None)
        async with serving(create_app(settings, url, home)) as rehearsing:
            patch.undo()
            async with serving(create_app(settings, url, home)) as client:
                yield Matrix(auth, sql, client, rehearsing, rehearsal, scenes, stranger)
