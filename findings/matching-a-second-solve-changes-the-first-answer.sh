#!/usr/bin/env bash
# Seen with matching 1.4.3.
# Guess: game.solve(optimal="resident") and then solve(optimal="hospital") give two matchings to compare: the students' best and the
#        groups' best, both stable, each student in one group.
# Seen:  the game keeps who was placed. The second solve answers with the students' best once more, where a game made anew answers
#        with another division; and it changes the first answer, which was right a line earlier: Ana is now in TD1 and in TD2,
#        and TD2, of two seats, holds three. The game's check_validity() and check_stability() say True.
# Here:  "best for students" and "best for groups" side by side is what a course asks before it decides. A game has to be made anew
#        for each answer, and what is stored checked for seats and for students who are there twice.
set -euo pipefail

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install -qq --disable-pip-version-check matching==1.4.3

cd "$work"
"$work/venv/bin/python" -W ignore - <<'EOF'
from matching.games import HospitalResident

students = {"Ana": ["TD1", "TD2"], "Bo": ["TD1", "TD2"], "Cem": ["TD2", "TD1"]}
groups = {"TD1": ["Cem", "Ana", "Bo"], "TD2": ["Ana", "Bo", "Cem"]}
seats = {"TD1": 1, "TD2": 2}

def made_anew():
    return HospitalResident.create_from_dictionaries(students, groups, seats)

def plain(matching):
    return {str(group): sorted(map(str, members)) for group, members in matching.items()}

game = made_anew()
first = game.solve(optimal="resident")
before = plain(first)
second = plain(game.solve(optimal="hospital"))
after = plain(first)
assert game.check_validity() and game.check_stability()
assert before == second == {"TD1": ["Ana"], "TD2": ["Bo", "Cem"]}, (before, second)
assert after == {"TD1": ["Ana"], "TD2": ["Ana", "Bo", "Cem"]}, after
assert plain(made_anew().solve(optimal="hospital")) == {"TD1": ["Cem"], "TD2": ["Ana", "Bo"]}
print(f"ok: before the second solve {before}, after it {after}")
EOF
