#!/usr/bin/env bash
# Seen with xlsx 0.18.5 (npm), Node.js 20.
# Guess: a CSV reader leaves text alone, or turns digits into numbers; 00123 and 1E2 are the ones to fear.
# Seen:  "(2)" is -2, "1,2" is 12, "$3" is 3, "5%" is 0.05 and "1-2" a day of 2001 as a number; "TD 1", "2a" and "10:30"
#        stay text. Quotes around the field do not help, raw: true does.
# Here:  browsers of our users read exported lists with this library. Groups are named (2), 1-2 and 1,2; after a round trip
#        they are other names, or fall together ("12" and "1,2").
set -euo pipefail

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
npm init -y >/dev/null
npm install --silent --no-audit --no-fund --ignore-scripts xlsx@0.18.5 >/dev/null

node - <<'EOF'
const XLSX = require('xlsx');
const names = ['(2)', '1,2', '$3', '5%', '1-2', 'TD 1', '2a', '10:30'];
const csv = names.map((name) => `"${name}"`).join('\n');
const read = (options) => {
  const book = XLSX.read(csv, { type: 'string', ...options });
  return XLSX.utils.sheet_to_json(book.Sheets.Sheet1, { header: 1 }).map((row) => row[0]);
};
const seen = read({});
const expected = [-2, 12, 3, 0.05, 'number', 'TD 1', '2a', '10:30'];
const same = expected.every((value, i) => (value === 'number' ? typeof seen[i] === value : seen[i] === value));
const raw = JSON.stringify(read({ raw: true })) === JSON.stringify(names);
if (!same || !raw) throw new Error(JSON.stringify([seen, read({ raw: true })]));
console.log(`ok: ${names.join(' | ')} read as ${seen.join(' | ')}`);
EOF
