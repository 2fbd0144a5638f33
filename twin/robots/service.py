"""How long controllers compute at an edge: stated, drawn, measured, or as an earlier run measured it."""

from __future__ import annotations

from collections.abc import Sequence
from math import log

from twin.errors import RunError, ScenarioError
from twin.numerics.draws import key, normal, uniform
from twin.project.project import Project
from twin.protocols import ServiceTime
from twin.recording.reader import Recording
from twin.specs import ExponentialTime, FixedTime, MeasuredTime, NormalTime, RecordedTime, ServiceTimeSpec, UniformTime
from twin.state import MEASURED

_STREAM = key("service time")


def make_service_time(spec: ServiceTimeSpec, seed: int, robot: str, project: Project) -> ServiceTime:
    """Return the service times of the controller of `robot`.

    Raises:
        ScenarioError: they should come from a recording that has none for this robot.
        RecordingError: the recording can't be read.
    """
    match spec:
        case MeasuredTime():
            return Measured()
        case RecordedTime():
            return Recorded(measured_times(spec, robot, project), robot)
        case _:
            return Drawn(spec, seed, robot)


class Drawn:
    """Times drawn by robot and number of the run: nobody else's draws matter."""

    measured = False

    def __init__(self, spec: FixedTime | UniformTime | NormalTime | ExponentialTime, seed: int, robot: str) -> None:
        self.spec, self.seed, self.robot = spec, seed, key(robot)
        self.least = spec.time if isinstance(spec, FixedTime) else spec.least

    def draw(self, run: int) -> int:
        """Return the time [ns] of run number `run`."""
        match self.spec:
            case FixedTime(time=time):
                return time
            case UniformTime(least=least, most=most):
                return least + int(self._uniform(run) * (most - least))
            case NormalTime(mean=mean, deviation=deviation, least=least):
                return max(least, round(mean + deviation * normal(self.seed, _STREAM, self.robot, run, 0)))
            case ExponentialTime(mean=mean, least=least):
                return least + round(-log(self._uniform(run)) * mean)

    def reseed(self, seed: int) -> None:
        """Draw by `seed` from now on."""
        self.seed = seed

    def _uniform(self, run: int) -> float:
        return float(uniform(self.seed, _STREAM, self.robot, run, 0))


class Measured:
    """Whatever it takes on this machine: nothing is known before."""

    least = 0
    measured = True

    def draw(self, run: int) -> None:
        """Leave it to the wall clock."""


class Recorded:
    """Times [ns] that were measured before, one after another."""

    measured = True

    def __init__(self, times: Sequence[int], robot: str) -> None:
        self.times, self.robot = times, robot
        self.least = min(times)

    def draw(self, run: int) -> int:
        """Return the time [ns] of run number `run`.

        Raises:
            RunError: the recorded run had fewer.
        """
        if run >= len(self.times):
            raise RunError(f"{self.robot}: only {len(self.times)} service times were recorded")
        return self.times[run]


def measured_times(spec: RecordedTime, robot: str, project: Project) -> list[int]:
    """Return the service times [ns] that a recording holds for `robot`, in order.

    Raises:
        ScenarioError: there are none.
        RecordingError: the recording can't be read.
    """
    with Recording(project.file(spec.recording)) as recording:
        nodes = {node.name: index for index, node in enumerate(recording.robots)}
        logs = recording.logs()
        mine = (logs["name"] == MEASURED) & (logs["node"] == nodes.get(robot, -1))
        times = [int(value) for value in logs["value"][mine]]
    if not times:
        raise ScenarioError(f"{spec.recording} holds no measured service times of {robot}")
    return times
