"""Where a machine keeps what belongs to its user: the embedded database, the development key."""

import os
import sys
from pathlib import Path

from groupsvc.settings import Settings


def default_home(settings: Settings) -> Path:
    """The configured home, else ``~/.groupsvc``, or ``/var/lib/groupsvc`` for root."""
    if settings.home is not None:
        return settings.home
    is_root = sys.platform != "win32" and os.geteuid() == 0
    if is_root:
        return Path("/var/lib/groupsvc")
    try:
        return Path.home() / ".groupsvc"
    except RuntimeError:  # a user without a name, as some orchestrators give to containers
        return Path("/nonexistent/.groupsvc")
