"""BearerGate: an ASGI application that answers only requests with a bearer token (RFC 6750)."""

from __future__ import annotations

import hmac
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, MutableMapping

    Scope = MutableMapping[str, Any]
    Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
    Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]
    Application = Callable[[Scope, Receive, Send], Awaitable[None]]

_SCHEME = b"bearer "
_REFUSAL = b'{"error": "this server requires the header Authorization: Bearer TOKEN"}\n'


class BearerGate:
    """Passes requests that carry *token* on to *application*, and answers all others with 401.

    Args:
        application: what is behind the gate.
        token: the secret. It is compared in constant time, and never logged.
    """

    def __init__(self, application: Application, token: str) -> None:
        self._application = application
        self._token = token.encode()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one connection, as ASGI prescribes."""
        if scope["type"] != "lifespan" and not self._may_pass(scope):
            await _refuse(scope, send)
        else:
            await self._application(scope, receive, send)

    def _may_pass(self, scope: Scope) -> bool:
        stated = [value for name, value in scope.get("headers", ()) if name == b"authorization"]
        if len(stated) != 1 or stated[0][: len(_SCHEME)].lower() != _SCHEME:
            return False
        return hmac.compare_digest(stated[0][len(_SCHEME) :].strip(), self._token)


async def _refuse(scope: Scope, send: Send) -> None:
    if scope["type"] == "websocket":
        await send({"type": "websocket.close", "code": 1008})
        return
    headers = [
        (b"content-type", b"application/json"),
        (b"content-length", str(len(_REFUSAL)).encode()),
        (b"www-authenticate", b'Bearer realm="findingmodel"'),
    ]
    await send({"type": "http.response.start", "status": 401, "headers": headers})
    await send({"type": "http.response.body", "body": _REFUSAL})
