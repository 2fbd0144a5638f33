"""The one clock: integer nanoseconds, counted in physics ticks."""

from __future__ import annotations

NS = 1_000_000_000


def periodic(n: int, rate_hz: int) -> int:
    """Return the time [ns] of event `n` of a train at `rate_hz`, without accumulated error."""
    return n * NS // rate_hz


def rate_fault(rate: int, physics: int) -> str | None:
    """Return what is wrong with a tick-bound rate [Hz], naming the nearest legal ones; None if nothing is."""
    if physics % rate == 0:
        return None
    legal = [divisor for divisor in range(1, physics + 1) if physics % divisor == 0]
    below = [divisor for divisor in legal if divisor < rate][-1:]
    around = below + [divisor for divisor in legal if divisor > rate][:1]
    nearby = " or ".join(f"{divisor} Hz" for divisor in around)
    return f"found {rate} Hz, which does not divide physics = {physics} Hz; nearest legal: {nearby}"


class Clock:
    """Counts physics ticks and says which slower rates are due at the present one."""

    def __init__(self, rate_hz: int) -> None:
        self.rate_hz = rate_hz
        self.ticks = 0

    @property
    def now(self) -> int:
        """Time of the present tick [ns]."""
        return periodic(self.ticks, self.rate_hz)

    def tick(self) -> int:
        """Advance by one tick and return its time [ns]."""
        self.ticks += 1
        return self.now

    def due(self, rate_hz: int) -> bool:
        """Tell whether a train at `rate_hz`, which must divide the tick rate, has an event at this tick."""
        return self.ticks % self.divisor(rate_hz) == 0

    def divisor(self, rate_hz: int) -> int:
        """Return ticks per period of `rate_hz`.

        Raises:
            ValueError: the rate doesn't divide the tick rate.
        """
        if rate_hz <= 0 or self.rate_hz % rate_hz:
            raise ValueError(f"{rate_hz} Hz does not divide the physics rate of {self.rate_hz} Hz")
        return self.rate_hz // rate_hz
