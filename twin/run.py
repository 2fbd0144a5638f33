"""One run: step the twin, record it, measure it."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from typing import Any

from twin.analysis.metrics import Metrics
from twin.build import Built
from twin.clock import NS
from twin.errors import RunError
from twin.scenario import Scenario
from twin.state import Event, Frame, Packet


def at_record_rate(frames: Iterable[Frame], rate_hz: int) -> Iterator[Frame]:
    """Keep the frames due at `rate_hz` and the last one, each with all that happened since the one kept before."""
    packets: list[Packet] = []
    events: list[Event] = []
    logs: list[tuple[int, int, str, float]] = []
    frame = None
    due = 0
    for frame in frames:
        packets += frame.packets
        events += frame.events
        logs += frame.logs
        if frame.time >= due * NS // rate_hz:
            due += 1
            yield replace(frame, packets=packets, events=events, logs=logs)
            packets, events, logs, frame = [], [], [], None
    if frame is not None:
        yield replace(frame, packets=packets, events=events, logs=logs)
