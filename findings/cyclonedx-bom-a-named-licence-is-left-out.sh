#!/usr/bin/env bash
# Seen with cyclonedx-bom 7.5.0, protobuf 7.36.2.
# Guess: a package whose metadata name a licence has it in the bill of materials: as an SPDX id, or else by the name that
#        the metadata give.
# Seen:  protobuf says "License: 3-Clause BSD License", and its component has no licence at all; nothing is said about
#        it, and the document is valid. A package of the same environment with a licence expression has one.
# Here:  a gate on licences that looks only at what the document lists passes a package without any. Ours counts
#        components that have none as faults, and names such licences by hand.
set -euo pipefail

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/tools"
"$work/tools/bin/pip" install -qq --disable-pip-version-check cyclonedx-bom==7.5.0
python3 -m venv "$work/service"
"$work/service/bin/pip" install -qq --disable-pip-version-check protobuf==7.36.2 anyio==4.16.0

cd "$work"
"$work/tools/bin/cyclonedx-py" environment "$work/service/bin/python" -o bom.json 2>"$work/said"
"$work/service/bin/python" -W ignore - <<'EOF'
import importlib.metadata, json, pathlib

listed = {each["name"]: each.get("licenses", []) for each in json.loads(pathlib.Path("bom.json").read_text())["components"]}
told = importlib.metadata.metadata("protobuf")["License"]
said = [line for line in pathlib.Path("said").read_text().splitlines() if "protobuf" in line.lower()]
assert told == "3-Clause BSD License", told
assert listed["protobuf"] == [] and listed["anyio"] != [], listed
assert said == [], said
print(f"ok: protobuf says {told!r} and has {listed['protobuf']} in the document; anyio has {listed['anyio']}")
EOF
