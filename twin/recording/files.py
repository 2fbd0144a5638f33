"""The file under a recording: one writer, nothing overwritten by accident, space before it is needed."""

from __future__ import annotations

import fcntl
import os
from pathlib import Path

import h5py

from twin.errors import RecordingError

_AHEAD = 4 << 20  # bytes reserved at a time
_MARGIN = 1 << 19  # bytes always kept back, so that a file can be finished on a full disk
_SIGNATURE = b"\x89HDF\r\n\x1a\n"
_SUPERBLOCK_VERSION = 3
_END_OF_FILE = slice(28, 36)  # in that superblock: how long the file has to be


def is_being_written(path: Path) -> bool:
    """Tell whether a writer holds this file."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    finally:
        os.close(descriptor)
    return False


def stored_size(path: Path) -> int:
    """Return the size that an HDF5 file in SWMR format says it has.

    Raises:
        RecordingError: it is no such file.
    """
    with open(path, "rb") as file:
        start = file.read(_END_OF_FILE.stop)
    if not start:
        raise RecordingError(f"{path}: is empty")
    if not start.startswith(_SIGNATURE):
        raise RecordingError(f"{path}: is not an HDF5 file, so not a recording")
    if len(start) < _END_OF_FILE.stop or start[len(_SIGNATURE)] != _SUPERBLOCK_VERSION:
        raise RecordingError(f"{path}: is an HDF5 file, but not a recording of twin")
    return int.from_bytes(start[_END_OF_FILE], "little")


def _lock(path: Path, flags: int) -> int:
    descriptor = os.open(path, flags, 0o666)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        if os.path.samestat(os.fstat(descriptor), os.stat(path)):
            return descriptor
    except (BlockingIOError, FileNotFoundError):
        pass
    os.close(descriptor)
    raise RecordingError(f"{path}: is being written or held open by another process")


class Claim:
    """The sole right to write the file at `path`, from here to `release`; a kill releases it too.

    A new file is made in place. With `force`, one that is there stays until `publish` puts the new one in its
    place, so that a start that fails loses nothing.

    Raises:
        RecordingError: the file exists and `force` is off, another process writes it, or it can't be made.
    """

    def __init__(self, path: Path, *, force: bool = False) -> None:
        self.path = self.working = path
        self._old: int | None = None
        self._reserved = 0
        try:
            if path.exists() and not path.is_file():
                raise RecordingError(f"{path}: is not a file")
            if force and path.exists():
                self._old = _lock(path, os.O_RDONLY)
                self.working = path.with_name(f".{path.name}.{os.getpid()}.part")
            self._descriptor = _lock(self.working, os.O_RDWR | os.O_CREAT | os.O_EXCL)
        except FileExistsError:
            if is_being_written(path):
                raise RecordingError(f"{path}: is being written by another process") from None
            raise RecordingError(f"{path}: exists already; --force replaces it") from None
        except OSError as error:
            raise RecordingError(f"{path}: can't be written: {error.strerror}") from error

    def publish(self) -> None:
        """Put the file in its place and let readers in; other writers stay out."""
        if self._old is not None:
            os.replace(self.working, self.path)
            os.close(self._old)
            self._old, self.working = None, self.path
        fcntl.flock(self._descriptor, fcntl.LOCK_SH)

    def reserve(self, used: int, size: int) -> None:
        """Make sure that `size` bytes can follow the first `used` ones; covers full disks, quotas and limits.

        HDF5 can neither flush nor close a file on a full disk (it ends in a segmentation fault), so it must
        never meet one.

        Raises:
            OSError: there is no space.
        """
        end = used + size + _MARGIN
        if end <= self._reserved:
            return
        try:
            os.posix_fallocate(self._descriptor, self._reserved, end + _AHEAD - self._reserved)
            self._reserved = end + _AHEAD
        except OSError:
            os.posix_fallocate(self._descriptor, self._reserved, end - self._reserved)
            self._reserved = end

    def create(self, size: int) -> h5py.File:
        """Return the new HDF5 file, with space for `size` bytes; closing it is the caller's.

        Raises:
            OSError: there is no space.
        """
        self.reserve(0, size)
        file = h5py.File(self.working, "w", libver=("v110", "v110"), locking=False)
        self._reserved = 0  # opening has truncated the file
        self.reserve(0, size)
        return file

    def release(self) -> None:
        """Give back what was reserved beyond the end of the closed file, and the right to write it."""
        os.ftruncate(self._descriptor, stored_size(self.working))
        os.close(self._descriptor)

    def abandon(self) -> None:
        """Remove the file that was not published."""
        os.unlink(self.working)
        os.close(self._descriptor)
        if self._old is not None:
            os.close(self._old)
