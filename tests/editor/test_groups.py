"""Groups and partitions are made, changed, ordered and deleted."""

from typing import Any

from playwright.async_api import Locator, expect

from tests.conftest import SQL
from tests.editor.conftest import Divided, Edit, Editor


async def names(editor: Editor, *wanted: str) -> None:
    await expect(editor.page.locator(".groups section h2")).to_have_text(list(wanted))


async def edit_group(editor: Editor, name: str) -> Locator:
    await editor.page.get_by_role("button", name=f"Edit group {name}").click()
    return editor.page.get_by_role("dialog", name=f"Edit group {name}")


async def groups(sql: SQL, partition: int) -> list[Any]:
    return await sql(
        "SELECT name, capacity FROM groups WHERE partition_id = :id ORDER BY position, name",
        id=partition,
    )


async def test_many_groups_by_a_pattern_with_a_preview(edit: Edit, divided: Divided) -> None:
    editor = await edit(divided.world)
    await editor.page.get_by_role("button", name="New groups…").click()
    dialog = editor.page.get_by_role("dialog", name="New groups")
    await expect(dialog.get_by_role("textbox", name="Pattern")).to_have_value("TD #")
    preview = dialog.get_by_role("region", name="Preview")
    await expect(preview.get_by_role("status")).to_have_text("2 groups will be made")
    await expect(preview.get_by_role("listitem")).to_have_text(
        ["TD 3", "TD 4", "TD 1 · exists", "TD 2 · exists"]
    )
    await names(editor, "TD 1", "TD 2")
    await dialog.get_by_role("combobox", name="How many").select_option("size")
    await dialog.get_by_role("spinbutton", name="Enough for all").fill("2")
    await dialog.get_by_label("Capacity").fill("7")
    await expect(preview.get_by_role("status")).to_have_text("1 group will be made")
    await dialog.get_by_role("button", name="Create").click()
    await editor.says("1 group created.")
    await names(editor, "TD 1", "TD 2", "TD 3")
    assert (await groups(divided.world.sql, divided.partition))[2] == ("TD 3", 7)


async def test_a_pattern_that_means_nothing_is_explained(edit: Edit, divided: Divided) -> None:
    editor = await edit(divided.world)
    await editor.page.get_by_role("button", name="New groups…").click()
    dialog = editor.page.get_by_role("dialog")
    await dialog.get_by_role("textbox", name="Pattern").fill("TD")
    await expect(dialog.get_by_role("alert")).to_contain_text("It did not work:")
    await expect(dialog.get_by_role("button", name="Create")).to_be_disabled()


async def test_one_group_whose_name_is_taken(edit: Edit, divided: Divided) -> None:
    editor = await edit(divided.world)
    await editor.page.get_by_role("button", name="New groups…").click()
    dialog = editor.page.get_by_role("dialog")
    await dialog.get_by_label("One group").check()
    await dialog.get_by_label("Name").fill("TD 1")
    await dialog.get_by_label("Name").press("Enter")
    await expect(dialog.get_by_role("alert")).to_have_text("This name is taken.")
    await dialog.get_by_label("Name").fill("TD X")
    await dialog.get_by_label("Name").press("Enter")
    await editor.says("TD X created.")
    await names(editor, "TD 1", "TD 2", "TD X")


async def test_a_group_gets_a_name_and_a_capacity(edit: Edit, divided: Divided) -> None:
    editor = await edit(divided.world)
    dialog = await edit_group(editor, "TD 1")
    await expect(dialog.get_by_label("Name")).to_be_focused()
    await dialog.get_by_label("Capacity").fill("2")
    await dialog.get_by_role("button", name="Save").click()
    await expect(dialog.get_by_role("alert").first).to_have_text(
        "There are more people in the group than that."
    )
    await dialog.get_by_label("Name").fill("Tutorial")
    await dialog.get_by_label("Capacity").fill("3")
    await dialog.get_by_role("button", name="Save").click()
    await editor.says("Tutorial changed.")
    await expect(editor.column("Tutorial")).to_contain_text("3 of 3, full")


async def test_what_somebody_else_has_changed_is_not_written_over(
    edit: Edit, divided: Divided
) -> None:
    editor, other = await edit(divided.world), await edit(divided.world)
    mine = await edit_group(editor, "TD 1")
    await expect(mine.get_by_role("listitem")).not_to_have_count(0)
    theirs = await edit_group(other, "TD 1")
    await theirs.get_by_label("Name").fill("Theirs")
    await theirs.get_by_role("button", name="Save").click()
    await other.says("Theirs changed.")
    await mine.get_by_label("Name").fill("Mine")
    await mine.get_by_role("button", name="Save").click()
    await expect(mine.get_by_role("alert").first).to_have_text(
        "teacher has changed it in the meantime. What you see now is how it is; try again."
    )
    await names(editor, "Theirs", "TD 2")
    assert (await groups(divided.world.sql, divided.partition))[0] == ("Theirs", None)


