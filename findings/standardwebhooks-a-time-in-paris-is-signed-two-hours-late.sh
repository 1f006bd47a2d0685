#!/usr/bin/env bash
# Seen with standardwebhooks 1.1.0 (Python).
# Guess: sign(id, moment, body) signs the moment: 10:00 in Paris and 08:00 UTC of that day are one time and make one signature.
# Seen:  the zone is replaced, not converted: the signature of 10:00+02:00 is that of 10:00 UTC. A header webhook-timestamp made of the
#        same datetime by int(moment.timestamp()) does not fit it, and every receiver answers "No matching signature found".
# Here:  what is sent is stored with its time zone, and in winter, or on a server set to UTC, all fits. The time has to be
#        turned into UTC before it is signed: moment.astimezone(timezone.utc).
set -euo pipefail

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install -qq --disable-pip-version-check standardwebhooks==1.1.0

cd "$work"
"$work/venv/bin/python" -W ignore - <<'EOF'
import base64
from datetime import datetime, timedelta, timezone
from standardwebhooks.webhooks import Webhook, WebhookVerificationError

webhook = Webhook(base64.b64encode(b"a key for this script only").decode())
moment = datetime.now(timezone(timedelta(hours=2))).replace(microsecond=0)
header = str(int(moment.timestamp()))

def verified(signature):
    headers = {"webhook-id": "m1", "webhook-timestamp": header, "webhook-signature": signature}
    try:
        return webhook.verify('{"group": "TD1"}', headers) == {"group": "TD1"}
    except WebhookVerificationError as error:
        return str(error)

def sign(when):
    return webhook.sign("m1", when, '{"group": "TD1"}')

assert moment == moment.astimezone(timezone.utc)
assert sign(moment) == sign(moment.replace(tzinfo=timezone.utc)) != sign(moment.astimezone(timezone.utc))
seen = [verified(sign(moment)), verified(sign(moment.astimezone(timezone.utc)))]
assert seen == ["No matching signature found", True], seen
print(f"ok: signed at +02:00: {seen[0]}; the same moment as UTC: {seen[1]}")
EOF
