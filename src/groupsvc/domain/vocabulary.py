"""Words of other systems that the rules must know: the faces supply them, see ``app.py``."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from groupsvc.domain.principal import Permission


@dataclass(frozen=True, slots=True)
class Vocabulary:
    """``permissions`` are other names for ours, understood in grants and never written.

    ``tracks_name`` is what readers call the partition of the tracks; no other may have this name.
    """

    permissions: Mapping[str, Permission] = field(default_factory=dict[str, Permission])
    tracks_name: str = "Tracks"
