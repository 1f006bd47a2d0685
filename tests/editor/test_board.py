"""What the board shows, to whom, and how it tells what went wrong."""

from playwright.async_api import Route, expect

from tests.conftest import SQL
from tests.editor.conftest import Divided, Edit


async def test_groups_are_columns_with_their_people(edit: Edit, divided: Divided) -> None:
    editor = await edit(divided.world)
    await editor.holds("No group", 5)
    await editor.holds("TD 1", 1, 2, 3)
    await editor.holds("TD 2", 4)
    assert await editor.list("TD 1").get_attribute("aria-label") == "TD 1, 3 people"
    assert await editor.list("TD 2").get_attribute("aria-label") == "TD 2, 1 of 3"
    await expect(editor.page).to_have_title("Course · groupsvc")


async def test_partitions_are_tabs(edit: Edit, divided: Divided) -> None:
    labs = await divided.world.add_partition("TP", position=2)
    await divided.world.add_group(labs, "TP A")
    editor = await edit(divided.world)
    tabs = editor.page.get_by_role("tab")
    await expect(tabs).to_have_text(["TD2", "TP1"])
    await tabs.first.focus()
    await editor.page.keyboard.press("ArrowRight")
    await expect(tabs.nth(1)).to_be_focused()
    await editor.holds("No group", 1, 2, 3, 4, 5)
    # The address leads there again.
    await editor.page.reload()
    await expect(tabs.nth(1)).to_have_attribute("aria-selected", "true")
    await editor.page.go_back()
    await editor.holds("TD 1", 1, 2, 3)


async def test_people_are_found_by_name_and_number(edit: Edit, divided: Divided, sql: SQL) -> None:
    await sql(
        "UPDATE users SET given_name = 'Zoé', student_number = :number WHERE id = :id",
        number=f"N{divided.world.users[1]}",
        id=divided.world.users[1],
    )
    editor = await edit(divided.world)
    search = editor.page.get_by_label("Find people")
    for text in ("zoe family2", f"n{divided.world.users[1]}"):
        await search.fill(text)
        await expect(editor.page.locator(".board").get_by_role("option")).to_have_count(1)
        await expect(editor.column("TD 1").get_by_role("option")).to_contain_text(["Family2 Zoé"])
        await expect(editor.column("TD 2")).to_contain_text("Nobody found here")
    await editor.page.get_by_role("button", name="Select all found").click()
    await search.fill("")
    await expect(editor.page.get_by_text("1 selected")).to_be_visible()
    await expect(editor.person(2)).to_have_attribute("aria-selected", "true")


async def test_whoever_may_only_read_changes_nothing(edit: Edit, divided: Divided) -> None:
    editor = await edit(divided.world, "groups:read")
    await expect(editor.page.get_by_role("banner")).to_contain_text("Read only")
    for name in ("New groups…", "New partition", "Import…"):
        await expect(editor.page.get_by_role("button", name=name)).to_have_count(0)
    assert await editor.person(1).get_attribute("draggable") == "false"
    await editor.person(1).click()
    await expect(editor.page.get_by_role("button", name="Details")).to_be_visible()
    await expect(editor.page.get_by_role("button", name="Move to…")).to_have_count(0)
    await editor.page.keyboard.press("Enter")
    await editor.page.keyboard.press("Control+ArrowRight")
    await editor.page.get_by_role("button", name="History of TD 1").click()
    await expect(editor.page.get_by_role("dialog").get_by_role("heading", level=2)).to_have_text(
        "History of TD 1"
    )
    await expect(editor.page.get_by_role("button", name="Save")).to_have_count(0)
    assert await divided.world.members(divided.first) == divided.world.users[:3]


async def test_grants_count_in_their_place(edit: Edit, divided: Divided) -> None:
    world = divided.world
    editor = await edit(
        world, f"groups:read@course:{world.course}", f"groups:write@department:{world.department}"
    )
    await expect(editor.page.get_by_role("button", name="New groups…")).to_be_visible()


async def test_a_locked_course_is_read_only(edit: Edit, divided: Divided, sql: SQL) -> None:
    lock = "UPDATE courses SET is_locked = :locked WHERE id = :id"
    editor = await edit(divided.world)
    await editor.holds("TD 1", 1, 2, 3)
    await sql(lock, locked=True, id=divided.world.course_id)
    await editor.person(1).drag_to(editor.list("TD 2"))
    await editor.complains("The course has been locked: nothing in it can be changed.")
    await editor.holds("TD 1", 1, 2, 3)
    await expect(editor.page.get_by_role("banner")).to_contain_text("Locked")
    await expect(editor.page.get_by_role("button", name="New groups…")).to_have_count(0)
    await sql(lock, locked=False, id=divided.world.course_id)
    await editor.page.evaluate("dispatchEvent(new Event('focus'))")
    await expect(editor.page.get_by_role("button", name="New groups…")).to_be_visible()


async def test_what_others_do_is_seen_with_the_focus(edit: Edit, divided: Divided) -> None:
    world = divided.world
    editor = await edit(world)
    other = await edit(world)
    await other.person(5).drag_to(other.list("TD 2"))
    await other.holds("TD 2", 4, 5)
    await other.says("Family5 Given moved to TD 2.")
    await editor.holds("No group", 5)
    await editor.page.evaluate("dispatchEvent(new Event('focus'))")
    await editor.holds("TD 2", 4, 5)
    await editor.holds("No group")


async def test_a_course_that_is_not_there(edit: Edit, divided: Divided) -> None:
    editor = await edit(divided.world)
    address = editor.page.url.partition("#")[0]
    await editor.page.goto(f"{address}#/courses/{2**62}")
    await editor.complains("It is not there any more, or you may not see it.")
    await editor.page.get_by_role("link", name="groupsvc").click()
    await expect(editor.page.get_by_role("heading", level=1)).to_have_text("Courses")


async def test_while_there_is_no_answer_it_tries_again(edit: Edit, divided: Divided) -> None:
    editor = await edit(divided.world)
    board, tried = "**/v1/courses/*/board", []

    async def refuse(route: Route) -> None:
        tried.append(route.request.url)
        await route.fulfill(status=503, headers={"retry-after": "1"}, json={"code": "unavailable"})

    await editor.page.route(board, refuse)
    await editor.page.reload()
    await editor.complains("The service is busy.")
    await editor.page.unroute(board)
    await editor.holds("TD 1", 1, 2, 3)
    await expect(editor.page.locator(".banner")).to_have_count(0)
    assert tried


async def test_without_a_connection_nothing_is_lost(edit: Edit, divided: Divided) -> None:
    editor = await edit(divided.world)
    await editor.holds("TD 1", 1, 2, 3)
    await editor.page.context.set_offline(True)
    await editor.person(1).drag_to(editor.list("TD 2"))
    await editor.complains("There is no connection to the server. Nothing was changed.")
    await editor.holds("TD 1", 1, 2, 3)
    await editor.page.context.set_offline(False)
    await editor.person(1).drag_to(editor.list("TD 2"))
    await editor.holds("TD 2", 1, 4)
