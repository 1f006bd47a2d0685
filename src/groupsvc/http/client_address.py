"""Where a request comes from, as far as guesses of secrets are counted by it."""

from ipaddress import IPv4Address, ip_address, ip_network

from starlette.requests import Request

from groupsvc.settings import Settings


def client_address(request: Request, settings: Settings) -> str:
    """What the gateway has added last: whatever stands before that, the client may have written.

    Of IPv6 it is the network, for a client has as many addresses as it likes.
    """
    header = settings.client_address_header
    lines = request.headers.getlist(header) if header else []
    told = lines[-1].rpartition(",")[2].strip() if lines else ""
    return _counted(told or (request.client.host if request.client is not None else ""))


def _counted(text: str) -> str:
    try:
        address = ip_address(_without_port(text))
    except ValueError:
        return text
    if isinstance(address, IPv4Address):
        return str(address)
    return str(address.ipv4_mapped or ip_network((address.packed, 64), strict=False))


def _without_port(text: str) -> str:
    if text.startswith("["):
        return text[1:].partition("]")[0]
    host, _, port = text.partition(":")
    return host if port.isdigit() else text
