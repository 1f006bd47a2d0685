"""Words of other systems that the rules must know: the faces supply them, see ``app.py``."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field

from groupsvc.domain.principal import Permission


@dataclass(frozen=True, slots=True)
class UploadWords:
    """The members of the result of an upload, for each cohort that the table names.

    The last four are lists of identifiers: nobody has them, they are no addresses, they wait for
    their users, the cohort is full.
    """

    cohort: str = "cohort"
    added: str = "added"
    unknown: str = "unknown"
    invalid: str = "invalid"
    preassigned: str = "preassigned"
    refused: str = "refused"


@dataclass(frozen=True, slots=True)
class Vocabulary:
    """``permissions`` are other names for ours, understood in grants and never written.

    ``tracks_name`` is what readers call the partition of the tracks; no other may have this name.
    ``upload`` names the members of the results of uploads of cohorts. ``numbering_systems`` are
    those whose ids of users are whole numbers. The last two are how the database of a learning
    platform compares, where cohorts are concerned: usernames in any case, and names of cohorts in
    the order of a dictionary rather than of code points.
    """

    permissions: Mapping[str, Permission] = field(default_factory=dict[str, Permission])
    tracks_name: str = "Tracks"
    upload: UploadWords = UploadWords()
    numbering_systems: Collection[str] = ()
    usernames_in_any_case: bool = False
    cohorts_collated: bool = False
