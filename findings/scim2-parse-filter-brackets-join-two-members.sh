#!/usr/bin/env bash
# Seen with scim2-parse-filter 0.2.10 (npm).
# Guess: groups[type eq "td" and value eq "2"] asks for one entry that has both; that is what the brackets are for.
# Seen:  true for a user in group 1 of type td and in group 2 of type tp: each half may be met by another entry, as if the
#        brackets were not there. With value eq "3" it is false.
# Here:  "is in group 2 of partition td" is exactly what such a filter is used for; students of 2 in another
#        partition are found with them. What comes back has to be checked again entry by entry.
set -euo pipefail

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
npm init -y >/dev/null
npm install --silent --no-audit --no-fund --ignore-scripts scim2-parse-filter@0.2.10 >/dev/null

node - <<'EOF'
const { parse, filter } = require('scim2-parse-filter');
const user = { groups: [{ type: 'td', value: '1' }, { type: 'tp', value: '2' }] };
const seen = ['1', '2', '3'].map((value) => filter(parse(`groups[type eq "td" and value eq "${value}"]`))(user));
if (JSON.stringify(seen) !== '[true,true,false]') throw new Error(JSON.stringify(seen));
console.log(`ok: td 1 and tp 2 asked for td 1, td 2, td 3: ${seen.join(', ')}`);
EOF
