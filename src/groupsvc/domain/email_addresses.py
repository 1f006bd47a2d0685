"""E-mail addresses: what counts as one, to the letter of Django's validator.

The cases are in docs/compat/openedx.md, "What is an e-mail address".
"""

import ipaddress
import re
from typing import Final

LONGEST: Final = 320

_ATOM: Final = r"[-!#$%&'*+/=?^_`{}|~0-9A-Z]+"
_LOCAL: Final = re.compile(
    rf"{_ATOM}(?:\.{_ATOM})*"
    r'|"(?:[\001-\010\013\014\016-\037!#-\[\]-\177]|\\[\001-\011\013\014\016-\177])*"',
    re.IGNORECASE | re.ASCII,
)
# Halves of surrogate pairs are left out, which nobody could store.
_LETTER: Final = r"A-Z\u00a1-\ud7ff\ue000-\uffff"
_LABEL: Final = rf"(?!-)[{_LETTER}0-9-]{{1,63}}(?<!-)"
_LAST: Final = rf"(?!-)(?:[{_LETTER}-]{{2,63}}|xn--[A-Z0-9]{{1,59}})(?<!-)"
_DOMAIN: Final = re.compile(rf"(?:{_LABEL}\.)+{_LAST}", re.IGNORECASE)
_LITERAL: Final = re.compile(r"\[([A-F0-9:.]+)\]", re.IGNORECASE | re.ASCII)


def is_address(text: str) -> bool:
    """Whether this is an e-mail address as it stands: nothing is trimmed."""
    local, at, domain = text.rpartition("@")
    if not at or len(text) > LONGEST or not _LOCAL.fullmatch(local):
        return False
    return domain == "localhost" or _is_domain(domain)


def _is_domain(domain: str) -> bool:
    if _DOMAIN.fullmatch(domain):
        return True
    literal = _LITERAL.fullmatch(domain)
    try:
        return literal is not None and bool(ipaddress.ip_address(literal[1]))
    except ValueError:
        return False
