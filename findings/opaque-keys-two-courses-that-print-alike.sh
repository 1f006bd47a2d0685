#!/usr/bin/env bash
# Seen with edx-opaque-keys 4.0.0.
# Guess: two course keys whose repr is the same are equal, and a list of course keys can be sorted.
# Seen:  the old spelling A/B/C and course-v1:A+B+C have the same repr and the same org, course and run, are not equal, make
#        two entries of a set, and sorting them raises "X is incompatible with X" with X printed twice the same.
# Here:  an Open edX of some age has both kinds, and its courses are copied by their keys. In a log both are one course;
#        only str(key) tells them apart, so that alone is the identity.
set -euo pipefail

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install -qq --disable-pip-version-check edx-opaque-keys==4.0.0

cd "$work"
"$work/venv/bin/python" -W ignore - <<'EOF'
from opaque_keys.edx.keys import CourseKey

old, new = CourseKey.from_string("A/B/C"), CourseKey.from_string("course-v1:A+B+C")
assert repr(old) == repr(new) and (old.org, old.course, old.run) == (new.org, new.course, new.run)
assert old != new and len({old, new}) == 2
assert (str(old), str(new)) == ("A/B/C", "course-v1:A+B+C")
try:
    sorted([old, new])
except TypeError as error:
    message = str(error)
first, _, second = message.partition(" is incompatible with ")
assert first == second, message
print(f"ok: {message}")
EOF
