#!/usr/bin/env bash
# Seen with canvasapi 3.6.0, on a server of 20 lines on loopback.
# Guess: group.edit(members=[]) asks for a group without members.
# Seen:  a list becomes one form field an entry, so an empty one becomes nothing: the body of the PUT is empty, and the
#        server cannot tell it from "leave the members as they are". members=[7] sends members[]=7.
# Here:  who copies our groups to Canvas by the list of members can fill and move, and never empty a group. An empty group
#        has to be sent as removals, one by one.
set -euo pipefail

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install -qq --disable-pip-version-check canvasapi==3.6.0

cd "$work"
"$work/venv/bin/python" -W ignore - <<'EOF'
import http.server, threading, urllib.parse
import canvasapi, canvasapi.group, canvasapi.requester

bodies = []

class Canvas(http.server.BaseHTTPRequestHandler):
    def do_PUT(self):
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        bodies.append(urllib.parse.unquote(body.decode()))
        self.send_response(200)
        self.end_headers()
        self.wfile.write(b'{"id": 1, "name": "TD1"}')

    def log_message(self, *_):
        pass

server = http.server.HTTPServer(("127.0.0.1", 0), Canvas)
threading.Thread(target=server.serve_forever, daemon=True).start()
requester = canvasapi.requester.Requester(f"http://127.0.0.1:{server.server_port}", "none")
group = canvasapi.group.Group(requester, {"id": 1, "name": "TD1"})
group.edit(members=[7])
group.edit(members=[])
server.shutdown()
assert bodies == ["members[]=7", ""], bodies
print(f"ok: bodies sent for [7] and []: {bodies}")
EOF
