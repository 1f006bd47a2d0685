"""What the documentation pages have filled in, executed as a tester would: by clicks alone."""

from pathlib import Path

from groupsvc.app import create_app
from groupsvc.settings import Settings
from tests.cli.conftest import command
from tests.conftest import EVERYTHING, Auth, MakeDatabase
from tests.live.browser import browsing, needs_browser
from tests.live.serving import listening
from tests.live.test_swagger import execute, sign_in

pytestmark = needs_browser

FILLED_IN = {
    "/docs": {
        "tokens-issue_token": "200",
        "partitions-create_partition": "201",
        "accounts-put_account": "201",
    },
    "/docs/openedx": {"v2-create_cohort_v2": "201"},
    "/docs/scodoc": {"members-set_etudiant": "200"},
}


async def test_what_the_pages_have_filled_in_succeeds(
    make_database: MakeDatabase, settings: Settings, home: Path, auth: Auth, tmp_path: Path
) -> None:
    url = await make_database()
    assert (await command(url)("demo"))[0] == 0
    app = create_app(settings, url, home)
    found = {}
    async with listening(app) as address, browsing(tmp_path / "profile") as browser:
        await sign_in(browser, f"{address}/docs", auth(*EVERYTHING, subject="a tester"))
        for page, operations in FILLED_IN.items():
            # Whoever has signed in on one page has done so on all.
            await browser.ask("POST", "/url", url=address + page)
            found[page] = {each: await execute(browser, each) for each in operations}
    assert found == FILLED_IN
