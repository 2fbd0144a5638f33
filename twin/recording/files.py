"""The file under a recording: one writer, nothing overwritten by accident, space before it is needed."""

from __future__ import annotations

import ctypes
import fcntl
import os
import stat
from glob import escape
from pathlib import Path

import h5py
from h5py import h5f, h5p

from twin.errors import RecordingError

_AHEAD = 4 << 20  # bytes reserved at a time
_MARGIN = 1 << 19  # bytes always kept back, so that a file can be finished on a full disk
_SIGNATURE = b"\x89HDF\r\n\x1a\n"
_SUPERBLOCK_VERSION = 3
_END_OF_FILE = slice(28, 36)  # in that superblock: how long the file has to be
_ATTEMPTS = 24  # to read metadata that is just being written: 2^24 ns in all


def is_recording(path: Path) -> bool:
    """Tell whether this file is, or was, a recording: by its first bytes, or by its name if those are damaged."""
    try:
        return path.is_file() and (path.suffix == ".h5" or _start(path).startswith(_SIGNATURE))
    except OSError:
        return False


def is_being_written(path: Path) -> bool:
    """Tell whether a writer holds this file."""
    descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK)
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
    start = _start(path)
    if not start.strip(b"\0"):
        if is_being_written(path):
            raise RecordingError(f"{path}: is being begun by its run; look again in a moment")
        raise RecordingError(f"{path}: holds nothing: its run was killed at its start; it is safe to delete")
    if not start.startswith(_SIGNATURE):
        raise RecordingError(f"{path}: is not an HDF5 file, so not a recording")
    if len(start) < _END_OF_FILE.stop or start[len(_SIGNATURE)] != _SUPERBLOCK_VERSION:
        raise RecordingError(f"{path}: is an HDF5 file, but not a recording of twin")
    return int.from_bytes(start[_END_OF_FILE], "little")


def open_file(path: Path) -> h5py.File:
    """Return an HDF5 file, opened to be read, also while it is being written.

    HDF5 tries metadata with a wrong checksum again, as its writer may be at it, and waits twice as long each
    time: a hundred times by default, which never ends. Here damage is an error after some milliseconds.

    Raises:
        RecordingError: it is no file, or cut off.
        OSError: it can't be read.
    """
    size, stated = path.stat().st_size, stored_size(path)
    if size < stated:
        raise RecordingError(f"{path}: is cut off: it has {size} of {stated} bytes")
    access = h5p.create(h5p.FILE_ACCESS)
    access.set_fclose_degree(h5f.CLOSE_STRONG)
    access.set_file_locking(False, True)
    if _set_attempts(access.id, _ATTEMPTS if is_being_written(path) else 1) < 0:
        raise RuntimeError("HDF5 doesn't take a number of attempts")
    return h5py.File(h5f.open(os.fsencode(path), h5f.ACC_RDONLY | h5f.ACC_SWMR_READ, access))


_set_attempts = ctypes.CDLL(h5p.__file__).H5Pset_metadata_read_attempts  # h5py leaves it out
_set_attempts.argtypes, _set_attempts.restype = (ctypes.c_int64, ctypes.c_uint), ctypes.c_int


