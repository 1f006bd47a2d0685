"""What settings allow and hardly anybody means; ``serve`` logs it, ``doctor`` shows it."""

from collections.abc import Iterator

from groupsvc.settings import Settings


def doubts(settings: Settings) -> Iterator[str]:
    if settings.root_path and not settings.client_address_header:
        yield (
            "a gateway (GROUPSVC_ROOT_PATH) that tells no addresses of clients: without "
            "GROUPSVC_CLIENT_ADDRESS_HEADER wrong secrets of one client lock out all others"
        )
