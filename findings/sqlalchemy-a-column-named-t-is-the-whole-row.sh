#!/usr/bin/env bash
# Seen with SQLAlchemy 2.1.9.
# Guess: row.NAME is the column of that name; a name that a method of the row has, like count, is the risk, and t is none.
# Seen:  "select 7 as t, 8 as count": row.count is 8, row.t is (7, 8). The attribute t is an old spelling of tuple() and wins
#        over the column, silently under default warning filters of a program; row._mapping["t"] is 7.
# Here:  short names are common for a total, a type, a term. A truth test of row.t is always true.
set -euo pipefail

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install -qq --disable-pip-version-check sqlalchemy==2.1.9

cd "$work"
"$work/venv/bin/python" -W ignore - <<'EOF'
import sqlalchemy

with sqlalchemy.create_engine("sqlite://").connect() as connection:
    row = connection.execute(sqlalchemy.text("select 7 as t, 8 as count")).one()
seen = (tuple(row.t), row.count, row._mapping["t"])
assert seen == ((7, 8), 8, 7), seen
print(f"ok: row.t is {seen[0]}, row.count is {seen[1]}, row._mapping['t'] is {seen[2]}")
EOF
