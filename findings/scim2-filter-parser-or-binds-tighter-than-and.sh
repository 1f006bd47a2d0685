#!/usr/bin/env bash
# Seen with scim2-filter-parser 0.7.0.
# Guess: "and" goes before "or" without brackets, as RFC 7644 says and as in SQL, which the library writes.
# Seen:  name eq "A" or name eq "B" and active eq true is written as (name A or name B) and active: an inactive A, which
#        the filter asks for, is not found.
# Here:  identity systems bring groups and users by SCIM, and a missing user is taken for one who has left.
#        Filters that mix the two need brackets of their own.
set -euo pipefail

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install -qq --disable-pip-version-check scim2-filter-parser==0.7.0

cd "$work"
"$work/venv/bin/python" -W ignore - <<'EOF'
import sqlite3
from scim2_filter_parser.queries import SQLQuery

ask = 'userName eq "A" or userName eq "B" and active eq 1'
names = {("userName", None, None): "name", ("active", None, None): "active"}
query = SQLQuery(ask, "users", names, ())
where = query.where_sql
assert where.replace(" ", "").startswith("((") and ")AND(" in where.replace(" ", "").replace("\n", ""), where
plain = where
for key, value in query.params_dict.items():
    plain = plain.replace("{" + str(key) + "}", "'" + str(value) + "'")
database = sqlite3.connect(":memory:")
database.execute("create table users (name text, active text)")
database.executemany("insert into users values (?, ?)", [("A", "0"), ("B", "1"), ("B2", "1")])
found = [row[0] for row in database.execute(f"select name from users where {plain}")]
by_rfc = [row[0] for row in database.execute("select name from users where name='A' or name='B' and active='1'")]
assert by_rfc == ["A", "B"] and found == ["B"], (by_rfc, found, plain)
print(f"ok: the filter asks for {by_rfc}, the SQL finds {found}")
EOF
