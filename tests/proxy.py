"""A TCP proxy between a driver and a server, which simulates failures of networks."""

from __future__ import annotations

import contextlib
import re
import socket
import struct
import threading
from enum import Enum
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Self

__all__ = ["Mode", "Proxy", "command"]

_CHUNK = 65_536
_NO_LINGER = struct.pack("ii", 1, 0)  # closing sends a reset
_CONNECT_SECONDS = 5.0


class Mode(Enum):
    """What happens to requests, replies and connections."""

    PASS = "everything is forwarded"
    DELAY = "everything is forwarded `delay_seconds` late"
    RESET = "the request is forwarded, then the connection is reset after half of the reply"
    BLACK_HOLE = "connections are accepted, but nothing is forwarded until the mode changes"
    HALF_OPEN = "requests are read and dropped; connections stay open"
    REFUSE = "connections are closed, and new ones are refused"


class _Pair(NamedTuple):
    """The two ends of a connection."""

    client: socket.socket
    server: socket.socket


class _Trap(NamedTuple):
    marker: bytes
    action: Callable[[_Pair], None]
    sprung: threading.Event


def command(name: str) -> bytes:
    """Return bytes that occur in a request for the command *name*, and hardly in others."""
    return b"\x02" + name.encode() + b"\0"


class Proxy:
    """Listens on its own port and forwards data according to `mode`, in its own threads.

    A context manager; it does not depend on the event loop of the test.

    Args:
        uri: the URI of the server, with one host.

    Attributes:
        uri: the same URI with the address of the proxy.
        delay_seconds: the delay of `Mode.DELAY`.
    """

    def __init__(self, uri: str) -> None:
        found = re.search(r"(?:@|//)127\.0\.0\.1:(\d+)", uri)
        assert found is not None, uri
        self._server = ("127.0.0.1", int(found[1]))
        self._changed = threading.Condition()
        self._mode = Mode.PASS
        self._is_closed = False
        self._traps: list[_Trap] = []
        self._pairs: set[_Pair] = set()
        self._without_reply: set[_Pair] = set()
        self._threads: list[threading.Thread] = []
        self._listener = self._listen(0)
        self.port: int = self._listener.getsockname()[1]
        passed = uri.replace(f"127.0.0.1:{found[1]}", f"127.0.0.1:{self.port}")
        # Without this, a member of a replica set sends the driver its own address, and is queried there.
        self.uri = passed + ("&" if "?" in passed else "/?") + "directConnection=true"
        self.delay_seconds = 0.05

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        self._is_closed = True
        self.mode = Mode.REFUSE
        for thread in self._threads:
            thread.join(timeout=10)

    @property
    def mode(self) -> Mode:
        """What happens to data; can be changed at any time."""
        return self._mode

    @mode.setter
    def mode(self, mode: Mode) -> None:
        with self._changed:
            before, self._mode = self._mode, mode
            self._changed.notify_all()
        if mode is Mode.REFUSE and before is not Mode.REFUSE:
            self._stop_listening()
        if before in (Mode.HALF_OPEN, Mode.REFUSE) or mode is Mode.REFUSE:
            self.cut()
        if before is Mode.REFUSE and mode is not Mode.REFUSE:
            self._listener = self._listen(self.port)

    def trap(self, marker: bytes, action: Callable[[], None] | Mode) -> threading.Event:
        """Call *action*, or change to that mode, before the next request with *marker* is forwarded.

        Returns:
            An event that is set afterwards.
        """
        return self._set_trap(
            marker, lambda _: action() if callable(action) else setattr(self, "mode", action)
        )

    def lose_reply(self, marker: bytes) -> threading.Event:
        """Reset the connection half-way through the reply to the next request with *marker*.

        Returns:
            An event that is set when the request arrives.
        """
        return self._set_trap(marker, self._without_reply.add)

    def cut(self) -> None:
        """Reset every connection."""
        for pair in list(self._pairs):
            for end in pair:
                _reset(end)

    def _set_trap(self, marker: bytes, action: Callable[[_Pair], None]) -> threading.Event:
        trap = _Trap(marker, action, threading.Event())
        self._traps.append(trap)
        return trap.sprung

    def _listen(self, port: int) -> socket.socket:
        listener = socket.create_server(("127.0.0.1", port), reuse_port=False)
        self._run(self._accept, listener)
        return listener

    def _stop_listening(self) -> None:
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)  # wakes the thread that accepts
        self._listener.close()

    def _run(self, function: Callable[..., None], *args: object) -> None:
        thread = threading.Thread(target=function, args=args, daemon=True)
        self._threads.append(thread)
        thread.start()

    def _accept(self, listener: socket.socket) -> None:
        with contextlib.suppress(OSError):
            while True:
                client, _ = listener.accept()
                try:
                    server = socket.create_connection(self._server, timeout=_CONNECT_SECONDS)
                except OSError:
                    _reset(client)
                    continue
                server.settimeout(None)
                pair = _Pair(client, server)
                self._pairs.add(pair)
                self._run(self._pump, pair, True)
                self._run(self._pump, pair, False)

    def _pump(self, pair: _Pair, is_request: bool) -> None:
        source = pair.client if is_request else pair.server
        with contextlib.suppress(OSError):
            while data := source.recv(_CHUNK):
                if is_request:
                    self._spring(data, pair)
                if not self._pass(data, pair, is_request):
                    break
        for end in pair:
            _reset(end)
        self._pairs.discard(pair)

    def _spring(self, data: bytes, pair: _Pair) -> None:
        for trap in [trap for trap in self._traps if trap.marker in data]:
            self._traps.remove(trap)
            trap.action(pair)
            trap.sprung.set()

    def _pass(self, data: bytes, pair: _Pair, is_request: bool) -> bool:
        """Forward *data* according to the mode; return whether the connection stays open."""
        mode = self._mode
        if mode is Mode.HALF_OPEN and is_request:
            return True
        if mode in (Mode.DELAY, Mode.BLACK_HOLE):
            wait = self.delay_seconds if mode is Mode.DELAY else None
            with self._changed:
                self._changed.wait_for(lambda: self._mode is not mode, timeout=wait)
        if not is_request and (mode is Mode.RESET or pair in self._without_reply):
            pair.client.sendall(data[: len(data) // 2])
            return False
        (pair.server if is_request else pair.client).sendall(data)
        return True


def _reset(end: socket.socket) -> None:
    with contextlib.suppress(OSError):
        end.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _NO_LINGER)
        end.shutdown(socket.SHUT_RDWR)  # wakes the thread that reads
    end.close()