def _start(path: Path) -> bytes:
    """Return the first bytes of a file; a pipe would let us wait for them.

    Raises:
        RecordingError: it is no file.
    """
    if not stat.S_ISREG(path.stat().st_mode):
        raise RecordingError(f"{path}: can't be read: it is not a file")
    with open(path, "rb") as file:
        return file.read(_END_OF_FILE.stop)


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

    The new file is made beside it and takes its place at `publish`, so that a start that fails or is killed
    loses nothing: what was there stays, or an empty file, which the next run takes. A link stays a link.

    Raises:
        RecordingError: the file exists and `force` is off, another process writes it, or it can't be made.
    """

    def __init__(self, path: Path, *, force: bool = False) -> None:
        self.path = path.resolve()
        try:
            self._made = not self.path.exists()
            self._place: int | None = _take_place(self.path, force)
        except OSError as error:
            raise RecordingError(f"{path}: can't be written: {error.strerror}") from error
        try:
            _remove_dead(self.path)
            self.working = self.path.with_name(f".{self.path.name}.{os.getpid()}.part")
            self._descriptor = _lock(self.working, os.O_RDWR | os.O_CREAT | os.O_EXCL)
        except BaseException as error:
            self._leave_place()
            if isinstance(error, OSError):
                raise RecordingError(f"{path}: can't be written: {error.strerror}") from error
            raise

    def publish(self) -> None:
        """Put the file in its place and let readers in; other writers stay out."""
        os.replace(self.working, self.path)
        self._made, self.working = False, self.path
        self._leave_place()
        fcntl.flock(self._descriptor, fcntl.LOCK_SH)

    def check(self, size: int) -> None:
        """Notice what others have done to the file, which has had `size` bytes.

        Raises:
            RecordingError: it was removed or cut off, and must not be written any more.
        """
        state = os.fstat(self._descriptor)
        if not state.st_nlink:
            raise RecordingError(f"{self.path}: was removed during the run; nothing of it is left")
        if state.st_size < size:
            raise RecordingError(f"{self.path}: was cut off at {state.st_size} bytes; no more can be written")

    @property
    def moved(self) -> bool:
        """Whether something else, or nothing, lies where the file was put."""
        try:
            return not os.path.samestat(os.fstat(self._descriptor), os.stat(self.path))
        except FileNotFoundError:
            return True

    def reserve(self, used: int, size: int) -> None:
        """Make sure that `size` bytes can follow the first `used` ones; covers full disks, quotas and limits.

        HDF5 can neither flush nor close a file on a full disk (it ends in a segmentation fault), so it must
        never meet one.

        Raises:
            OSError: there is no space.
        """
        end, there = used + size + _MARGIN, os.fstat(self._descriptor).st_size  # HDF5's flush may cut the file
        if end <= there:
            return
        try:
            os.posix_fallocate(self._descriptor, there, end + _AHEAD - there)
        except OSError:
            os.posix_fallocate(self._descriptor, there, end - there)

    def create(self, size: int) -> h5py.File:
        """Return the new HDF5 file, with space for `size` bytes; closing it is the caller's.

        Raises:
            OSError: there is no space.
        """
        self.reserve(0, size)
        file = h5py.File(self.working, "w", libver=("v110", "v110"), locking=False)
        self.reserve(0, size)  # opening has truncated the file
        return file

    def release(self) -> None:
        """Give back what was reserved beyond the end of the closed file, and the right to write it."""
        start = os.pread(self._descriptor, _END_OF_FILE.stop, 0)
        os.ftruncate(self._descriptor, int.from_bytes(start[_END_OF_FILE], "little"))
        os.close(self._descriptor)

    def abandon(self) -> None:
        """Remove the file that was not published."""
        os.unlink(self.working)
        os.close(self._descriptor)
        self._leave_place()

    def _leave_place(self) -> None:
        if self._place is not None:
            if self._made:
                os.unlink(self.path)
            os.close(self._place)
            self._place = None


def _take_place(path: Path, force: bool) -> int:
    """Return the lock on the file at `path`: an empty one, unless one may be replaced."""
    if path.exists() and not path.is_file():
        raise RecordingError(f"{path}: is not a file")
    try:
        return _lock(path, os.O_RDWR | os.O_CREAT | os.O_EXCL)
    except FileExistsError:
        if is_being_written(path):
            raise RecordingError(f"{path}: is being written by another process") from None
        if path.stat().st_size and not force:
            raise RecordingError(f"{path}: exists already; --force replaces it") from None
        return _lock(path, os.O_RDONLY)


def _remove_dead(path: Path) -> None:
    """Remove what starts that were killed have left beside `path`."""
    for left in path.parent.glob(f".{escape(path.name)}.*.part"):
        if not is_being_written(left):
            left.unlink()