async def test_a_group_is_deleted_after_a_question(edit: Edit, divided: Divided) -> None:
    editor = await edit(divided.world)
    dialog = await edit_group(editor, "TD 1")
    await dialog.get_by_role("button", name="Delete").click()
    question = dialog.get_by_role("alertdialog")
    await expect(question).to_contain_text(
        "Delete TD 1? Its 3 members will be in no group; they stay in the course."
    )
    await question.get_by_role("button", name="Cancel").click()
    await dialog.get_by_role("button", name="Delete").click()
    await question.get_by_role("button", name="Delete").click()
    await editor.says("TD 1 deleted.")
    await names(editor, "TD 2")
    await editor.holds("No group", 1, 2, 3, 5)


async def test_groups_are_ordered_by_keyboard_by_drag_and_by_name(
    edit: Edit, divided: Divided
) -> None:
    await divided.world.add_group(divided.partition, "TD 10", position=3)
    editor = await edit(divided.world)
    dialog = await edit_group(editor, "TD 10")
    await dialog.get_by_role("button", name="Move left").press("Enter")
    await editor.says("TD 10 is number 2 of 3.")
    await expect(dialog.get_by_role("group", name="Place among the groups")).to_contain_text(
        "2 / 3"
    )
    await editor.page.keyboard.press("Escape")
    await names(editor, "TD 1", "TD 10", "TD 2")
    await editor.column("TD 2").locator(".column-head").drag_to(editor.column("TD 1"))
    await names(editor, "TD 2", "TD 1", "TD 10")
    await editor.page.get_by_role("button", name="Edit partition TD").click()
    await editor.page.get_by_role("button", name="Sort groups by name").click()
    await names(editor, "TD 1", "TD 2", "TD 10")
    found = await groups(divided.world.sql, divided.partition)
    assert [name for name, _ in found] == ["TD 1", "TD 2", "TD 10"]


async def test_a_partition_is_made_renamed_ordered_and_deleted(
    edit: Edit, divided: Divided
) -> None:
    editor = await edit(divided.world)
    page = editor.page
    tabs = page.get_by_role("tab")
    await page.get_by_role("button", name="New partition").click()
    await page.get_by_role("dialog").get_by_label("Name of the partition").fill("Labs")
    await page.get_by_role("button", name="Create").click()
    await editor.says("Labs created.")
    await expect(tabs).to_have_text(["TD2", "Labs0"])
    await expect(tabs.nth(1)).to_have_attribute("aria-selected", "true")
    await expect(page.get_by_text("No groups yet")).to_be_visible()
    await page.get_by_role("button", name="Edit partition Labs").click()
    await page.get_by_role("button", name="Move left").click()
    await expect(tabs).to_have_text(["Labs0", "TD2"])
    await page.get_by_role("dialog").get_by_label("Name of the partition").fill("TP")
    await page.get_by_label("Groups can be created, renamed and deleted").uncheck()
    await page.get_by_role("button", name="Save").click()
    await editor.says("TP changed.")
    await expect(page.get_by_role("button", name="New groups…")).to_have_count(0)
    await page.get_by_role("button", name="Edit partition TP").click()
    await page.get_by_role("button", name="Delete").click()
    await page.get_by_role("alertdialog").get_by_role("button", name="Delete").click()
    await editor.says("TP deleted.")
    await expect(tabs).to_have_text(["TD2"])
    await editor.holds("TD 1", 1, 2, 3)


async def test_fixed_groups_keep_their_names(edit: Edit, divided: Divided, sql: SQL) -> None:
    await sql("UPDATE partitions SET groups_editable = false WHERE id = :id", id=divided.partition)
    editor = await edit(divided.world)
    dialog = await edit_group(editor, "TD 1")
    await expect(dialog.get_by_label("Name")).to_be_disabled()
    await expect(dialog.get_by_role("button", name="Delete")).to_have_count(0)
    await dialog.get_by_label("Capacity").fill("9")
    await dialog.get_by_role("button", name="Save").click()
    await editor.says("TD 1 changed.")
    assert (await groups(sql, divided.partition))[0] == ("TD 1", 9)
