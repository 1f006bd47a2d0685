#!/usr/bin/env bash
# Seen with OR-Tools 9.15.6755.
# Guess: a second wish with a small weight, cost + 0.000001 * distance, decides between answers of the same cost; OPTIMAL says that
#        nothing better exists, at the precision of a double.
# Seen:  with 0.001 it decides. With 0.000001 it is rounded away, since doubles are scaled to integers within an absolute error: the
#        answer is OPTIMAL and uses the three rooms that are furthest away, which by its own objective_value costs more than
#        the nearest three. No log line and no status tells the two apart.
# Here:  "fewest moves, then alphabetic order" and costs as a share of all students are such sums. They have to be scaled to
#        integers, or solved one after the other.
set -euo pipefail

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install -qq --disable-pip-version-check ortools==9.15.6755

cd "$work"
"$work/venv/bin/python" -W ignore - <<'EOF'
from ortools.sat.python import cp_model

def chosen(distances):
    """The three of six rooms that are used, when each costs 1 and its distance; and whether they cost the least."""
    model = cp_model.CpModel()
    rooms = [model.new_bool_var(f"room {n}") for n in range(6)]
    model.add(sum(rooms) == 3)
    model.minimize(sum((1 + distance) * room for distance, room in zip(distances, rooms)))
    solver = cp_model.CpSolver()
    solver.parameters.num_workers = 1
    status = solver.status_name(solver.solve(model))
    least = sum(sorted(1 + distance for distance in distances)[:3])
    return status, [n for n, room in enumerate(rooms) if solver.value(room)], abs(solver.objective_value - least) < 1e-12

seen = {weight: chosen([weight * n for n in range(6)]) for weight in (1e-3, 1e-6)}
assert seen[1e-3] == ("OPTIMAL", [0, 1, 2], True), seen
assert seen[1e-6] == ("OPTIMAL", [3, 4, 5], False), seen
print(f"ok: status, rooms used, and whether they cost the least: {seen}")
EOF
