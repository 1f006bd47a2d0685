"""Streams of events of one institution among several."""

import asyncio
from dataclasses import replace

import httpx

from tests.tenants.conftest import House, MakeTown, save
from tests.waiting import PATIENCE, until


async def course_of(house: House) -> int:
    async with house.sql() as sql:
        await sql("INSERT INTO departments (acronym) VALUES ('D')")
        ((course,),) = await sql(
            "INSERT INTO courses (department_id, key, title)"
            " SELECT id, 'course', 'Course' FROM departments RETURNING id"
        )
    found: int = course
    return found


async def test_a_stream_ends_when_its_institution_is_served_elsewhere(make_town: MakeTown) -> None:
    async with make_town(event_streams=1) as town:
        course = await course_of(town.a)
        path = f"/v1/courses/{course}/events"

        async def follow() -> httpx.Response:
            # Whoever looks whether there is a stream may be the one.
            while (answer := await town.get(town.a, path)).status_code == 503:
                pass
            return answer

        async def is_full() -> bool:
            return (await town.get(town.a, f"{path}?seconds=0")).status_code == 503

        stream = asyncio.create_task(follow())
        await until(is_full)
        renamed = replace(town.a.tenant, hosts=("another.example",))
        await save(town.settings, renamed)
        async with asyncio.timeout(PATIENCE):
            answer = await stream
        assert answer.status_code == 200
        assert '{"reason": "stopping"}' in answer.text
