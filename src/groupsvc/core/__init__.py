"""The rules. A service decides; faces translate for it and repositories look up and write."""
