#!/usr/bin/env bash
# Seen with import-linter 2.16.
# Guess: a contract about modules that do not exist fails, whether they are named or meant by a wildcard: "app.faecs" and an
#        ignored import that fits nothing do fail.
# Seen:  "app.faecs.*" as source of a forbidden contract is KEPT, exit code 0, while the import it was to forbid is
#        there. A folder that is renamed takes its rule along into silence.
# Here:  layers are held by such contracts, and folders have just been renamed. A test has to say that each
#        wildcard fits something.
set -euo pipefail

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install -qq --disable-pip-version-check import-linter==2.16

cd "$work"
"$work/venv/bin/python" -W ignore - <<'EOF'
import pathlib, subprocess, sys

for module in ("app", "app/faces", "app/faces/native", "app/db"):
    pathlib.Path(module).mkdir()
    pathlib.Path(module, "__init__.py").touch()
pathlib.Path("app/faces/native/routes.py").write_text("import app.db\n")
CONTRACT = '''[importlinter]
root_package = app
[importlinter:contract:layers]
name = faces do not know the database
type = forbidden
source_modules = {}
forbidden_modules = app.db
'''

def lint(source):
    pathlib.Path("contract.ini").write_text(CONTRACT.format(source))
    tool = str(pathlib.Path(sys.prefix, "bin", "lint-imports"))
    return subprocess.run([tool, "--config", "contract.ini", "--no-cache"], capture_output=True).returncode

seen = {source: lint(source) for source in ("app.faces.*", "app.faecs", "app.faecs.*")}
assert seen == {"app.faces.*": 1, "app.faecs": 1, "app.faecs.*": 0}, seen
print(f"ok: exit codes: {seen}")
EOF
