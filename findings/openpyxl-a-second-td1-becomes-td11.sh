#!/usr/bin/env bash
# Seen with openpyxl 3.1.5.
# Guess: a sheet whose title is taken is refused, or gets a mark that shows it, like "TD1 (2)".
# Seen:  a digit is appended. A second TD1 is TD11, a td1 after it is td12, and the real TD11 becomes TD111. No warning.
# Here:  "a sheet for each group" is what teachers ask for. Titles are compared without regard to case, group
#        names are not, so members of td1 are handed out as group td12, and the groups after it shift.
set -euo pipefail

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install -qq --disable-pip-version-check openpyxl==3.1.5

cd "$work"
"$work/venv/bin/python" -W ignore - <<'EOF'
import openpyxl

book = openpyxl.Workbook()
book.remove(book.active)
titles = [book.create_sheet(name).title for name in ("TD1", "TD1", "td1", "TD11")]
assert titles == ["TD1", "TD11", "td12", "TD111"], titles
print(f"ok: TD1, TD1, td1, TD11 are written as {', '.join(titles)}")
EOF
