"""The figures that requirements can name: of a run, of a flow, of robots, of sensing; how people read each."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Literal

from twin.units import UNITS


@dataclass(frozen=True, slots=True)
class Figure:
    """One number of a run's summary, in SI."""

    label: str
    dimension: str | None = None  # of twin.units; None for a count
    unit: str = ""  # that people read it in
    digits: int = 0  # after the point, in that unit
    absent: str = ""  # why a run may not have it
    combine: Callable[[Iterable[float]], float] = sum  # of those of several tasks
    trend: Literal["", "up", "down"] = ""  # the one way in which it can go on while a run goes on

    def shown(self, value: float | None) -> str:
        """Return a value [SI] as people read it; what is small isn't rounded to zero, unless it is noise."""
        if value is None:
            return "-"
        number = value / (1.0 if self.dimension is None else float(UNITS[self.dimension][self.unit]))
        text = f"{number:.{self.digits}f}"
        if float(text) == 0.0:
            text = f"{number:.1g}" if abs(number) > _NOISE * 10.0**-self.digits else f"{0.0:.{self.digits}f}"
        return f"{text} {self.unit}".rstrip()


_NOISE = 0.02
"""Of the last digit: what is smaller is shown as zero."""
_NO_COMMAND = "no command arrived"
_NO_TASK = "no robot has a task"
_NO_FLEET = "no robot drives rounds"

FIGURES = {
    "duration": Figure("simulated", "time", "s", 1),
    "packets_sent": Figure("packets sent", trend="up"),
    "packets_delivered": Figure("  delivered", trend="up"),
    "packets_late": Figure("  late", trend="up"),
    "packets_lost": Figure("  lost", trend="up"),
    "packets_queued": Figure("  under way at the end"),
    "rtt_p50": Figure("round trip p50", "time", "ms", 1, _NO_COMMAND),
    "rtt_p99": Figure("round trip p99", "time", "ms", 1, _NO_COMMAND),
    "rtt_p999": Figure("round trip p99.9", "time", "ms", 1, _NO_COMMAND),
    "tracking_rms": Figure("tracking error rms", "length", "m", 2, _NO_TASK),
    "tracking_max": Figure("tracking error max", "length", "m", 2, _NO_TASK, trend="up"),
    "formation_error_rms": Figure("formation error rms", "length", "m", 2, "no robot follows another", max),
    "formation_error_max": Figure("formation error max", "length", "m", 2, "no robot follows another", max, trend="up"),
    "failsafes": Figure("failsafes", trend="up"),
    "failsafe_time": Figure("time on failsafe, all robots", "time", "s", 1, trend="up"),
    "collisions": Figure("collisions", trend="up"),
    "separation_min": Figure(
        "least separation", "length", "m", 2, "no two robots follow a course or rounds", min, "down"
    ),
    "clipped": Figure("commands clipped", trend="up"),
    "saturated_time": Figure("rotors or drives saturated", "time", "s", 1, trend="up"),
    "settling_time": Figure("settling time", "time", "s", 2, "no robot settled on a point away from its start", max),
    "overshoot": Figure("overshoot", "share", "%", 1, "no robot had a step to make", max, trend="up"),
    "tool_error_rms": Figure("tool error rms", "length", "mm", 1, "no tool is led", max),
    "tool_error_max": Figure("tool error max", "length", "mm", 1, "no tool is led", max, trend="up"),
    "felt_force_max": Figure("force felt, max", "force", "N", 1, "no force is felt", max, trend="up"),
    "landings": Figure("landed, and stayed", trend="up"),
    "touchdown_speed": Figure("hardest touchdown", "speed", "m/s", 2, "nobody touched down", max, trend="up"),
    "landing_error": Figure("furthest from the pad", "length", "m", 2, "nobody landed", max),
    "landing_time": Figure("last touchdown", "time", "s", 1, "nobody landed", max),
    "handed_over": Figure("parts handed over", trend="up"),
    "dropped": Figure("parts dropped", trend="up"),
    "handover_time": Figure("time in both hands", "time", "s", 2, "nothing was handed over", max),
    "waypoints_reached": Figure("waypoints reached", absent="no robot flies a plan", trend="up"),
    "waypoints_missed": Figure("  due, and not reached", absent="no robot flies a plan", trend="up"),
    "items_unused": Figure("  items of plans not used", absent="no robot flies a plan"),
    "parts_placed": Figure("parts placed", trend="up"),
    "missed_picks": Figure("missed picks", trend="up"),
    "cycle_time": Figure("time from part to part", "time", "s", 2, "fewer than two parts were placed", max),
    "completion_time": Figure("time to complete", "time", "s", 1, "not all was done", max),
    "missions": Figure("missions done", absent=_NO_FLEET, trend="up"),
    "mission_time": Figure("time for a mission", "time", "s", 1, "no mission was done", max),
    "waiting_time": Figure("waiting, all robots", "time", "s", 1, _NO_FLEET, trend="up"),
    "safety_stops": Figure("safety stops", absent=_NO_FLEET, trend="up"),
    "lane_error_rms": Figure("off the lane, rms", "length", "cm", 1, _NO_FLEET, max),
    "lane_error_max": Figure("off the lane, max", "length", "cm", 1, _NO_FLEET, max, trend="up"),
    "energy": Figure("energy", "energy", "Wh", 1, "no robot tells its energy", trend="up"),
}

