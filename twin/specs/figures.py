"""The figures of a run that requirements can name: what each means and how people read it."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass

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

    def shown(self, value: float | None) -> str:
        """Return a value [SI] as people read it."""
        if value is None:
            return "-"
        scale = 1.0 if self.dimension is None else float(UNITS[self.dimension][self.unit])
        return f"{value / scale:.{self.digits}f} {self.unit}".rstrip()


_NO_COMMAND = "no command arrived"
_NO_TASK = "no robot has a task"
_NO_FLEET = "no robot drives rounds"

FIGURES = {
    "duration": Figure("simulated", "time", "s", 1),
    "packets_sent": Figure("packets sent"),
    "packets_delivered": Figure("  delivered"),
    "packets_late": Figure("  late"),
    "packets_lost": Figure("  lost"),
    "packets_queued": Figure("  under way at the end"),
    "rtt_p50": Figure("round trip p50", "time", "ms", 1, _NO_COMMAND),
    "rtt_p99": Figure("round trip p99", "time", "ms", 1, _NO_COMMAND),
    "rtt_p999": Figure("round trip p99.9", "time", "ms", 1, _NO_COMMAND),
    "tracking_rms": Figure("tracking error rms", "length", "m", 2, _NO_TASK),
    "tracking_max": Figure("tracking error max", "length", "m", 2, _NO_TASK),
    "formation_error_rms": Figure("formation error rms", "length", "m", 2, "no robot follows another", max),
    "formation_error_max": Figure("formation error max", "length", "m", 2, "no robot follows another", max),
    "failsafes": Figure("failsafes"),
    "failsafe_time": Figure("time on failsafe, all robots", "time", "s", 1),
    "collisions": Figure("collisions"),
    "separation_min": Figure("least separation", "length", "m", 2, "no two robots follow a course or rounds", min),
    "clipped": Figure("commands clipped"),
    "saturated_time": Figure("rotors or drives saturated", "time", "s", 1),
    "settling_time": Figure("settling time", "time", "s", 2, "no robot settled on a point away from its start", max),
    "overshoot": Figure("overshoot", "share", "%", 1, "no robot had a step to make", max),
    "tool_error_rms": Figure("tool error rms", "length", "mm", 1, "no tool is led", max),
    "tool_error_max": Figure("tool error max", "length", "mm", 1, "no tool is led", max),
    "felt_force_max": Figure("force felt, max", "force", "N", 1, "no force is felt", max),
    "landings": Figure("landed, and stayed"),
    "touchdown_speed": Figure("hardest touchdown", "speed", "m/s", 2, "nobody touched down", max),
    "landing_error": Figure("furthest from the pad", "length", "m", 2, "nobody landed", max),
    "landing_time": Figure("last touchdown", "time", "s", 1, "nobody landed", max),
    "handed_over": Figure("parts handed over"),
    "dropped": Figure("parts dropped"),
    "handover_time": Figure("time in both hands", "time", "s", 2, "nothing was handed over", max),
    "waypoints_reached": Figure("waypoints reached", absent="no robot flies a plan"),
    "waypoints_missed": Figure("  due, and not reached", absent="no robot flies a plan"),
    "items_unused": Figure("  items of plans not used", absent="no robot flies a plan"),
    "parts_placed": Figure("parts placed"),
    "missed_picks": Figure("missed picks"),
    "cycle_time": Figure("time from part to part", "time", "s", 2, "fewer than two parts were placed", max),
    "completion_time": Figure("time to complete", "time", "s", 1, "not all was done", max),
    "missions": Figure("missions done", absent=_NO_FLEET),
    "mission_time": Figure("time for a mission", "time", "s", 1, "no mission was done", max),
    "waiting_time": Figure("waiting, all robots", "time", "s", 1, _NO_FLEET),
    "safety_stops": Figure("safety stops", absent=_NO_FLEET),
    "lane_error_rms": Figure("off the lane, rms", "length", "cm", 1, _NO_FLEET, max),
    "lane_error_max": Figure("off the lane, max", "length", "cm", 1, _NO_FLEET, max),
    "energy": Figure("energy", "energy", "Wh", 1, "no robot tells its energy"),
}
