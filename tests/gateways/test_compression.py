"""Gateways that compress change entity tags; conditional requests work none the less."""

import httpx
import pytest

from tests.conftest import World
from tests.gateways.conftest import PREFIX


@pytest.mark.parametrize("encoding", ["gzip", "identity"])
async def test_a_tag_from_a_compressed_answer_is_that_of_the_resource(
    outside: httpx.AsyncClient, world: World, encoding: str
) -> None:
    path = f"{PREFIX}/v1/partitions/{await world.add_partition()}"
    outside.headers["accept-encoding"] = encoding
    read = await outside.get(path)
    assert read.headers.get("content-encoding", "identity") == encoding
    known = {"if-none-match": read.headers["etag"]}
    assert (await outside.get(path, headers=known)).status_code == 304
    headers = {"if-match": read.headers["etag"]}
    written = await outside.patch(path, json={"name": "TP"}, headers=headers)
    assert written.status_code == 200, written.text
    late = await outside.patch(path, json={"name": "TE"}, headers=headers)
    assert late.status_code == 412
    assert (await outside.get(path)).json()["name"] == "TP"


async def test_nginx_makes_tags_weak(outside: httpx.AsyncClient, world: World) -> None:
    """Else the test before shows little."""
    path = f"{PREFIX}/v1/partitions/{await world.add_partition()}"
    answer = await outside.get(path, headers={"accept-encoding": "gzip"})
    is_nginx = answer.headers["server"].startswith("nginx")
    assert answer.headers["etag"].startswith("W/") is is_nginx