_NO_PACKET = "no such packet was sent"
_NOTHING_ARRIVED = "nothing arrived"
_NO_SENSING = "no base station of this run senses"
_NO_TRACK = "no tracker of this run has told of a track"

FLOW_FIGURES = {
    "delivered": Figure("delivered", "share", "%", 3, _NO_PACKET),
    "reliability": Figure("delivered in time", "share", "%", 4, _NO_PACKET),
    "availability": Figure("service available", "share", "%", 4, _NO_PACKET),
    "mtbf": Figure("mean time between failures", "time", "s", 1, _NO_PACKET),
    "survival_exceeded": Figure("survival time exceeded", absent=_NO_PACKET, trend="up"),
    "settled": Figure("delivered or lost", absent=_NO_PACKET, trend="up"),
    "late": Figure("late", absent=_NO_PACKET, trend="up"),
    "lost": Figure("lost", absent=_NO_PACKET, trend="up"),
    "queued": Figure("under way at the end", absent=_NO_PACKET),
    "bytes": Figure("bytes that arrived", absent=_NO_PACKET, trend="up"),
    "pairs": Figure("pairs", absent=_NO_PACKET, trend="up"),
    "pairs_in_time": Figure("pairs with nothing late or lost", absent=_NO_PACKET),
    "rate": Figure("packets per second of a pair", "frequency", "Hz", 1, _NO_PACKET),
    "throughput": Figure("throughput", "data rate", "Mbit/s", 3, _NO_PACKET),
    "latency_mean": Figure("latency, mean", "time", "ms", 2, _NOTHING_ARRIVED),
    "latency_max": Figure("latency, most", "time", "ms", 2, _NOTHING_ARRIVED, trend="up"),
    "age_mean": Figure("age of information, mean", "time", "ms", 1, _NOTHING_ARRIVED),
    "age_peak": Figure("age of information, most", "time", "ms", 1, _NOTHING_ARRIVED, trend="up"),
}
"""Figures of the packets of one kind, named `flows.KIND.FIGURE`; besides, `latency_pNN` and `age_pNN`."""

ROBOT_FIGURES = {
    "tracking_rms": FIGURES["tracking_rms"],
    "tracking_max": FIGURES["tracking_max"],
    "speed_max": Figure("fastest", "speed", "m/s", 2, "nobody of them has a body", trend="up"),
    "failsafes": FIGURES["failsafes"],
    "failsafe_time": FIGURES["failsafe_time"],
    "collisions": FIGURES["collisions"],
    "clipped": FIGURES["clipped"],
    "energy": FIGURES["energy"],
    "saturated_time": FIGURES["saturated_time"],
}
"""Figures of robots, named `robots.GROUP.FIGURE`; besides, `tracking_pNN`, and what the group's task reports."""

SENSING_FIGURES = {
    "missed": Figure("missed detections", "share", "%", 2, _NO_SENSING),
    "false_alarms": Figure("false alarms", "share", "%", 2, _NO_SENSING),
    "horizontal_error": Figure("horizontal error", "length", "m", 2, _NO_SENSING),
    "vertical_error": Figure("vertical error", "length", "m", 2, _NO_SENSING),
    "horizontal_speed_error": Figure("horizontal speed error", "speed", "m/s", 2, _NO_TRACK),
    "vertical_speed_error": Figure("vertical speed error", "speed", "m/s", 2, _NO_TRACK),
    "resolution": Figure("range resolution", "length", "m", 2, _NO_SENSING),
    "latency": Figure("latency of a detection", "time", "ms", 1, _NO_SENSING),
    "refresh": Figure("between two looks", "time", "s", 2, _NO_SENSING),
    "detection_probability": Figure("detected", "share", "%", 2, _NO_SENSING),
    "gospa": Figure("GOSPA of tracks", "length", "m", 2, _NO_TRACK),
    "track_error": Figure("error of tracks", "length", "m", 2, _NO_TRACK),
    "false_tracks": Figure("false tracks an hour", absent=_NO_TRACK),
    "untracked": Figure("targets without a track", absent=_NO_TRACK),
    "time_to_track": Figure("last target's first track", "time", "s", 2, _NO_TRACK),
}
"""Figures of sensing by base stations, named `sensing.FIGURE`; errors at the confidence that a profile states."""

LOG_FIGURES = ("count", "mean", "min", "max", "last")
"""What is made of a value that a controller logs, named `logs.ROBOT.NAME.FIGURE`; besides, `pNN`."""

COUNTS = ("network", "channel", "events", "losses", "modes")
"""Tables of a summary with plain counts, named `network.NAME`."""
HAPPENINGS = ("events", "losses", "modes")
"""Those of them that list only what happened: what isn't there happened 0 times."""


def percentile_of(figure: str) -> tuple[str, float] | None:
    """Return base and share of a name such as `latency_p999`, which is 99.9 %; None if it is no such name."""
    base, mark, digits = figure.rpartition("p")
    if not mark or len(digits) < 2 or not digits.isascii() or not digits.isdigit() or (base and base[-1] != "_"):
        return None
    share = float(f"0.{digits}")
    return (base.removesuffix("_"), share) if share > 0 else None
