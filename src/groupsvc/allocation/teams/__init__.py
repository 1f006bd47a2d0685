"""Teams by rules: a seeded search that runs the same everywhere, and CP-SAT where that is small."""
