"""Files that are packed by gzip, read like any other; what comes out of them is bounded."""

from __future__ import annotations

import gzip
import tempfile
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from twin.errors import TwinError

MOST_BYTES, MOST_TABLE = 1 << 30, 50_000_000
"""Of what a file unpacks to, and a table of numbers: the shortest rows take twenty times as much once they are read."""
_MAGIC = b"\x1f\x8b"
_BLOCK = 1 << 20


@contextmanager
def unpacked(path: Path, wrong: Callable[[str], Exception], most: int = MOST_BYTES) -> Iterator[Path]:
    """Yield a file with the content of `path.gz`, called as it without `.gz`; any other file is itself.

    The file is there while it is read. `wrong` makes the error of a file that is damaged or unpacks to more than `most`
    bytes.
    """
    if path.suffix.lower() != ".gz" or not _is_packed(path):
        yield path
        return
    with tempfile.TemporaryDirectory(prefix="twin-") as folder:
        plain = Path(folder) / path.stem
        _unpack(path, plain, wrong, most)
        try:
            yield plain
        except TwinError as error:  # it names the file that was given, not the one that is gone
            raise wrong(str(error).replace(str(plain), str(path))) from error


def _is_packed(path: Path) -> bool:
    try:
        with path.open("rb") as file:
            return file.read(2) == _MAGIC
    except OSError:  # whoever reads it says so
        return False


def _unpack(path: Path, plain: Path, wrong: Callable[[str], Exception], most: int) -> None:
    size = 0
    try:
        with gzip.open(path) as packed, plain.open("wb") as file:
            while block := packed.read(_BLOCK):
                size += len(block)
                if size > most:
                    raise wrong(f"{path}: unpacks to more than {most / 1e6:.0f} MB; allowed: that much")
                file.write(block)
    except (OSError, EOFError, zlib.error) as error:
        raise wrong(f"{path}: can't be unpacked: {error}") from error
