import httpx

from tests.conftest import World


async def test_a_partition_is_created_at_the_end(client: httpx.AsyncClient, world: World) -> None:
    first = await client.post(f"/v1/courses/{world.course_id}/partitions", json={"name": " TD "})
    assert first.status_code == 201, first.text
    second = await client.post(f"/v1/courses/{world.course_id}/partitions", json={"name": "TP"})
    print(first.json(), second.json())
    g = await client.post(f"/v1/partitions/{first.json()['id']}/groups", json={"name": "A"})
    print(g.text)
    r = await client.put(f"/v1/groups/{g.json()['id']}/members/{world.users[0]}")
    print(r.status_code, r.text)
    print((await client.get(f"/v1/courses/{world.course_id}/board")).text)
    print((await client.get(f"/v1/changes?course_id={world.course_id}&limit=2")).text)
    assert False
