#!/usr/bin/env bash
# Seen with edx-rest-api-client 7.1.0, edx-django-utils 8.1.0, Django 5.2.19, Python 3.11.
# Guess: OAuthAPIClient is a requests.Session that adds a token; a script makes one and calls get(), as the package's README shows.
# Seen:  making it and asking for a token by get_oauth_access_token work anywhere. get() fails before it sends anything, with
#        Django's ImproperlyConfigured: the client reports a custom attribute to monitoring, which looks for OPENEDX_TELEMETRY in
#        the settings of Django. After settings.configure() without a single value the same line works.
# Here:  the guide tells programs outside of Django that line; the test of the client runs in a process that has it.
set -euo pipefail

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install -qq --disable-pip-version-check edx-rest-api-client==7.1.0 edx-django-utils==8.1.0 Django==5.2.19

cd "$work"
"$work/venv/bin/python" -W ignore - <<'PYTHON' 2>/dev/null
import json
import threading
from http.server import BaseHTTPRequestHandler, HTTPServer


class Platform(BaseHTTPRequestHandler):
    seen = []

    def answer(self):
        self.rfile.read(int(self.headers.get("content-length", 0)))
        self.seen.append(f"{self.command} {self.path}")
        body = json.dumps({"access_token": "t", "expires_in": 600}).encode()
        self.send_response(200)
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    do_GET = do_POST = answer

    def log_message(self, *_):
        """Nothing."""


server = HTTPServer(("127.0.0.1", 0), Platform)
threading.Thread(target=server.serve_forever, daemon=True).start()
url = f"http://127.0.0.1:{server.server_port}"

from edx_rest_api_client.client import OAuthAPIClient, get_oauth_access_token

print("token:", get_oauth_access_token(url, "id", "secret")[0])
client = OAuthAPIClient(url, "id", "secret")
before = len(Platform.seen)
try:
    print("get:", client.get(f"{url}/x").status_code)
except Exception as error:
    print("get:", type(error).__name__, "after", len(Platform.seen) - before, "requests")
    failed = type(error).__name__
from django.conf import settings

settings.configure()
print("get with empty settings:", client.get(f"{url}/x").status_code)
assert failed == "ImproperlyConfigured", "it works without settings now"
print("ok: without settings of Django no request is sent")
PYTHON
