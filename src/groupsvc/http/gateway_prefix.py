"""The prefix of a path under which a gateway offers the service, taken off there or not.

Inside, a request looks the same in both cases: ``root_path`` is the prefix, and ``path`` begins
with it, as ASGI has it. Addresses of ours that answers tell begin with it too.
"""

from typing import Final

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from groupsvc.setting_types import OWN_PATHS

_LOCATION: Final = b"location"
_OWN: Final = tuple(f"{path}/".encode() for path in OWN_PATHS)


class GatewayPrefix:
    """``prefix`` begins with a slash and does not end with one."""

    def __init__(self, app: ASGIApp, *, prefix: str) -> None:
        self._app, self._prefix, self._bare = app, prefix, prefix.encode()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return

        async def send_prefixed(message: Message) -> None:
            if message["type"] == "http.response.start":
                message = {**message, "headers": [*map(self._tell, message.get("headers", ()))]}
            await send(message)

        path: str = scope["path"]
        if path == self._prefix:
            path += "/"
        elif not path.startswith(self._prefix + "/"):
            path = self._prefix + path
        await self._app({**scope, "root_path": self._prefix, "path": path}, receive, send_prefixed)

    def _tell(self, header: tuple[bytes, bytes]) -> tuple[bytes, bytes]:
        """Pages of others, such as the login of an LMS, are not below the prefix."""
        name, value = header
        if name.lower() == _LOCATION and (value.partition(b"?")[0] + b"/").startswith(_OWN):
            return name, self._bare + value
        return header
