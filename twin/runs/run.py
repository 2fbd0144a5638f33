"""One run: step the twin, record it, measure it."""

from __future__ import annotations

import gc
import signal
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass, replace
from itertools import takewhile
from pathlib import Path
from types import FrameType
from typing import Any

from twin.analysis.measure import Measures
from twin.analysis.metrics import Metrics
from twin.analysis.requirements import judged
from twin.assembly.built import Built
from twin.clock import NS
from twin.errors import RecordingError, RunError, TwinError
from twin.recording.writer import Writer
from twin.runs.pacing import RealTime
from twin.runs.profiling import Profile
from twin.runs.provenance import header
from twin.scan import Cpi
from twin.specs import Jitter
from twin.specs.scenario import Scenario
from twin.state import Event, Frame, Packet


class Stopped(RunError):
    """The run was told to stop by a signal."""

    def __init__(self, number: int) -> None:
        super().__init__(signal.Signals(number).name)
        self.exit_code = 128 + number


@dataclass(slots=True)
class Outcome:
    """How a run ended: figures of the simulated time that it covered, and the error that cut it short."""

    summary: dict[str, Any]
    real_time_factor: float  # simulated seconds per second, once kernels are loaded
    error: TwinError | None = None


class Pace:
    """How fast simulated time passes, from the second recorded frame on: until then kernels are compiled."""

    def __init__(self) -> None:
        self.frames = 0
        self.factor = 0.0

    def take(self, frame: Frame) -> None:
        """Note that this frame is there now."""
        now = time.monotonic()
        if self.frames == 1:
            self._start = (frame.time, now)
        elif self.frames > 1:
            self.factor = (frame.time - self._start[0]) / NS / max(now - self._start[1], 1e-9)
        self.frames += 1


@dataclass(frozen=True, slots=True)
class Onlookers:
    """Who is told of a run while it goes on."""

    profile: Profile | None = None  # shown the run's parts, to note their time
    progress: Callable[[Frame], None] = lambda frame: None
    stopping: Callable[[], None] = lambda: None  # called the moment that a signal comes


def run(
    built: Built,
    scenario: Scenario,
    output: Path | None = None,
    *,
    force: bool = False,
    paths: bool = False,
    until: int | None = None,
    real_time: RealTime | None = None,
    onlookers: Onlookers = Onlookers(),
) -> Outcome:
    """Run a built scenario to its end, or to the first error or signal; what was recorded till then is good.

    `paths` records every path of every link. `until` [ns] leaves out all frames after it, as a kill would.
    `real_time` paces the run by the wall clock.

    Raises:
        RecordingError: the recording can't be started.
    """
    budget = scenario.network.delay_budget
    metrics, pace = Metrics(built.nodes, built.tasks, budget, built.requirements, scenario.places), Pace()
    profile = onlookers.profile
    if profile is not None:
        profile.attach(built.twin)
        profile.watch("figures", metrics, "take")
    with ExitStack() as open_things:
        open_things.enter_context(closing(built))
        frames = built.twin.frames(scenario.duration)
        first = next(frames)
        if until is not None:
            frames = takewhile(lambda frame: frame.time <= until, frames)
        if real_time is not None:
            frames = real_time.paced(frames)
        writer = None
        if output is not None:
            writer = Writer(output, header(built, scenario, first, paths=paths), force=force)
            open_things.enter_context(writer)
            if profile is not None:
                profile.watch("recording", writer, "write")
        kept = at_record_rate(_recorded(first, frames, writer), scenario.rates.record)
        error = _step(kept, metrics, pace, onlookers)
        summary = summary_of(built, scenario, metrics, complete=error is None)
        if writer is not None:
            try:
                writer.finish(summary, complete=error is None, reason="" if error is None else str(error))
            except RecordingError as stop:
                error = error or stop
    return Outcome(summary, pace.factor, error)


def summary_of(built: Built, scenario: Scenario, metrics: Metrics, *, complete: bool) -> dict[str, Any]:
    """Return the figures of a run that is over, and what its requirements say of them."""
    summary = metrics.summary()
    summary["network"], summary["channel"] = dict(built.twin.network.counts), dict(built.twin.channel.counts)
    if energy := built.battery_energy:
        summary["battery_energy_by_robot"] = energy
        summary["energy"] = (summary.get("energy") or 0.0) + sum(energy.values())
    saturated = built.saturated
    summary["saturated_time"], summary["saturated_by_robot"] = sum(saturated.values()), saturated
    budget = scenario.network.delay_budget
    measures = Measures(summary, metrics.series, metrics.watch, budget=budget, independent=independent(scenario))
    return summary | judged(built.requirements, measures, complete=complete)


def independent(scenario: Scenario) -> bool:
    """Tell whether the network lets no packet's fate depend on another's, by how it is made."""
    network = scenario.network
    return network.kind == "ideal" or (network.kind == "fixed" and network.jitter == Jitter())


def _step(frames: Iterator[Frame], metrics: Metrics, pace: Pace, onlookers: Onlookers) -> TwinError | None:
    """Take all frames; return what cut the run short."""
    try:
        with _signals(onlookers.stopping) as caught, rare_collection():
            for frame in frames:
                metrics.take(frame)
                pace.take(frame)
                onlookers.progress(frame)
                if caught:
                    raise Stopped(caught[0])
    except (RunError, RecordingError) as stop:
        return stop
    return None


def at_record_rate(frames: Iterable[Frame], rate_hz: int) -> Iterator[Frame]:
    """Keep the frames due at `rate_hz` and the last, each with all that happened since the one before.

    Raises:
        TwinError: what ended `frames`, after the last of them.
    """
    packets: list[Packet] = []
    events: list[Event] = []
    logs: list[tuple[int, int, str, float]] = []
    cpis: list[Cpi] = []
    left: Frame | None = None
    kept, stop = 0, None
    try:
        for frame in frames:
            packets += frame.packets
            events += frame.events
            logs += frame.logs
            cpis += frame.cpis
            left = frame
            if frame.time >= kept * NS // rate_hz:
                kept, left = kept + 1, None
                yield replace(frame, packets=packets, events=events, logs=logs, cpis=cpis)
                packets, events, logs, cpis = [], [], [], []
    except TwinError as error:
        stop = error
    if left is not None:
        yield replace(left, packets=packets, events=events, logs=logs, cpis=cpis)
    if stop is not None:
        raise stop


def _recorded(first: Frame, frames: Iterator[Frame], writer: Writer | None) -> Iterator[Frame]:
    frame: Frame | None = first
    while frame is not None:
        if writer is not None:
            writer.write(frame)
        yield frame
        frame = next(frames, None)


@contextmanager
def rare_collection() -> Iterator[None]:
    """Let the collector of cycles leave alone what was built, and look at new objects rarely: steps make no cycles."""
    before = gc.get_threshold()
    gc.freeze()
    gc.set_threshold(50_000, *before[1:])
    try:
        yield
    finally:
        gc.set_threshold(*before)
        gc.unfreeze()


@contextmanager
def _signals(stopping: Callable[[], None]) -> Iterator[list[int]]:
    """Catch Ctrl-C and SIGTERM, so that the run ends between two frames; a second one ends it at once."""
    caught: list[int] = []
    if threading.current_thread() is not threading.main_thread():  # which alone may catch them
        yield caught
        return

    def stop(number: int, frame: FrameType | None) -> None:
        if caught:
            raise KeyboardInterrupt
        caught.append(number)
        stopping()

    before = {number: signal.signal(number, stop) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield caught
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
