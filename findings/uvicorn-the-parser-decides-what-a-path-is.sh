#!/usr/bin/env bash
# Seen with uvicorn 0.54.0, httptools 0.9.0, h11 0.16.0.
# Guess: the two HTTP parsers of uvicorn differ in speed; the application sees the same scope.
# Seen:  a target in absolute form, which HTTP/1.1 servers must accept, has the path /teams with httptools and the path
#        http://campus.invalid/teams with h11, which no route fits: 200 or 404 for the same bytes.
# Here:  uvicorn takes h11 without a word if httptools is missing, as in a plain install on a new platform. Behind proxies
#        that send absolute targets the service would then answer 404 to everything.
set -euo pipefail

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install -qq --disable-pip-version-check uvicorn==0.54.0 httptools==0.9.0 h11==0.16.0

cd "$work"
"$work/venv/bin/python" -W ignore - <<'EOF'
import asyncio, socket
import uvicorn

async def app(scope, receive, send):
    assert scope["type"] == "http"
    await send({"type": "http.response.start", "status": 200, "headers": [(b"connection", b"close")]})
    await send({"type": "http.response.body", "body": b"path=" + scope["path"].encode() + b";"})

async def path(parser):
    listener = socket.socket()
    listener.bind(("127.0.0.1", 0))
    server = uvicorn.Server(uvicorn.Config(app, http=parser, lifespan="off", log_level="warning"))
    running = asyncio.create_task(server.serve(sockets=[listener]))
    async with asyncio.timeout(30):
        while not server.started:
            await asyncio.sleep(0.01)
        reader, writer = await asyncio.open_connection(*listener.getsockname())
        writer.write(b"GET http://campus.invalid/teams HTTP/1.1\r\nHost: campus.invalid\r\n\r\n")
        answer = await reader.read()
        writer.close()
    server.should_exit = True
    await running
    return answer.partition(b"path=")[2].partition(b";")[0].decode()

seen = {parser: asyncio.run(path(parser)) for parser in ("httptools", "h11")}
assert seen == {"httptools": "/teams", "h11": "http://campus.invalid/teams"}, seen
print(f"ok: {seen}")
EOF
