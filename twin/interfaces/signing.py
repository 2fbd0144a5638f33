"""MAVLink 2 signatures: packed, checked, and never the same again (mavlink.io/en/guide/message_signing.html)."""

from __future__ import annotations

import hashlib
import hmac
import os
import time
from pathlib import Path
from typing import Any

from twin.interfaces.hil import mavlink

_EPOCH = 1_420_070_400
"""s, 1 January 2015: signatures count time from there, in 10 us."""
_SECOND = 100_000
_SIGNATURE, _STAMP, _LINK = slice(-6, None), slice(-12, -6), -13
"""Where a signed frame has what."""
_MARKERS = (mavlink.PROTOCOL_MARKER_V1, mavlink.PROTOCOL_MARKER_V2)


class Stamps:
    """The newest time-stamp that was ever accepted under a key, kept in a file: older frames are of the past."""

    def __init__(self, key: bytes) -> None:
        state = Path(os.environ.get("XDG_STATE_HOME") or Path.home() / ".local/state")
        self.file = state / "twin/signatures" / hashlib.sha256(key).hexdigest()[:16]
        self.before = self._stored()
        self._kept = self.newest = self.before

    def accept(self, stamp: int) -> None:
        """Remember a time-stamp; a kill forgets at most a second."""
        self.newest = max(self.newest, stamp)
        if self.newest >= self._kept + _SECOND:
            self.keep()

    def keep(self) -> None:
        """Write the newest into the file, unless that has a newer one."""
        if self.newest <= max(self._kept, self._stored()):
            return
        self.file.parent.mkdir(parents=True, exist_ok=True)
        new = self.file.with_name(f"{self.file.name}.{os.getpid()}")
        new.write_text(f"{self.newest}\n")
        os.replace(new, self.file)
        self._kept = self.newest

    def _stored(self) -> int:
        try:
            text = self.file.read_text()[:32].strip()
        except FileNotFoundError:
            return 0
        return int(text) if text.isdigit() else 0


class Codec(mavlink.MAVLink):  # type: ignore[misc]
    """Packs and parses MAVLink 2 as simulators do (system 1, component 200); with `stamps`, signed by their key."""

    def __init__(self, key: bytes | None, stamps: Stamps | None = None) -> None:
        super().__init__(None, srcSystem=1, srcComponent=200)
        self.robust_parsing = True
        self.stamps = stamps
        self.fault = ""  # of the signature that was looked at last
        self.buf: bytearray = bytearray()
        self.buf_index: int = 0
        if key is not None:
            self.signing.secret_key, self.signing.sign_outgoing = key, True
            now = int((time.time() - _EPOCH) * _SECOND)
            self.signing.timestamp = max(now, stamps.newest if stamps else 0)

    def check_signature(self, msgbuf: bytearray, srcSystem: int, srcComponent: int) -> bool:
        """Tell whether a frame is signed by the key, and newer than all of its stream and of earlier sessions."""
        digest = hashlib.sha256(self.signing.secret_key + msgbuf[: _SIGNATURE.start]).digest()
        stamp, stream = int.from_bytes(msgbuf[_STAMP], "little"), (msgbuf[_LINK], srcSystem, srcComponent)
        streams, before = self.signing.stream_timestamps, 0 if self.stamps is None else self.stamps.before
        newest = streams.get(stream, max(before, self.signing.timestamp - 60 * _SECOND))
        self.fault = ""
        if not hmac.compare_digest(digest[:6], bytes(msgbuf[_SIGNATURE])):
            self.fault = "another key's"
        elif stamp <= newest:
            self.fault = "its time-stamp is not newer than those known"
        if self.fault:
            return False
        streams[stream] = stamp
        self.signing.timestamp = max(self.signing.timestamp, stamp)
        if self.stamps is not None:
            self.stamps.accept(stamp)
        return True

    def frames(self, data: bytes) -> tuple[list[Any], list[str]]:
        """Return the good messages of what has come, and what is wrong with the rest, in words.

        What looked like a frame and is none may have swallowed the start of one: it is looked through again.
        """
        good: list[Any] = []
        bad: list[str] = []
        again = 0  # bytes that are looked through again
        try:
            message = self.parse_char(data)
            while message is not None:
                data, kind = message.get_msgbuf(), message.get_type()
                length = len(data)
                known = kind != "BAD_DATA" and not kind.startswith("UNKNOWN")
                if known and data[0] == mavlink.PROTOCOL_MARKER_V2:
                    good.append(message)
                elif known:
                    bad.append("it speaks MAVLink 1; allowed: 2")
                else:
                    if again <= 0 and kind == "BAD_DATA":
                        why = f"{message.reason}{self.fault and ': ' + self.fault}"
                        bad.append(f"it is no MAVLink 2 to be trusted: {why}")
                    if length > 1 and data[0] in _MARKERS:
                        self._again(data[1:])
                        again, length = max(again, length), 1
                again -= length
                self.fault = ""
                message = self.parse_char(b"")
        except Exception as error:  # the parser raises whatever crafted bytes lead it to
            self.forget()
            bad.append(f"it is no MAVLink 2: {type(error).__name__}: {error}")
        return good, bad

    def _again(self, data: bytes) -> None:
        """Put bytes back before those that are still to be looked at."""
        self.buf, self.buf_index = bytearray(data) + self.buf[self.buf_index :], 0
        self.expected_length = mavlink.HEADER_LEN_V1 + 2

    @property
    def begun(self) -> bool:
        """Whether the start of a frame is there, or what looks like one, and its end isn't."""
        return bool(self.buf_len() > 0)

    def skip(self) -> tuple[list[Any], list[str]]:
        """Take what looked like the start of a frame for rubbish; return what follows it, as `frames` does."""
        rest = bytes(self.buf[self.buf_index + 1 :])
        self.forget()
        good, bad = self.frames(rest)
        return good, ["it is the start of a frame without an end", *bad]

    def forget(self) -> None:
        """Drop the begun frame: the next datagram begins anew."""
        self.buf, self.buf_index = bytearray(), 0
        self.expected_length = mavlink.HEADER_LEN_V1 + 2
