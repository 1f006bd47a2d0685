"""What was done is undone, and done again: at once, by keyboard, and from the history."""

from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from playwright.async_api import Locator, expect

from tests.conftest import SQL
from tests.editor.conftest import Divided, Edit, Editor


async def everything(sql: SQL, course_id: int) -> list[list[Any]]:
    return [
        await sql(statement, id=course_id)
        for statement in (
            "SELECT id, name, position, groups_editable FROM partitions"
            " WHERE course_id = :id AND kind = 'ordinary' ORDER BY id",
            "SELECT id, name, position, capacity FROM groups"
            " WHERE course_id = :id AND name IS NOT NULL ORDER BY id",
            "SELECT group_id, user_id FROM memberships WHERE course_id = :id ORDER BY user_id",
        )
    ]


async def move(editor: Editor) -> None:
    await editor.person(2).drag_to(editor.list("TD 2"))


async def spread(editor: Editor) -> None:
    await editor.page.get_by_role("button", name="Spread evenly").click()


async def swap(editor: Editor) -> None:
    await editor.person(1).click()
    await editor.person(4).click(modifiers=["ControlOrMeta"])
    await editor.page.get_by_role("button", name="Swap").click()


async def group(editor: Editor) -> Locator:
    await editor.page.get_by_role("button", name="Edit group TD 1").click()
    return editor.page.get_by_role("dialog")


async def rename(editor: Editor) -> None:
    dialog = await group(editor)
    await dialog.get_by_label("Name").fill("Tutorial")
    await dialog.get_by_label("Capacity").fill("9")
    await dialog.get_by_role("button", name="Save").click()


async def delete(editor: Editor) -> None:
    dialog = await group(editor)
    await dialog.get_by_role("button", name="Delete").click()
    await dialog.get_by_role("alertdialog").get_by_role("button", name="Delete").click()


async def delete_partition(editor: Editor) -> None:
    await editor.page.get_by_role("button", name="Edit partition TD").click()
    dialog = editor.page.get_by_role("dialog")
    await dialog.get_by_role("button", name="Delete").click()
    await dialog.get_by_role("alertdialog").get_by_role("button", name="Delete").click()


async def create(editor: Editor) -> None:
    await editor.page.get_by_role("button", name="New groups…").click()
    await expect(editor.page.get_by_text("2 groups will be made")).to_be_visible()
    await editor.page.get_by_role("button", name="Create").click()


async def order(editor: Editor) -> None:
    await editor.column("TD 2").locator(".column-head").drag_to(editor.column("TD 1"))


ACTS = {act.__name__: act for act in (move, spread, swap, rename, delete, create, order)}


@pytest.mark.parametrize("name", [*ACTS, "delete_partition"])
async def test_whatever_was_done_is_undone_and_done_again(
    edit: Edit, divided: Divided, name: str
) -> None:
    acts: dict[str, Callable[[Editor], Awaitable[None]]] = {
        **ACTS,
        "delete_partition": delete_partition,
    }
    sql, course = divided.world.sql, divided.world.course_id
    before = await everything(sql, course)
    editor = await edit(divided.world)
    undo = editor.page.get_by_role("button", name="Undo", exact=True)
    redo = editor.page.get_by_role("button", name="Redo", exact=True)
    await acts[name](editor)
    await expect(undo).to_be_visible()
    done = await everything(sql, course)
    assert done != before
    await undo.click()
    await editor.says("Undone.")
    assert await everything(sql, course) == before
    await editor.holds("TD 1", 1, 2, 3)
    await editor.holds("TD 2", 4)
    await redo.click()
    await editor.says("Done again.")
    assert await everything(sql, course) == done
    await undo.click()
    await editor.says("Undone.")
    assert await everything(sql, course) == before


async def test_an_import_is_undone(edit: Edit, divided: Divided) -> None:
    sql, course = divided.world.sql, divided.world.course_id
    ((username,),) = await sql(
        "SELECT username FROM users WHERE id = :id", id=divided.world.users[4]
    )
    before = await everything(sql, course)
    editor = await edit(divided.world)
    await editor.page.get_by_role("button", name="Import…").click()
    dialog = editor.page.get_by_role("dialog")
    table = f"user,group\n{username},TD 7\n".encode()
    await dialog.get_by_label("File").set_input_files(
        {"name": "list.csv", "mimeType": "text/csv", "buffer": table}
    )
    await dialog.get_by_role("button", name="Import 1 row").click()
    await editor.holds("TD 7", 5)
    await editor.undo()
    await editor.says("Undone.")
    await expect(editor.column("TD 7")).to_have_count(0)
    assert await everything(sql, course) == before


