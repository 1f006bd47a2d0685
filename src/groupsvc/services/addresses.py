"""E-mail addresses: what counts as one, to the letter of Django's validator (spec section 7.2)."""

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
_DOMAIN: Final = re.compile(
    r"(?:[A-Z0-9](?:[A-Z0-9-]{0,61}[A-Z0-9])?\.)+[A-Z0-9-]{2,63}(?<!-)", re.IGNORECASE | re.ASCII
)
_LITERAL: Final = re.compile(r"\[([A-F0-9:.]+)\]", re.IGNORECASE | re.ASCII)


def is_address(text: str) -> bool:
    """Whether this is an e-mail address as it stands: nothing is trimmed."""
    local, at, domain = text.rpartition("@")
    if not at or len(text) > LONGEST or not _LOCAL.fullmatch(local):
        return False
    return domain == "localhost" or _is_domain(domain) or _is_domain(_in_ascii(domain))


def _is_domain(domain: str) -> bool:
    if _DOMAIN.fullmatch(domain):
        return True
    literal = _LITERAL.fullmatch(domain)
    try:
        return literal is not None and bool(ipaddress.ip_address(literal[1]))
    except ValueError:
        return False


def _in_ascii(domain: str) -> str:
    """An internationalised domain as it is looked up; nothing when it cannot be."""
    try:
        return domain.encode("idna").decode("ascii")
    except UnicodeError:
        return ""
