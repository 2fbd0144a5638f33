"""The clock of a replay: where it is, how fast it goes, and what happens at the end."""

from __future__ import annotations

SPEEDS = ("0.1 x", "0.25 x", "0.5 x", "1 x", "2 x", "5 x", "10 x")


class Player:
    """Time of a replay in seconds, between 0 and `duration`; it starts paused at 0."""

    def __init__(self, duration: float, rate_hz: int) -> None:
        self.duration, self.rate_hz = duration, rate_hz
        self.time = 0.0
        self.speed = 1.0
        self.playing = self.loop = False

    def advance(self, elapsed: float) -> bool:
        """Let `elapsed` seconds of the viewer pass; tell whether the time moved.

        At the end the replay pauses, or begins anew if it loops.
        """
        if not self.playing or self.duration <= 0.0:
            return False
        self.time += elapsed * self.speed
        if self.time >= self.duration:
            self.time = self.time % self.duration if self.loop else self.duration
            self.playing = self.loop
        return True

    def seek(self, time: float) -> None:
        """Go to a time; what lies outside of the run is its nearest end."""
        self.time = min(max(time, 0.0), self.duration)

    def step(self, frames: int) -> None:
        """Pause, and go that many recorded frames on or back."""
        self.playing = False
        self.seek((round(self.time * self.rate_hz) + frames) / self.rate_hz)

    def toggle(self) -> None:
        """Play or pause; at the end, play from the start."""
        if not self.playing and self.time >= self.duration:
            self.time = 0.0
        self.playing = not self.playing
