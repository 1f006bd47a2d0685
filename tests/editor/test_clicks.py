"""How many clicks usual tasks take: what the table in ``docs/editor.md`` says of this editor."""

from collections.abc import Iterable
from pathlib import Path

from playwright.async_api import expect

from tests.conftest import MakeWorld
from tests.editor.conftest import Divided, Edit, Editor

PAGE = (Path(__file__).parents[2] / "docs" / "editor.md").read_text()
# Clicks of a person; what the browser makes of a key has no count.
COUNT = """
globalThis.done = { clicks: 0, drags: 0 };
addEventListener("click", event => event.isTrusted && event.detail > 0 && done.clicks++, true);
addEventListener("dragstart", event => event.isTrusted && done.drags++, true);
"""


def told(task: str) -> str:
    """What the page says of this editor."""
    (line,) = (line for line in PAGE.splitlines() if line.startswith(f"| {task} |"))
    return line.split("|")[2].strip()


async def count(editor: Editor) -> None:
    await editor.page.evaluate(f"() => {{ {COUNT} }}")


async def counted(editor: Editor) -> tuple[int, int]:
    found = await editor.page.evaluate("[done.clicks, done.drags]")
    return found[0], found[1]


async def course(edit: Edit, make_world: MakeWorld, students: int, groups: Iterable[str]) -> Editor:
    world = await make_world(students)
    partition = await world.add_partition("TD")
    for position, name in enumerate(groups, 1):
        await world.add_group(partition, name, position=position)
    editor = await edit(world)
    await count(editor)
    return editor


async def test_move_five_people(edit: Edit, make_world: MakeWorld) -> None:
    assert told("move five people") == "5 and a drag; 2 and a drag where they follow one another"
    editor = await course(edit, make_world, 9, ["A"])
    await editor.person(1).click()
    for number in (3, 5, 7, 9):
        await editor.person(number).click(modifiers=["ControlOrMeta"])
    await editor.person(9).drag_to(editor.list("A"))
    await editor.holds("A", 1, 3, 5, 7, 9)
    assert await counted(editor) == (5, 1)
    editor = await course(edit, make_world, 9, ["A"])
    await editor.person(2).click()
    await editor.person(6).click(modifiers=["Shift"])
    await editor.person(6).drag_to(editor.list("A"))
    await editor.holds("A", 2, 3, 4, 5, 6)
    assert await counted(editor) == (2, 1)


async def test_swap_two(edit: Edit, divided: Divided) -> None:
    assert told("swap two") == "3, also between full groups"
    await divided.world.sql("UPDATE groups SET capacity = 1 WHERE id = :id", id=divided.second)
    editor = await edit(divided.world)
    await count(editor)
    await editor.person(1).click()
    await editor.person(4).click(modifiers=["ControlOrMeta"])
    await editor.page.get_by_role("button", name="Swap").click()
    await editor.holds("TD 2", 1)
    assert await counted(editor) == (3, 0)


async def test_split_a_course_of_300_into_12(edit: Edit, make_world: MakeWorld) -> None:
    assert told("split a course of 300 into 12") == "5: partition, groups, *Spread evenly*"
    editor = await course(edit, make_world, 300, [])
    page = editor.page
    await page.get_by_role("button", name="New partition").click()
    await page.keyboard.type("TP")
    await page.get_by_role("button", name="Create").click()
    await page.get_by_role("button", name="New groups…").click()
    await page.keyboard.press("Tab")
    await page.keyboard.press("Tab")
    await page.keyboard.type("12")
    await expect(page.get_by_text("12 groups will be made")).to_be_visible()
    await page.get_by_role("button", name="Create").click()
    await page.get_by_role("button", name="Spread evenly").click()
    await editor.says("300 people spread over 12 groups.")
    counts = editor.page.locator(".groups .column-head .count")
    await expect(counts).to_have_text(["25 people"] * 12)
    assert await counted(editor) == (5, 0)


async def test_see_who_has_no_group(edit: Edit, divided: Divided) -> None:
    assert told("see who has no group") == "0: the first column"
    editor = await edit(divided.world)
    await count(editor)
    await editor.holds("No group", 5)
    await expect(editor.page.locator(".board section").first).to_contain_text("No group")
    assert await counted(editor) == (0, 0)


async def test_undo_a_move(edit: Edit, divided: Divided) -> None:
    assert told("undo a move") == "1"
    editor = await edit(divided.world)
    await editor.person(1).drag_to(editor.list("TD 2"))
    await editor.holds("TD 2", 1, 4)
    await count(editor)
    await editor.undo()
    await editor.holds("TD 1", 1, 2, 3)
    assert await counted(editor) == (1, 0)
