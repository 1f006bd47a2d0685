"""What columns can hold, where services and faces have to know it before the database says so."""

from typing import Final

LARGEST: Final = 2**63 - 1
SMALLEST: Final = -(2**63)
LONGEST_NUMBER: Final = 64  # the student and national numbers of a user
