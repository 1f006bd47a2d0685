"""Tables come in with a preview and go out; the past can be looked at."""

from pathlib import Path

from playwright.async_api import Locator, Page, expect

from tests.conftest import SQL
from tests.editor.conftest import Divided, Edit


async def usernames(sql: SQL, users: list[int]) -> list[str]:
    rows = await sql("SELECT username FROM users WHERE id = ANY(:ids) ORDER BY id", ids=users)
    return [row[0] for row in rows]


async def choose(page: Page, table: str, name: str = "list.csv") -> Locator:
    await page.get_by_role("button", name="Import…").click()
    dialog = page.get_by_role("dialog", name="Import into TD")
    await dialog.get_by_label("File").set_input_files(
        {"name": name, "mimeType": "text/csv", "buffer": table.encode()}
    )
    return dialog


async def test_an_import_shows_what_it_would_do(edit: Edit, divided: Divided) -> None:
    known = await usernames(divided.world.sql, divided.world.users)
    editor = await edit(divided.world)
    rows = [f"{known[0]},TD 1", f"{known[4]},TD 9", f"{known[3]},TD 1", "nobody,TD 1"]
    dialog = await choose(editor.page, "\n".join(["user,group", *rows]))
    preview = dialog.get_by_role("region", name="Preview").first
    await expect(preview.get_by_role("listitem")).to_have_text(
        ["1 already so", "1 into a group", "1 moved", "1 refused"], use_inner_text=True
    )
    await expect(preview.locator("tr.refused td").nth(1)).to_have_text("nobody,TD 1")
    assert await divided.world.members(divided.second) == [divided.world.users[3]]
    await dialog.get_by_role("button", name="Import 2 rows").click()
    await editor.says("2 rows imported.")
    await editor.holds("TD 1", 1, 2, 3, 4)
    await editor.holds("TD 9", 5)


async def test_columns_are_chosen_where_their_names_say_nothing(
    edit: Edit, divided: Divided
) -> None:
    known = await usernames(divided.world.sql, divided.world.users)
    editor = await edit(divided.world)
    dialog = await choose(editor.page, f"Kennung;Abteilung\n{known[4]};TD 2\n")
    await expect(dialog.get_by_role("alert")).to_contain_text("It did not work")
    await dialog.get_by_role("combobox", name="Who", exact=True).select_option("Kennung")
    await dialog.get_by_role("combobox", name="Group", exact=True).select_option("Abteilung")
    await expect(dialog).to_contain_text("column Kennung is read as user")
    await dialog.get_by_role("button", name="Import 1 row").click()
    await editor.holds("TD 2", 4, 5)


async def test_a_table_that_would_take_away_from_many_is_asked_about(
    edit: Edit, divided: Divided, sql: SQL
) -> None:
    more = await divided.world.add_users(6)
    await divided.world.enroll(*more)
    await sql(
        "INSERT INTO memberships (course_id, partition_id, group_id, user_id)"
        " SELECT :course, :partition, :group, unnest(CAST(:users AS bigint[]))",
        course=divided.world.course_id,
        partition=divided.partition,
        group=divided.first,
        users=more,
    )
    known = await usernames(sql, divided.world.users)
    editor = await edit(divided.world)
    dialog = await choose(editor.page, f"user,group\n{known[0]},TD 1\n")
    await expect(dialog).to_contain_text("Nothing would change.")
    await dialog.get_by_label("Take others out of the groups of the file").check()
    large = dialog.get_by_label("Yes, take so many people out")
    await large.check()
    await dialog.get_by_role("button", name="Import 8 rows").click()
    await editor.says("8 rows imported.")
    await editor.holds("TD 1", 1)


async def test_the_course_and_files_of_others_are_downloaded(
    edit: Edit, divided: Divided, tmp_path: Path
) -> None:
    known = await usernames(divided.world.sql, divided.world.users)
    await divided.world.sql(
        "UPDATE enrollments SET state = 'withdrawn' WHERE user_id = :id", id=divided.world.users[0]
    )
    editor = await edit(divided.world)
    found = {}
    for kind in ("csv", "canvas-groups"):
        await editor.page.get_by_role("button", name="Export…").click()
        dialog = editor.page.get_by_role("dialog", name="Export")
        await dialog.get_by_label("For").select_option(kind)
        async with editor.page.expect_download() as download:
            await dialog.get_by_role("button", name="Download").click()
        file = await download.value
        await file.save_as(tmp_path / kind)
        found[kind] = (tmp_path / kind).read_text(encoding="utf-8-sig").splitlines()
        await expect(dialog).to_have_count(0)
    assert found["csv"][0].startswith("course_key,user,partition,group")
    assert len(found["csv"]) == 5
    assert found["canvas-groups"] == [
        "login_id,group_name",
        *(f"{known[number]},TD {group}" for number, group in ((1, 1), (2, 1), (3, 2))),
    ]
    await expect(editor.page.locator(".news")).to_contain_text("1 person left out")


async def test_the_history_of_a_person_and_of_a_group_through_time(
    edit: Edit, divided: Divided
) -> None:
    editor = await edit(divided.world)
    await editor.person(5).drag_to(editor.list("TD 2"))
    await editor.says("Family5 Given moved to TD 2.")
    await editor.person(5).drag_to(editor.list("TD 1"))
    await editor.says("Family5 Given moved to TD 1.")
    await editor.person(5).dblclick()
    dialog = editor.page.get_by_role("dialog", name="Family5 Given")
    lines = dialog.locator(".history .what")
    await expect(lines.first).to_have_text("TD from TD 2 to TD 1")
    await expect(lines.nth(1)).to_have_text("TD into TD 2")
    await expect(dialog.locator(".history .by").first).to_contain_text("by teacher")
    await expect(dialog.get_by_role("definition")).to_have_text(["TD 1"])
    await editor.page.keyboard.press("Escape")
    await editor.page.get_by_role("button", name="Edit group TD 2").click()
    dialog = editor.page.get_by_role("dialog", name="Edit group TD 2")
    await expect(dialog.locator(".history .what").first).to_have_text(
        "Family5 Given from TD 2 to TD 1"
    )
    past = dialog.get_by_role("slider", name="Through time")
    shown = dialog.locator(".through-time .chip")
    await expect(shown).to_have_text(["Family4 Given"])
    await past.press("ArrowLeft")
    await expect(shown).to_have_text(["Family4 Given", "Family5 Given"])
