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
        """Return the good messages of what has come, and what is wrong with the rest, in words."""
        good: list[Any] = []
        bad: list[str] = []
        try:
            for message in self.parse_buffer(data) or []:
                if message.get_type() != "BAD_DATA":
                    old = message.get_msgbuf()[0] != mavlink.PROTOCOL_MARKER_V2
                    bad.append("it speaks MAVLink 1; allowed: 2") if old else good.append(message)
                elif not message.reason.startswith("unknown MAVLink message ID"):
                    bad.append(f"it is no MAVLink 2 to be trusted: {message.reason}{self.fault and ': ' + self.fault}")
        except Exception as error:  # the parser raises whatever crafted bytes lead it to
            self.buf, self.buf_index = bytearray(), 0
            bad.append(f"it is no MAVLink 2: {type(error).__name__}: {error}")
        self.fault = ""
        return good, bad

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
