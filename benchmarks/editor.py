"""What the editor costs a browser: its first picture and one drag, 1,000 students in 20 groups.

``python -m benchmarks.editor`` starts a PostgreSQL, the service and a Chromium. Times are those
of the page's main thread alone, which other programs do not lengthen; beside them is an empty page
of the same service. Needs the tools of development, too.
"""

import asyncio
import shutil
import statistics
import sys
import tempfile
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path

from playwright.async_api import BrowserContext, CDPSession, Page, async_playwright
from sqlalchemy import make_url, text
from tests.live.serving import listening

from groupsvc.app import create_app
from groupsvc.auth.development import open_development_key
from groupsvc.db import migrate
from groupsvc.db.engine import make_engine
from groupsvc.domain.principal import EVERYTHING
from groupsvc.local.embedded import EmbeddedPostgres
from groupsvc.settings import Settings

STUDENTS, GROUPS, ROUNDS = 1_000, 20, 15
DATA = f"""
INSERT INTO departments (id, acronym) VALUES (1, 'B');
INSERT INTO courses (id, department_id, key, title) VALUES (1, 1, 'course-v1:B+C+1', 'Course');
INSERT INTO users (id, department_id, username, family_name, given_name, sort_key)
SELECT n, 1, 'b' || n, 'Family' || n, 'Given', to_char(n, 'FM000000')
FROM generate_series(1, {STUDENTS}) n;
INSERT INTO enrollments (course_id, user_id, state)
SELECT 1, n, 'active' FROM generate_series(1, {STUDENTS}) n;
INSERT INTO partitions (id, course_id, kind, name, position) VALUES (1, 1, 'ordinary', 'TD', 1);
INSERT INTO groups (id, course_id, partition_id, name, position)
SELECT n, 1, 1, 'TD ' || n, n FROM generate_series(1, {GROUPS}) n;
INSERT INTO memberships (course_id, partition_id, group_id, user_id)
SELECT 1, 1, n % {GROUPS} + 1, n FROM generate_series(1, {STUDENTS}) n;
"""
NEXT = "new Promise(done => requestAnimationFrame(() => setTimeout(done)))"
# Resolved with the first picture after everybody is there.
DRAWN = f"""new Promise(done => {{
  const look = () => document.querySelectorAll('[role=option]').length >= {STUDENTS}
    ? requestAnimationFrame(() => setTimeout(done)) : requestAnimationFrame(look);
  look();
}})"""
# A drag as the browser tells of it, over all columns on the way.
DRAG = """new Promise(done => {
  const columns = [...document.querySelectorAll('[data-column]')];
  const [from, to] = [columns[FROM], columns[TO]];
  const row = from.querySelector('[data-person]');
  const load = new DataTransfer();
  const tell = (kind, at) =>
    at.dispatchEvent(new DragEvent(kind, { bubbles: true, cancelable: true, dataTransfer: load }));
  tell('dragstart', row);
  for (const each of columns) tell('dragover', each);
  tell('dragover', to);
  tell('drop', to);
  tell('dragend', row);
  requestAnimationFrame(() => setTimeout(done));
})"""


@contextmanager
def fresh_home() -> Iterator[Path]:
    """PostgreSQL runs as another user, who has to come in."""
    with tempfile.TemporaryDirectory(prefix="gs-") as directory:
        Path(directory).chmod(0o755)
        yield Path(directory)


@asynccontextmanager
async def service(home: Path) -> AsyncIterator[tuple[str, str]]:
    """Its address, and a token."""
    settings = Settings(home=home)
    with EmbeddedPostgres(home) as found:
        url = make_url(found)
        engine = make_engine(url, settings)
        await migrate.upgrade(engine)
        async with engine.begin() as connection:
            for statement in DATA.strip().split(";\n"):
                await connection.execute(text(statement.rstrip(";")))
        await engine.dispose()
        token = open_development_key(settings, home).issue("benchmark", EVERYTHING)
        async with listening(create_app(settings, url, home)) as address:
            yield address, token


async def busy(session: CDPSession) -> float:
    """Milliseconds that the main thread has worked since the page began."""
    answer = await session.send("Performance.getMetrics")
    found = {each["name"]: each["value"] for each in answer["metrics"]}
    return float(found["TaskDuration"]) * 1_000


@asynccontextmanager
async def opened(
    context: BrowserContext, address: str, ready: str
) -> AsyncIterator[tuple[Page, CDPSession]]:
    """A page in a tab of its own, and what measures it."""
    page = await context.new_page()
    session = await context.new_cdp_session(page)
    await session.send("Performance.enable", {"timeDomain": "threadTicks"})
    await page.goto(address)
    await page.evaluate(ready)
    yield page, session
    await page.close()


async def drag(page: Page, session: CDPSession, number: int) -> float:
    before = await busy(session)
    script = DRAG.replace("FROM", str(number % GROUPS + 1))
    await page.evaluate(script.replace("TO", str((number + 7) % GROUPS + 1)))
    return await busy(session) - before


def tell(name: str, times: list[float], empty: float) -> None:
    middle = statistics.median(times)
    sys.stdout.write(f"{name:<16}{middle:>8.1f} ms{middle / empty:>10.1f} x an empty page\n")


async def main() -> None:
    with fresh_home() as home:
        async with service(home) as (address, token), async_playwright() as playwright:
            chromium = await playwright.chromium.launch(
                executable_path=shutil.which("chromium"), args=["--no-sandbox"]
            )
            context = await chromium.new_context(viewport={"width": 1600, "height": 1000})
            await context.add_init_script(f"sessionStorage.setItem('groupsvc-token', '{token}')")
            empty, first, drags = [], [], []
            for _ in range(ROUNDS):
                async with opened(context, f"{address}/ui/settings.json", NEXT) as (_, session):
                    empty.append(await busy(session))
                board = f"{address}/ui/#/courses/1"
                async with opened(context, board, DRAWN) as (page, session):
                    first.append(await busy(session))
                    drags.extend([await drag(page, session, number) for number in range(4)])
            await chromium.close()
    one = statistics.median(empty)
    for name, times in (("empty page", empty), ("first picture", first), ("one drag", drags)):
        tell(name, times, one)


if __name__ == "__main__":
    asyncio.run(main())
