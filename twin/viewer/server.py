"""The server behind a page: viser's, which greets nobody."""

from __future__ import annotations

from contextlib import redirect_stdout
from io import StringIO

from viser import ViserServer


def open_server(name: str, host: str, port: int) -> ViserServer:
    """Serve a page of that name; where the port is taken, at the next one, and at any one for port 0."""
    with redirect_stdout(StringIO()):
        return ViserServer(host=host, port=port, label=f"twin: {name}", verbose=False)


def close_server(server: ViserServer) -> None:
    """End it."""
    with redirect_stdout(StringIO()):
        server.stop()
