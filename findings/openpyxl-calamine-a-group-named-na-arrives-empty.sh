#!/usr/bin/env bash
# Seen with openpyxl 3.1.5 (writes) and python-calamine 0.9.1 (reads).
# Guess: text that one library writes into a cell is text for the next; only a leading "=" is special.
# Seen:  openpyxl stores the text "#N/A" as an error value; it reads it back as "#N/A", so its own round trip is right. The
#        other library reads an empty cell, as for somebody without a group.
# Here:  "#N/A" in the group column is what a failed look-up of a spreadsheet leaves. Whether an import says so or takes
#        the line for "no group" depends on the reader; an export must set the type of the cell by hand.
set -euo pipefail

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install -qq --disable-pip-version-check openpyxl==3.1.5 python-calamine==0.9.1

cd "$work"
"$work/venv/bin/python" -W ignore - <<'EOF'
import openpyxl, python_calamine

book = openpyxl.Workbook()
book.active.append(["S1", "#N/A", "N/A"])
book.save("groups.xlsx")
same = [cell.value for cell in openpyxl.load_workbook("groups.xlsx").active[1]]
other = python_calamine.CalamineWorkbook.from_path("groups.xlsx").get_sheet_by_index(0).to_python()[0]
assert same == ["S1", "#N/A", "N/A"], same
assert other == ["S1", "", "N/A"], other
print(f"ok: written and read by one library {same}, read by the other {other}")
EOF
