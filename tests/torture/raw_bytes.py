"""Requests with chance faults, through both parsers. `make torture` runs this.

TORTURE_REQUESTS says how many; the seed is printed, and TORTURE_SEED repeats a run.
"""

import asyncio
import os
import random

from groupsvc.faces.v1.conflicts import PROBLEMS
from groupsvc.http.edge import Guard
from groupsvc.settings import Settings
from tests.edge.raw_requests import CASES, HOST, LEAVE, Answers, request
from tests.edge.test_edge_protocol import serving
from tests.edge.test_raw_requests import Recording, Served, Soon, SoonH11

COUNT = int(os.environ.get("TORTURE_REQUESTS", "5000"))
SEED = int(os.environ.get("TORTURE_SEED", random.randrange(10**9)))
PAIRS = 16  # of servers, since most connections wait for a deadline
ODD = (b"\r", b"\n", b"\r\n", b"\0", b" ", b"\t", b":", b",", b";", b"0", b"\x80", b"\xff", b"%00")


def spoiled(data: bytes, chance: random.Random) -> bytes:
    """With a few bytes that are changed, taken out, put in or repeated."""
    for _ in range(chance.randint(1, 3)):
        start = chance.randrange(len(data) + 1)
        end = min(len(data), start + chance.choice((0, 1, 1, 2, 8)))
        put = chance.choice((b"", chance.choice(ODD), data[start:end] * 2))
        data = data[:start] + put + data[end:]
    return data


async def ask(count: int, chance: random.Random) -> None:
    def guarded(app: Recording) -> Guard:
        return Guard(app, settings=Settings(), render=PROBLEMS.render, is_bulk=lambda *_: False)

    short = [case.data for case in CASES.values() if 0 < len(case.data) < 1_000]
    one, two = Recording(), Recording()
    async with (
        serving(guarded(one), Soon, keep_alive=0.2) as first,
        serving(guarded(two), SoonH11, keep_alive=0.2) as second,
    ):
        parsers = (Served(one, first), Served(two, second))
        for _ in range(count):
            data = spoiled(chance.choice(short), chance)
            found = await asyncio.gather(*(each.ask(data) for each in parsers))
            assert all(status < 500 for each in found for status in each.statuses), data
            # Where neither refuses, both have seen the same requests with the same bodies.
            if all(set(each.statuses) <= {100, 200} and each.paths for each in found):
                assert [seen[:2] for seen in one.seen] == [seen[:2] for seen in two.seen], data
        for each in parsers:
            assert await each.ask(request(headers=HOST + LEAVE)) == Answers((200,), ("/",))


async def test_whatever_comes_the_server_answers_and_both_parsers_read_alike() -> None:
    print(f"\nTORTURE_SEED={SEED}")
    pairs = [random.Random(SEED + number) for number in range(PAIRS)]
    await asyncio.gather(*(ask(COUNT // PAIRS, chance) for chance in pairs))
