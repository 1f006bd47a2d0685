"""People are moved by mouse, by keyboard and by menu: at once, and back when it is refused."""

from playwright.async_api import Route, expect

from tests.conftest import SQL
from tests.editor.conftest import Divided, Edit


async def test_one_person_is_dragged(edit: Edit, divided: Divided) -> None:
    editor = await edit(divided.world)
    await editor.person(2).drag_to(editor.list("TD 2"))
    await editor.holds("TD 1", 1, 3)
    await editor.holds("TD 2", 2, 4)
    await editor.says("Family2 Given moved to TD 2.")
    assert await divided.world.members(divided.second) == [
        divided.world.users[1],
        divided.world.users[3],
    ]


async def test_many_are_dragged_with_one_request(edit: Edit, divided: Divided) -> None:
    editor = await edit(divided.world)
    writes: list[str] = []
    editor.page.on(
        "request",
        lambda request: writes.append(request.url) if request.method != "GET" else None,
    )
    await editor.person(1).click()
    await editor.person(2).click(modifiers=["Shift"])
    await editor.person(5).click(modifiers=["ControlOrMeta"])
    await editor.person(3).click(modifiers=["ControlOrMeta"])
    await editor.person(3).click(modifiers=["ControlOrMeta"])
    await expect(editor.page.get_by_text("3 selected")).to_be_visible()
    await divided.world.sql("UPDATE groups SET capacity = 4 WHERE id = :id", id=divided.second)
    await editor.person(1).drag_to(editor.list("TD 2"))
    await editor.holds("TD 2", 1, 2, 4, 5)
    await editor.says("3 people moved to TD 2.")
    assert [url.rpartition("/")[2] for url in writes] == ["assignments"]
    await editor.page.get_by_role("button", name="Undo").click()
    await editor.says("Undone.")
    await editor.holds("TD 1", 1, 2, 3)
    await editor.holds("No group", 5)
    assert await divided.world.members(divided.second) == [divided.world.users[3]]


async def test_a_full_group_refuses_and_everybody_is_back(edit: Edit, divided: Divided) -> None:
    editor = await edit(divided.world)
    await editor.person(1).click()
    await editor.person(3).click(modifiers=["Shift"])
    await editor.person(1).drag_to(editor.list("TD 2"))
    await editor.complains("There are not enough free places in TD 2. Nobody was moved.")
    await editor.holds("TD 1", 1, 2, 3)
    await editor.holds("TD 2", 4)
    assert await divided.world.members(divided.first) == divided.world.users[:3]


async def test_it_is_shown_before_it_is_written(edit: Edit, divided: Divided) -> None:
    editor = await edit(divided.world)
    held: list[Route] = []
    await editor.page.route("**/v1/groups/*/members/*", lambda route: held.append(route))
    await editor.person(1).drag_to(editor.list("TD 2"))
    await editor.holds("TD 2", 1, 4)
    await expect(editor.page.get_by_text("Saving…")).to_be_visible()
    assert await divided.world.members(divided.second) == [divided.world.users[3]]
    await held[0].continue_()
    await editor.says("Family1 Given moved to TD 2.")
    await expect(editor.page.get_by_text("Saving…")).to_have_count(0)


async def test_whoever_was_moved_by_somebody_else_is_told_of(edit: Edit, divided: Divided) -> None:
    world = divided.world
    third = await world.add_group(divided.partition, "TD 3", position=3)
    editor = await edit(world)
    await editor.holds("TD 1", 1, 2, 3)
    await world.sql(
        "UPDATE memberships SET group_id = :group WHERE user_id = :user",
        group=third,
        user=world.users[0],
    )
    await editor.person(1).drag_to(editor.list("TD 2"))
    await editor.says(
        "Family1 Given moved to TD 2. Somebody else had moved one of them in the meantime."
    )


async def test_two_people_swap_though_their_group_is_full(
    edit: Edit, divided: Divided, sql: SQL
) -> None:
    await sql("UPDATE groups SET capacity = 1 WHERE id = :id", id=divided.second)
    editor = await edit(divided.world)
    await editor.person(1).click()
    await editor.person(4).click(modifiers=["ControlOrMeta"])
    await editor.page.get_by_role("button", name="Swap").click()
    await editor.holds("TD 1", 2, 3, 4)
    await editor.holds("TD 2", 1)
    await editor.says("Family1 Given and Family4 Given have changed places.")


