"""The server behind a page: viser's, which greets nobody and talks only to who has the address that twin prints.

Any page of any site may try to connect to a port of this machine. So the address carries a key; who comes with it gets
a cookie, and requests without either, or from another page than ours, are refused.
"""

from __future__ import annotations

import secrets
import threading
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager, redirect_stdout
from http import HTTPStatus
from http.cookies import CookieError, SimpleCookie
from inspect import isawaitable
from io import StringIO
from typing import Any
from urllib.parse import parse_qs, urlsplit

import websockets.asyncio.server as websockets_server
from viser import ViserServer
from websockets.asyncio.server import ServerConnection
from websockets.http11 import Request, Response

_Answer = Callable[[ServerConnection, Request], Awaitable[Response | None] | Response | None]
_OPENING = threading.Lock()


class Page(ViserServer):
    """A server of one page; where the port is taken, at the next one, and at any one for port 0."""

    def __init__(self, name: str, host: str, port: int) -> None:
        self.key = secrets.token_urlsafe(16)
        with _asked_first(self), redirect_stdout(StringIO()):
            super().__init__(host=host, port=port, label=f"twin: {name}", verbose=False)

    @property
    def address(self) -> str:
        """Where a browser finds it: nobody else knows the key."""
        return f"http://{self.get_host()}:{self.get_port()}/?key={self.key}"

    def refusal(self, connection: ServerConnection, request: Request) -> Response | None:
        """Return why a request isn't answered, None if it is."""
        origin = request.headers.get("Origin")
        if origin is not None and urlsplit(origin).netloc != request.headers.get("Host"):
            return connection.respond(HTTPStatus.FORBIDDEN, "this page answers no other page\n")
        if not any(secrets.compare_digest(self.key.encode(), key.encode()) for key in self._keys(request)):
            return connection.respond(HTTPStatus.FORBIDDEN, "open the whole address that twin printed, with its key\n")
        return None

    def _keys(self, request: Request) -> Iterator[str]:
        yield from parse_qs(urlsplit(request.path).query).get("key", [])
        try:
            cookie = SimpleCookie(request.headers.get("Cookie", ""))
        except CookieError:
            return
        if (found := cookie.get(self._cookie)) is not None:
            yield found.value

    @property
    def _cookie(self) -> str:
        return f"twin-{self.get_port()}"  # cookies know no ports

    def greeted(self, response: Response) -> Response:
        """Return an answer with the cookie by which the page's further requests are known."""
        response.headers["Set-Cookie"] = f"{self._cookie}={self.key}; HttpOnly; SameSite=Strict; Path=/"
        return response


@contextmanager
def _asked_first(page: Page) -> Iterator[None]:
    """Let `page` judge each request to the server that is opened meanwhile: viser has no place for that."""
    with _OPENING:
        serve = websockets_server.serve

        def judged(*arguments: Any, process_request: _Answer | None = None, **options: Any) -> Any:
            async def answer(connection: ServerConnection, request: Request) -> Response | None:
                if (refused := page.refusal(connection, request)) is not None:
                    return refused
                found = None if process_request is None else process_request(connection, request)
                answered = await found if isawaitable(found) else found
                return None if answered is None else page.greeted(answered)

            return serve(*arguments, process_request=answer, **options)

        websockets_server.serve = judged  # type: ignore[assignment, misc]
        try:
            yield
        finally:
            websockets_server.serve = serve  # type: ignore[misc]


def close_server(server: ViserServer) -> None:
    """End it."""
    with redirect_stdout(StringIO()):
        server.stop()
