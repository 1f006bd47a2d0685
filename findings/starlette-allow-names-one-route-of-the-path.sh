#!/usr/bin/env bash
# Seen with FastAPI 0.165.0, Starlette 1.10.0.
# Guess: 405 names in Allow what the address accepts: GET, PUT and DELETE of the same path.
# Seen:  "Allow: GET" only. The first route whose path fits answers for all; the routes after it are never asked.
# Here:  clients of both dialects ask by OPTIONS or a wrong method what they may do, and HTTP demands the whole list. The
#        header has to be made from all routes of the path.
set -euo pipefail

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install -qq --disable-pip-version-check fastapi==0.165.0 starlette==1.10.0 httpx==0.28.1

cd "$work"
"$work/venv/bin/python" -W ignore - <<'EOF'
import asyncio
import httpx
from fastapi import FastAPI

app = FastAPI()
for method in ("GET", "PUT", "DELETE"):
    app.add_api_route("/teams", lambda: None, methods=[method])

async def main():
    transport = httpx.ASGITransport(app=app)
    async with httpx.AsyncClient(transport=transport, base_url="http://test") as client:
        accepted = [(await client.request(m, "/teams")).status_code for m in ("GET", "PUT", "DELETE")]
        refused = await client.post("/teams")
    assert accepted == [200, 200, 200], accepted
    assert (refused.status_code, refused.headers["allow"]) == (405, "GET"), refused.headers
    print("ok: three methods are accepted, Allow names GET")

asyncio.run(main())
EOF
