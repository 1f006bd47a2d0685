#!/usr/bin/env bash
# Seen with FastAPI 0.165.0, Starlette 1.10.0.
# Guess: include_router copies routes into the application, so that nesting costs something at start-up and nothing later.
# Seen:  an included router stays a node, and each level tries all routes below it again: for the last of 20 routes one
#        request makes 20 more matches of regular expressions for every level of nesting.
# Here:  a face of 60 routes in nested routers pays more for finding the route than for the rest of the framework. Hot
#        routes are found by our own index, or registered flat.
set -euo pipefail

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install -qq --disable-pip-version-check fastapi==0.165.0 starlette==1.10.0 httpx==0.28.1

cd "$work"
"$work/venv/bin/python" -W ignore - <<'EOF'
import asyncio, sys
import httpx
from fastapi import APIRouter, FastAPI

def nested(depth):
    router = APIRouter()
    for number in range(20):
        router.add_api_route(f"/teams{number}/{{team}}", lambda team: team)
    for _ in range(depth):
        outer = APIRouter()
        outer.include_router(router, prefix="/in")
        router = outer
    app = FastAPI(openapi_url=None)
    app.include_router(router)
    return app

async def matches(depth):
    found = 0

    def count(frame, event, function):
        nonlocal found
        found += event == "c_call" and function.__name__ == "match"

    transport = httpx.ASGITransport(app=nested(depth))
    async with httpx.AsyncClient(transport=transport, base_url="http://test") as client:
        path = "/in" * depth + "/teams19/1"
        await client.get(path)
        sys.setprofile(count)
        answer = await client.get(path)
        sys.setprofile(None)
    assert answer.status_code == 200, answer
    return found

counts = [asyncio.run(matches(depth)) for depth in range(4)]
more = [after - before for before, after in zip(counts, counts[1:])]
assert more == [20, 20, 20], counts
print(f"ok: matches by depth 0 to 3: {counts}")
EOF
