"""A page beside a run: `twin replay` of the recording that is being written, in a process of its own."""

from __future__ import annotations

import os
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path
from types import TracebackType

import twin
from twin.cli.console import say
from twin.errors import TwinError
from twin.extras import missing
from twin.interfaces.tether import tethered

_COMMAND = "from twin.cli import main; main()"


class LivePage:
    """Shows a recording from the first call of `show` on; as a context manager it takes the page away at its end.

    Raises:
        TwinError: the extra `view` is not installed.
    """

    def __init__(self) -> None:
        if find_spec("viser") is None:
            raise TwinError(missing("view", "viser"))
        self._process: subprocess.Popen[bytes] | None = None

    def show(self, recording: Path) -> None:
        """Start the page, once; it says its address on stderr."""
        if self._process is None:
            here = str(Path(twin.__file__).resolve().parents[1])
            path = os.pathsep.join(filter(None, (here, os.environ.get("PYTHONPATH"))))
            line = [sys.executable, "-c", _COMMAND, "replay", str(recording)]
            self._process = subprocess.Popen(tethered(line), stdout=sys.stderr, env={**os.environ, "PYTHONPATH": path})

    def wait(self) -> None:
        """Leave the page open until Ctrl-C, which ends it too."""
        if self._process is not None and self._process.poll() is None:
            say("the page stays until Ctrl-C")
            try:
                self._process.wait()
            except KeyboardInterrupt:
                self._process.wait()

    def __enter__(self) -> LivePage:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._process is not None:
            self._process.terminate()
            self._process.wait()
