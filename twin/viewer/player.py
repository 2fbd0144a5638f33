"""The clock of a viewer: where it is, how fast it goes, and what happens at the end."""

from __future__ import annotations

SPEEDS = ("0.0005 x", "0.002 x", "0.01 x", "0.1 x", "0.25 x", "0.5 x", "1 x", "2 x", "5 x", "10 x")


class Player:
    """Time of a replay in seconds, between 0 and `duration`; it starts paused at 0."""

    def __init__(self, duration: float, rate_hz: int) -> None:
        self.duration, self.rate_hz = duration, rate_hz
        self.time = 0.0
        self.speed = 1.0
        self.playing = self.loop = self.live = False

    def advance(self, elapsed: float) -> bool:
        """Let `elapsed` seconds of the viewer pass; tell whether the time moved.

        At the end the replay pauses, or begins anew if it loops. Live, it runs after an end that moves on.
        """
        if self.live:
            behind = self.duration - self.time
            self.time += min(behind, elapsed * max(1.0, behind))
            return behind > 0.0
        if not self.playing or self.duration <= 0.0:
            return False
        self.time += elapsed * self.speed
        if self.time >= self.duration:
            self.time = self.time % self.duration if self.loop else self.duration
            self.playing = self.loop
        return True

    def seek(self, time: float) -> None:
        """Go to a time, which ends being live; what lies outside of the run is its nearest end."""
        self.live = False
        self.time = min(max(time, 0.0), self.duration)

    def step(self, frames: int) -> None:
        """Pause, and go that many recorded frames on or back."""
        self.playing = False
        self.seek((round(self.time * self.rate_hz) + frames) / self.rate_hz)

    def faster(self, steps: int) -> None:
        """Take the speed that many steps up or down in `SPEEDS`."""
        speeds = [float(text.split()[0]) for text in SPEEDS]
        at = speeds.index(self.speed) + steps
        self.speed = speeds[min(max(at, 0), len(speeds) - 1)]

    def toggle(self) -> None:
        """Play or pause; at the end, play from the start."""
        if self.live:
            self.live = self.playing = False
            return
        if not self.playing and self.time >= self.duration:
            self.time = 0.0
        self.playing = not self.playing
