"""Several people edit the same course at once: what others do is shown, and nothing is lost."""

import httpx
from playwright.async_api import Request, expect

from tests.conftest import SQL
from tests.editor.conftest import Divided, Edit, Editor


async def both(edit: Edit, divided: Divided) -> tuple[Editor, Editor]:
    mine, theirs = await edit(divided.world), await edit(divided.world, subject="alice")
    for each in (mine, theirs):
        await each.holds("TD 1", 1, 2, 3)
        await each.follows()
    return mine, theirs


async def test_two_browsers_show_the_same_course(edit: Edit, divided: Divided) -> None:
    mine, theirs = await both(edit, divided)
    await theirs.person(5).drag_to(theirs.list("TD 2"))
    await mine.holds("TD 2", 4, 5)
    await mine.holds("No group")
    await mine.hears("alice Family5 Given moved to TD 2.")
    await expect(mine.person(5)).to_contain_text("moved by alice")
    await expect(theirs.page.get_by_role("log").get_by_role("paragraph")).to_have_count(0)
    await mine.person(1).drag_to(mine.list("TD 2"))
    await theirs.holds("TD 2", 1, 4, 5)
    await theirs.hears("teacher Family1 Given moved to TD 2.")
    await mine.undo()
    for each in (mine, theirs):
        await each.holds("TD 1", 1, 2, 3)
        await each.holds("TD 2", 4, 5)


async def test_many_of_one_request_are_told_of_in_one_line(edit: Edit, divided: Divided) -> None:
    mine, theirs = await both(edit, divided)
    await theirs.list("TD 1").focus()
    await theirs.page.keyboard.press("Control+a")
    await theirs.page.get_by_role("button", name="No group").click()
    await mine.holds("No group", 1, 2, 3, 5)
    await mine.hears("alice 3 people taken out of the group.")


async def test_groups_partitions_and_locks_of_others_are_shown(
    edit: Edit, divided: Divided, sql: SQL
) -> None:
    mine, theirs = await both(edit, divided)
    await theirs.page.get_by_role("button", name="Edit group TD 1").click()
    dialog = theirs.page.get_by_role("dialog")
    await dialog.get_by_label("Name").fill("Tutorial")
    await dialog.get_by_role("button", name="Save").click()
    await mine.holds("Tutorial", 1, 2, 3)
    await mine.hears("alice TD 1 renamed to Tutorial.")
    await theirs.page.get_by_role("button", name="New partition").click()
    await theirs.page.get_by_role("dialog").get_by_label("Name of the partition").fill("TP")
    await theirs.page.get_by_role("button", name="Create").click()
    await expect(mine.page.get_by_role("tab")).to_have_text(["TD2", "TP0"])
    await sql("UPDATE courses SET is_locked = true WHERE id = :id", id=divided.world.course_id)
    for each in (mine, theirs):
        await expect(each.page.get_by_role("banner")).to_contain_text("Locked")
        await expect(each.page.get_by_role("button", name="New groups…")).to_have_count(0)


async def test_what_others_do_waits_while_something_is_dragged(
    edit: Edit, divided: Divided
) -> None:
    mine, theirs = await both(edit, divided)
    mouse, row = mine.page.mouse, await mine.person(1).bounding_box()
    target = await mine.list("TD 2").bounding_box()
    assert row is not None
    assert target is not None
    await mouse.move(row["x"] + 60, row["y"] + 10)
    await mouse.down()
    await mouse.move(row["x"] + 80, row["y"] + 20, steps=3)
    await mouse.move(target["x"] + 60, target["y"] + 60, steps=3)
    await expect(mine.column("TD 2")).to_have_attribute("data-over", "yes")
    await theirs.person(1).drag_to(theirs.list("No group"))
    await theirs.person(2).drag_to(theirs.list("No group"))
    await theirs.holds("No group", 1, 2, 5)
    await theirs.says("Family2 Given taken out of the group.")
    await mine.holds("TD 1", 1, 2, 3)
    await mouse.up()
    # Whoever was dragged is where they were dropped last, for both.
    for each in (mine, theirs):
        await each.holds("TD 2", 1, 4)
        await each.holds("No group", 2, 5)
        await each.holds("TD 1", 3)


