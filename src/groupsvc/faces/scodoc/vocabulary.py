"""What ScoDoc calls things that the rules of groups must know."""

from typing import Final

from groupsvc.domain.principal import Permission
from groupsvc.domain.vocabulary import Vocabulary

VOCABULARY: Final = Vocabulary(
    permissions={
        "ScoView": Permission.GROUPS_READ,
        "EtudChangeGroups": Permission.GROUPS_WRITE,
        # Its documentation has both spellings.
        "ScoEtudChangeGroups": Permission.GROUPS_WRITE,
    },
    tracks_name="Parcours",
)
