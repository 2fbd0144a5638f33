"""Where a run's time goes: CPU time of the parts of the loop, each without what it calls of another part."""

from __future__ import annotations

import resource
import sys
from collections.abc import Callable, Iterator
from time import process_time
from typing import Any

from twin.clock import NS
from twin.protocols import Batch
from twin.state import Frame
from twin.twin import Twin

PARTS = ("physics", "channel", "network", "agents", "recording", "figures", "loop")
"""Bodies; rays; packets; sensing, controllers and failsafes; the file; metrics; what is left between them."""


class Profile:
    """Stands between the loop and its parts, and notes who has the processor.

    What is reported begins with the second recorded frame: until then kernels are compiled or loaded.
    """

    def __init__(
        self, then: Callable[[Frame], None] = lambda frame: None, clock: Callable[[], float] = process_time
    ) -> None:
        self._then, self._clock = then, clock
        self.first_step = 0.0  # s of CPU from the start of the process to the second recorded frame
        self._frames = 0
        self._part = "loop"
        self._start(0)

    def attach(self, twin: Twin) -> None:
        """Watch the parts of a twin that hasn't run yet."""
        self.watch("physics", twin.physics, "step")
        self.watch("channel", twin.channel, "trace")
        for name in ("send", "wake", "settled"):
            self.watch("network", twin.network, name)
        self._watch_deliveries(twin.network)
        for group in twin.groups:
            for due in filter(None, map(group.due, range(group.period))):
                self.watch("agents", due, "sense")
                self.watch("agents", due, "act")
        for robot in twin.robots:
            self.watch("agents", robot, "react")

    def watch(self, part: str, owner: Any, name: str) -> None:
        """Count the time in the method `name` of the object `owner` as that of `part`."""
        method: Callable[..., Any] = getattr(owner, name)

        def watched(*arguments: Any, **named: Any) -> Any:
            self._calls[part] += 1
            before = self._turn_to(part)
            try:
                return method(*arguments, **named)
            finally:
                self._turn_to(before)

        setattr(owner, name, watched)

    def take(self, frame: Frame) -> None:
        """Note that this recorded frame is there, and hand it on."""
        self._frames += 1
        if self._frames == 2:
            self.first_step = self._clock()
            self._start(frame.time)
        self._time = frame.time
        self._then(frame)

    def figures(self) -> dict[str, Any]:
        """Return CPU seconds per simulated second and calls of each part, CPU to the first step, peak memory."""
        self._turn_to(self._part)
        simulated = max((self._time - self._from) / NS, 1e-9)
        return {
            "simulated": simulated,
            "seconds_per_second": {part: self._spent[part] / simulated for part in PARTS},
            "calls_per_second": {part: self._calls[part] / simulated for part in PARTS},
            "cpu_to_first_step": self.first_step,
            "memory_mb": peak_memory() / 1e6,
        }

    def _watch_deliveries(self, network: Any) -> None:
        deliveries: Callable[..., Iterator[Batch]] = network.run

        def watched(*arguments: Any, **named: Any) -> Iterator[Batch]:
            batches = deliveries(*arguments, **named)
            while True:
                self._calls["network"] += 1
                before = self._turn_to("network")
                batch = next(batches, None)
                self._turn_to(before)
                if batch is None:
                    return
                yield batch

        network.run = watched

    def _start(self, time: int) -> None:
        self._from = self._time = time
        self._spent = dict.fromkeys(PARTS, 0.0)
        self._calls = dict.fromkeys(PARTS, 0)
        self._since = self._clock()

    def _turn_to(self, part: str) -> str:
        """Let the time from here on be that of `part`; return whose it was."""
        now, before = self._clock(), self._part
        self._spent[before] += now - self._since
        self._since, self._part = now, part
        return before


def peak_memory() -> int:
    """Return the most memory [bytes] that this process ever held."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * (1 if sys.platform == "darwin" else 1024)