async def test_the_keyboard_stays_where_it_was(edit: Edit, divided: Divided) -> None:
    mine, theirs = await both(edit, divided)
    await mine.list("TD 1").focus()
    await mine.page.keyboard.press("ArrowDown")
    await theirs.person(2).drag_to(theirs.list("TD 2"))
    await mine.holds("TD 1", 1, 3)
    await expect(mine.list("TD 1")).to_be_focused()
    await expect(mine.list("TD 1")).to_have_attribute(
        "aria-activedescendant", f"person-{divided.world.users[2]}"
    )


async def test_a_full_group_says_who_filled_it(edit: Edit, divided: Divided, sql: SQL) -> None:
    await sql("UPDATE groups SET capacity = 2 WHERE id = :id", id=divided.second)
    mine, theirs = await both(edit, divided)
    await mine.page.route("**/events", lambda route: route.abort())
    await mine.page.reload()
    await mine.holds("TD 2", 4)
    await theirs.person(5).drag_to(theirs.list("TD 2"))
    await theirs.says("Family5 Given moved to TD 2.")
    await mine.person(1).drag_to(mine.list("TD 2"))
    await mine.complains(
        "There are not enough free places in TD 2. Nobody was moved.",
        "alice: Family5 Given moved to TD 2.",
    )
    await mine.holds("TD 2", 4, 5)
    await mine.holds("TD 1", 1, 2, 3)


async def test_after_a_break_it_goes_on_where_it_was(edit: Edit, divided: Divided) -> None:
    mine, theirs = await both(edit, divided)
    resumed: list[str | None] = []

    def note(request: Request) -> None:
        if request.url.endswith("/events"):
            resumed.append(request.headers.get("last-event-id"))

    await theirs.person(5).drag_to(theirs.list("TD 2"))
    await mine.hears("alice Family5 Given moved to TD 2.")
    mine.page.on("request", note)
    await mine.page.context.set_offline(True)
    await expect(mine.page.get_by_text("Not live")).to_be_visible()
    await theirs.person(1).drag_to(theirs.list("TD 2"))
    await theirs.says("Family1 Given moved to TD 2.")
    await mine.holds("TD 1", 1, 2, 3)
    await mine.page.context.set_offline(False)
    await mine.holds("TD 2", 1, 4, 5)
    await mine.hears("alice Family1 Given moved to TD 2.")
    await expect(mine.page.get_by_text("Not live")).to_have_count(0)
    assert resumed[-1]


async def test_the_notice_goes_by_itself_or_when_asked(edit: Edit, divided: Divided) -> None:
    mine, theirs = await both(edit, divided)
    await theirs.person(5).drag_to(theirs.list("TD 2"))
    notice = mine.page.locator(".heard")
    await expect(notice.get_by_role("button", name="Close")).to_be_visible()
    await notice.get_by_role("button", name="Close").click()
    await expect(notice.get_by_role("button")).to_have_count(0)
    await theirs.person(5).drag_to(theirs.list("TD 1"))
    await expect(notice.get_by_role("button")).to_be_visible()
    # When there is somebody to see it.
    await mine.page.mouse.move(5, 5)
    await expect(notice.get_by_role("button")).to_have_count(0)
    # Screen readers can read it again.
    await mine.hears("alice Family5 Given moved to TD 2.")
    await mine.hears("alice Family5 Given moved to TD 1.")


async def test_whoever_may_no_longer_look_is_told_without_touching_anything(
    edit: Edit, divided: Divided, client: httpx.AsyncClient
) -> None:
    name = f"live-{divided.world.department.lower()}"
    account = {"secret": "a secret that is long", "grants": ["groups:read"]}
    assert (await client.put(f"/v1/accounts/{name}", json=account)).status_code == 201
    form = {"grant_type": "client_credentials", "client_id": name}
    issued = await client.post(
        "/v1/token",
        data={**form, "client_secret": account["secret"]},
        headers={"authorization": ""},
    )
    mine = await edit(divided.world)
    token = issued.json()["access_token"]
    await mine.page.evaluate("token => sessionStorage.setItem('groupsvc-token', token)", token)
    await mine.page.reload()
    await mine.follows()
    await client.delete(f"/v1/accounts/{name}")
    await expect(mine.page.get_by_role("alert")).to_contain_text("Your session has ended.")
