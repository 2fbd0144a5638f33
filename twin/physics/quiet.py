"""Keep what C code prints out of the program's own output, without losing it."""

from __future__ import annotations

import ctypes
import os
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager

_LIBC = ctypes.CDLL(None)


@contextmanager
def captured() -> Iterator[list[str]]:
    """Collect what is written to file descriptors 1 and 2 meanwhile; the lines are there at the end."""
    lines: list[str] = []
    sys.stdout.flush()
    sys.stderr.flush()
    saved = os.dup(1), os.dup(2)
    with tempfile.TemporaryFile() as sink:
        os.dup2(sink.fileno(), 1)
        os.dup2(sink.fileno(), 2)
        try:
            yield lines
        finally:
            _LIBC.fflush(None)  # printf's buffer would otherwise come out after the descriptors are back
            for target, copy in enumerate(saved, start=1):
                os.dup2(copy, target)
                os.close(copy)
            sink.seek(0)
            lines += sink.read().decode(errors="replace").splitlines()
