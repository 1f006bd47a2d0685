"""What may be stored, where Python has to know it before the database says so."""

from typing import Final

LARGEST: Final = 2**63 - 1
SMALLEST: Final = -(2**63)

# Characters.
LONGEST_ACRONYM: Final = 64
LONGEST_TITLE: Final = 1_000
LONGEST_PROGRAMME: Final = 255
LONGEST_MODALITY: Final = 64
LONGEST_LINE: Final = 255  # names of users and departments
LONGEST_EMAIL: Final = 254
LONGEST_NUMBER: Final = 64  # the student and national numbers of a user
LONGEST_EXTERNAL_ID: Final = 255
LONGEST_TIMETABLE_ID: Final = 255

FIRST_TERM: Final = 0
LAST_TERM: Final = 99
LARGEST_CAPACITY: Final = 1_000_000
MOST_CONTENT_GROUPS: Final = 1_000  # of a content partition

EXTERNAL_ID: Final = r"^[^\s\x00-\x1f\x7f]+$"
