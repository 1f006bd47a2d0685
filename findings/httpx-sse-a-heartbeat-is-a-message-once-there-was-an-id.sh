#!/usr/bin/env bash
# Seen with httpx-sse 0.4.3, httpx 0.28.1.
# Guess: a comment between events, the usual sign of life of a stream, is no event: iter_sse() waits for the next one.
# Seen:  that is so until the first event with an id. From then on every comment is yielded as an event "message" without data
#        and with the id of the last one; .json() of it raises. A browser dispatches nothing, since there is no data.
# Here:  the feed of changes has ids and a comment each few seconds. A client in Python works in a test, whose stream is busy, and meets
#        empty messages at night. It has to skip events whose data is empty, and not to count them.
set -euo pipefail

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install -qq --disable-pip-version-check httpx-sse==0.4.3 httpx==0.28.1

cd "$work"
"$work/venv/bin/python" -W ignore - <<'EOF'
import httpx, httpx_sse

def read(stream):
    answer = httpx.Response(200, headers={"content-type": "text/event-stream"}, text=stream)
    with httpx.Client(transport=httpx.MockTransport(lambda _: answer)) as client:
        with httpx_sse.connect_sse(client, "GET", "http://feed.invalid/") as source:
            return [(event.event, event.data, event.id) for event in source.iter_sse()]

without_ids = read(": alive\n\ndata: 1\n\n: alive\n\n: alive\n\ndata: 2\n\n")
with_ids = read(": alive\n\nid: 7\ndata: 1\n\n: alive\n\n: alive\n\ndata: 2\n\n")
assert without_ids == [("message", "1", ""), ("message", "2", "")], without_ids
assert with_ids == [("message", "1", "7"), ("message", "", "7"), ("message", "", "7"), ("message", "2", "7")], with_ids
print(f"ok: without ids {len(without_ids)} events, with ids {with_ids}")
EOF