async def test_whoever_has_no_group_is_spread_over_the_smallest(
    edit: Edit, divided: Divided
) -> None:
    world = divided.world
    await world.enroll(*await world.add_users(4))
    await world.sql("UPDATE groups SET capacity = 5 WHERE id = :id", id=divided.first)
    editor = await edit(world)
    await editor.page.get_by_role("button", name="Spread evenly").click()
    await editor.says("4 people spread over 2 groups. There was no place left for 1.")
    await expect(editor.column("TD 1").get_by_role("option")).to_have_count(5)
    await expect(editor.column("TD 2").get_by_role("option")).to_have_count(3)
    await expect(editor.column("No group").get_by_role("option")).to_have_count(1)


async def test_a_tap_selects_and_the_menu_moves(edit: Edit, divided: Divided) -> None:
    phone = {"width": 390, "height": 844}
    editor = await edit(divided.world, has_touch=True, is_mobile=True, viewport=phone)
    await editor.person(1).tap()
    await editor.person(2).tap()
    await editor.page.get_by_role("button", name="Move to…").tap()
    dialog = editor.page.get_by_role("dialog", name="Move 2 people to")
    await dialog.get_by_role("button", name="TD 2").tap()
    await editor.holds("TD 2", 1, 2, 4)


async def test_the_keyboard_alone_moves_people(edit: Edit, divided: Divided) -> None:
    editor = await edit(divided.world)
    press = editor.page.keyboard.press
    await editor.holds("TD 1", 1, 2, 3)
    await editor.page.get_by_role("button", name="Edit group TD 1").focus()
    await press("Tab")
    await expect(editor.list("TD 1")).to_be_focused()
    await press("ArrowDown")
    await expect(editor.list("TD 1")).to_have_attribute(
        "aria-activedescendant", f"person-{divided.world.users[1]}"
    )
    await press("Space")
    await press("Shift+ArrowDown")
    await expect(editor.page.get_by_text("2 selected")).to_be_visible()
    await press("Enter")
    dialog = editor.page.get_by_role("dialog", name="Move 2 people to")
    await expect(dialog.get_by_label("Find a group")).to_be_focused()
    await editor.page.keyboard.type("td 2")
    await press("Enter")
    await editor.holds("TD 2", 2, 3, 4)
    await expect(editor.list("TD 1")).to_be_focused()


async def test_the_keyboard_carries_somebody_from_column_to_column(
    edit: Edit, divided: Divided
) -> None:
    editor = await edit(divided.world)
    press = editor.page.keyboard.press
    await editor.list("No group").focus()
    await press("Control+ArrowRight")
    await editor.holds("TD 1", 1, 2, 3, 5)
    await expect(editor.list("TD 1")).to_be_focused()
    await press("Control+ArrowRight")
    await editor.holds("TD 2", 4, 5)
    await editor.says("Family5 Given moved to TD 2.")
    await press("ArrowLeft")
    await expect(editor.list("TD 1")).to_be_focused()
    await press("Control+a")
    await expect(editor.page.get_by_text("3 selected")).to_be_visible()
    await press("Escape")
    await expect(editor.page.get_by_text("selected")).to_have_count(0)
    await press("End")
    await press("Space")
    await expect(editor.person(3)).to_have_attribute("aria-selected", "true")


async def test_moves_made_fast_are_written_in_their_order(edit: Edit, divided: Divided) -> None:
    editor = await edit(divided.world)
    await editor.list("No group").focus()
    for _ in range(3):
        await editor.page.keyboard.press("Control+ArrowRight")
        await editor.page.keyboard.press("Control+ArrowLeft")
    await editor.page.keyboard.press("Control+ArrowRight")
    await editor.holds("TD 1", 1, 2, 3, 5)
    await expect(editor.page.get_by_text("Saving…")).to_have_count(0)
    assert await divided.world.members(divided.first) == [
        divided.world.users[number] for number in (0, 1, 2, 4)
    ]