async def test_by_keyboard(edit: Edit, divided: Divided) -> None:
    editor = await edit(divided.world)
    await editor.list("No group").focus()
    await editor.page.keyboard.press("Control+ArrowRight")
    await editor.says("Family5 Given moved to TD 1.")
    # Within a text it is that of the text.
    search = editor.page.get_by_label("Find people")
    await search.press("Control+z")
    await editor.holds("TD 1", 1, 2, 3, 5)
    await editor.list("TD 1").focus()
    await editor.page.keyboard.press("Control+z")
    await editor.says("Undone.")
    await editor.holds("No group", 5)
    await editor.page.keyboard.press("Control+Shift+Z")
    await editor.says("Done again.")
    await editor.holds("TD 1", 1, 2, 3, 5)
    # Step by step.
    await editor.person(1).drag_to(editor.list("TD 2"))
    await editor.says("Family1 Given moved to TD 2.")
    await editor.list("TD 2").focus()
    await editor.page.keyboard.press("Control+z")
    await editor.holds("TD 1", 1, 2, 3, 5)
    await editor.page.keyboard.press("Control+z")
    await editor.holds("No group", 5)
    await editor.page.keyboard.press("Control+y")
    await editor.page.keyboard.press("Control+y")
    await editor.holds("TD 1", 2, 3, 5)
    await editor.holds("TD 2", 1, 4)


async def test_what_has_been_changed_since_is_told_with_who_did_it(
    edit: Edit, divided: Divided
) -> None:
    mine, theirs = await edit(divided.world), await edit(divided.world, subject="alice")
    await mine.person(5).drag_to(mine.list("TD 2"))
    await mine.says("Family5 Given moved to TD 2.")
    await theirs.holds("TD 2", 4, 5)
    await theirs.person(5).drag_to(theirs.list("TD 1"))
    await mine.holds("TD 1", 1, 2, 3, 5)
    await mine.undo()
    await mine.complains(
        "It was not undone, for it has been changed since:", "alice: Family5 Given moved to TD 1."
    )
    await mine.holds("TD 1", 1, 2, 3, 5)


async def history(editor: Editor) -> Locator:
    await editor.page.get_by_role("button", name="History", exact=True).click()
    return editor.page.get_by_role("dialog", name="History")


async def test_from_the_history_with_a_preview(edit: Edit, divided: Divided) -> None:
    mine, theirs = await edit(divided.world), await edit(divided.world, subject="alice")
    await theirs.person(5).drag_to(theirs.list("TD 2"))
    await theirs.says("Family5 Given moved to TD 2.")
    await theirs.page.get_by_role("button", name="Edit group TD 1").click()
    await theirs.page.get_by_role("dialog").get_by_label("Name").fill("Tutorial")
    await theirs.page.get_by_role("button", name="Save").click()
    await mine.holds("Tutorial", 1, 2, 3)
    dialog = await history(mine)
    lines = dialog.locator(".history > li > .what")
    await expect(lines.nth(0)).to_have_text("TD 1 renamed to Tutorial.")
    await expect(lines.nth(1)).to_have_text("Family5 Given moved to TD 2.")
    await expect(dialog.locator(".history .by").nth(1)).to_contain_text("by alice")
    await dialog.get_by_role("button", name="Undo: Family5 Given moved to TD 2.").click()
    preview = dialog.get_by_role("group", name="Preview")
    await expect(preview).to_contain_text(
        "Undoing this would do: Family5 Given taken out of the group."
    )
    await mine.holds("TD 2", 4, 5)
    await preview.get_by_role("button", name="Undo").click()
    await expect(lines.nth(0)).to_have_text("Undone: Family5 Given moved to TD 2.")
    await expect(dialog.locator(".history > li").nth(2)).to_contain_text("undone")
    await mine.holds("No group", 5)
    await theirs.hears("teacher Family5 Given taken out of the group.")
    await theirs.holds("No group", 5)


async def test_the_history_explains_what_stands_in_the_way(edit: Edit, divided: Divided) -> None:
    editor = await edit(divided.world)
    await editor.person(5).drag_to(editor.list("TD 2"))
    await editor.says("Family5 Given moved to TD 2.")
    await editor.person(5).drag_to(editor.list("TD 1"))
    await editor.says("Family5 Given moved to TD 1.")
    dialog = await history(editor)
    await dialog.get_by_role("button", name="Undo: Family5 Given moved to TD 2.").click()
    preview = dialog.get_by_role("group", name="Preview")
    await expect(preview.get_by_role("alert")).to_contain_text("it has been changed since")
    await expect(preview.get_by_role("listitem")).to_contain_text(
        ["you: Family5 Given moved to TD 1."]
    )
    await expect(preview.get_by_role("button", name="Undo")).to_have_count(0)


async def test_in_a_locked_course_there_is_a_history_and_nothing_to_undo(
    edit: Edit, divided: Divided, sql: SQL
) -> None:
    editor = await edit(divided.world)
    await editor.person(5).drag_to(editor.list("TD 2"))
    await editor.says("Family5 Given moved to TD 2.")
    await sql("UPDATE courses SET is_locked = true WHERE id = :id", id=divided.world.course_id)
    await expect(editor.page.get_by_role("banner")).to_contain_text("Locked")
    dialog = await history(editor)
    await expect(dialog.locator(".history .what").nth(0)).to_have_text("The course was locked.")
    await expect(dialog.get_by_role("button", name="Undo")).to_have_count(0)
    await editor.page.keyboard.press("Escape")
    await editor.undo()
    await editor.complains("The course has been locked: nothing in it can be changed.")
