#!/usr/bin/env bash
# Seen with PyLTI1p3 2.0.0, on a platform of 30 lines on loopback.
# Guess: get_members follows the Link header to the next page as the platform wrote it; cursors are opaque.
# Seen:  the header is turned to lower case before the address is taken out of it: the cursor Xy7Q comes back as xy7q.
#        A platform with case-sensitive cursors or paths refuses or repeats a page.
# Here:  a service that offers rosters by LTI must use cursors that survive it: digits or lower-case hex, no base64.
set -euo pipefail

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install -qq --disable-pip-version-check pylti1p3==2.0.0

cd "$work"
"$work/venv/bin/python" -W ignore - <<'EOF'
import http.server, json, threading
from pylti1p3.names_roles import NamesRolesProvisioningService
from pylti1p3.registration import Registration
from pylti1p3.service_connector import ServiceConnector

asked = []

class Platform(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        asked.append(self.path)
        self.send_response(200)
        if len(asked) == 1:
            port = self.server.server_port
            self.send_header("Link", f'<http://127.0.0.1:{port}/Members?cursor=Xy7Q>; rel="next"')
        self.end_headers()
        self.wfile.write(json.dumps({"members": [{"user_id": str(len(asked))}]}).encode())

    def log_message(self, *_):
        pass

class Connector(ServiceConnector):
    def get_access_token(self, scopes):
        return "none needed"

platform = http.server.HTTPServer(("127.0.0.1", 0), Platform)
threading.Thread(target=platform.serve_forever, daemon=True).start()
url = f"http://127.0.0.1:{platform.server_port}/Members"
service = NamesRolesProvisioningService(Connector(Registration()), {"context_memberships_url": url})
members = service.get_members()
platform.shutdown()
assert len(members) == 2, members
assert asked == ["/Members", "/members?cursor=xy7q"], asked
print(f"ok: offered /Members?cursor=Xy7Q, asked for {asked[1]}")
EOF
