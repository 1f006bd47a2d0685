#!/usr/bin/env bash
# Seen with icalendar 7.3.2, python-dateutil 2.9.0.post0 (reads).
# Guess: datetimes with a zone keep their moment. UNTIL of a rule is turned into UTC, as RFC 5545 demands beside a start with TZID, and
#        dates of two zones in one RDATE are turned into one zone or refused.
# Seen:  the zone is dropped. UNTIL 08:00 in Paris is written as 080000 without one; dateutil refuses the file, others read a local time.
#        RDATE of 08:00 in New York and 08:00 in Paris is written as twice 08:00 in Paris, and loses a moment; the last one's zone wins.
# Here:  a timetable of a group that is exported with its sessions is short of one at the end, or has a video lecture with a
#        partner six hours early. UNTIL has to be given in UTC, and every list in one zone.
set -euo pipefail

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install -qq --disable-pip-version-check icalendar==7.3.2 python-dateutil==2.9.0.post0 tzdata

cd "$work"
"$work/venv/bin/python" -W ignore - <<'EOF'
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo
from dateutil.rrule import rrulestr
from icalendar import Event

paris, york = ZoneInfo("Europe/Paris"), ZoneInfo("America/New_York")
session = Event()
session.add("dtstart", datetime(2026, 9, 1, 8, tzinfo=paris))
session.add("rrule", {"freq": "weekly", "until": datetime(2026, 12, 15, 8, tzinfo=paris)})
given = [datetime(2026, 9, 2, 8, tzinfo=york), datetime(2026, 9, 3, 8, tzinfo=paris)]
session.add("rdate", given)
written = session.to_ical().decode().splitlines()
assert "RRULE:FREQ=WEEKLY;UNTIL=20261215T080000" in written, written
assert "RDATE;TZID=Europe/Paris:20260902T080000,20260903T080000" in written, written
try:
    rrulestr("\n".join(line for line in written if line.startswith(("DTSTART", "RRULE"))))
except ValueError as error:
    refused = str(error)
assert "UNTIL values must be specified in UTC" in refused, refused
read = [entry.dt for entry in Event.from_ical(session.to_ical())["rdate"].dts]
moved = [before.astimezone(paris).replace(tzinfo=None) - after.replace(tzinfo=None) for before, after in zip(given, read)]
assert moved == [timedelta(hours=6), timedelta(0)], moved
print(f"ok: {[line for line in written if line.startswith('R')]}; the first moved by {moved[0]}")
EOF
