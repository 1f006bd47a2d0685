#!/usr/bin/env bash
# Seen with xlsx2csv 0.8.6, openpyxl 3.1.5 (writes and reads).
# Guess: a number with a word beside it in its format, like "TD "0, becomes 12 or, at best, what the sheet shows: TD 12.
# Seen:  the number is lost. The format is taken for one of dates, quotes and all: 12 as "TD "0 becomes '"t11 "0', and 0" students"
#        '0" stu11ents"', with the day of the month of day 12 of the calendar for each d. "Salle "0 becomes '"salle "0', for any room.
#        All cells of the column that hold the same day of the month become the same text. Exit code 0, nothing said.
# Here:  group numbers and capacities are shown with such formats, so that they sort as numbers. A table that went through this tool
#        has lost its groups; it has to be read from the workbook itself.
set -euo pipefail

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install -qq --disable-pip-version-check xlsx2csv==0.8.6 openpyxl==3.1.5

cd "$work"
"$work/venv/bin/python" -W ignore - <<'EOF'
import csv, io
import openpyxl, xlsx2csv

formats = ["0", '"TD "0', '0" students"', '"Salle "0']
book = openpyxl.Workbook()
for column, number_format in enumerate(formats, start=1):
    cell = book.active.cell(1, column, 12)
    cell.number_format = number_format
book.save("groups.xlsx")
kept = [cell.value for cell in openpyxl.load_workbook("groups.xlsx").active[1]]
assert kept == [12, 12, 12, 12], kept
text = io.StringIO()
xlsx2csv.Xlsx2csv("groups.xlsx").convert(text)
seen = next(csv.reader(io.StringIO(text.getvalue())))
assert seen == ["12", '"t11 "0', '0" stu11ents"', '"salle "0'], seen
print(f"ok: 12 in the formats {formats}: {seen}")
EOF
