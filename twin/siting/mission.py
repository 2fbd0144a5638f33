"""Where robots are while they do what they are to do, were their links always there."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from twin.assembly.build import build
from twin.assembly.entries import Entry, read_entries
from twin.clock import NS
from twin.errors import ScenarioError
from twin.numerics.kernels import cache_home
from twin.project import plugins
from twin.project.project import Project
from twin.protocols import Course, Failsafe
from twin.specs import FreeSpaceSpec, IdealSpec, RadioSpec
from twin.specs.scenario import Scenario
from twin.specs.service import ExponentialTime, FixedTime, NormalTime, UniformTime
from twin.state import F64, I64
from twin.studies.identity import run_id
from twin.units import duration_text
from twin.world.geometry import atomic
from twin.world.world import World


@dataclass(frozen=True, slots=True)
class Mission:
    """N robots at T instants, a step apart."""

    names: tuple[str, ...]
    radios: tuple[tuple[RadioSpec, ...], ...]  # (N,) terminals of each
    load: F64  # (N, 2) bit/s of telemetry up and of commands down
    work: F64  # (N,) edge servers that its controller keeps at work
    edge: tuple[str, ...]  # (N,) where it runs
    timeout: I64  # (N,) ns without a command after which it is lost
    step: int  # ns
    position: F64  # (T, N, 3) m, world axes
    orientation: F64  # (T, N, 4) quaternion xyzw
    course: bool = True  # the same whatever the seed

    @property
    def window(self) -> I64:
        """The steps (N,) that a robot lasts without a link."""
        return self.timeout // self.step

    def digest(self) -> str:
        """Return a digest of all that links follow from."""
        digest = hashlib.sha256(repr([[r.model_dump_json() for r in own] for own in self.radios]).encode())
        for array in (self.position, self.orientation):
            digest.update(np.ascontiguousarray(array).tobytes())
        return digest.hexdigest()


def read_mission(
    scenario: Scenario, project: Project, world: World, carriers: Sequence[float], step: int,
    progress: Callable[[int, int], None] = lambda done, total: None,
) -> Mission:  # fmt: skip
    """Return where the robots are that an edge server controls over one of `carriers` [Hz], every `step` ns.

    Those of tasks that are courses are where these say; for all others the scenario is run over an ideal network.

    Raises:
        ScenarioError: nobody is controlled over a carrier, or a step is longer than a robot lasts without a link.
    """
    entries = [entry for entry in read_entries(scenario, project, world) if _terminals(entry, carriers)]
    for carrier in carriers:
        if not any(radio.carrier == carrier for entry in entries for radio in _terminals(entry, carriers)):
            message = f"no robot is controlled from an edge server over {carrier / 1e9:g} GHz"
            raise ScenarioError(message, key="carriers")
    timeouts = np.concatenate([np.full(len(e.specs), _timeout(e, project), dtype=np.int64) for e in entries])
    names = [spec.name for entry in entries for spec in entry.specs]
    if step > (least := int(timeouts.min())):
        who = names[int(timeouts.argmin())]
        message = f"found {duration_text(step)}; allowed: at most {duration_text(least)}, as long as {who} lasts"
        raise ScenarioError(f"{message} without a command", key="step")
    count = scenario.duration // step + 1
    times = step * np.arange(count)
    course = all(isinstance(entry.task, Course) for entry in entries)
    if course:
        position, orientation = _courses(entries, times)
    else:
        position, orientation = _flown(scenario, project, entries, times, progress)
    every = [entry for entry in entries for _ in entry.specs]
    return Mission(
        tuple(names), tuple(tuple(_terminals(entry, carriers)) for entry in every),
        np.array([_load(entry) for entry in every]), np.array([_work(entry) for entry in every]),
        tuple(entry.stated.edge for entry in every), timeouts, step, position, orientation, course,
    )  # fmt: skip


def _terminals(entry: Entry, carriers: Sequence[float]) -> list[RadioSpec]:
    """Return the terminals of a robot over which it is controlled, one a carrier."""
    if entry.body is None or not entry.on_edge:
        return []
    own = [radio for radio in entry.kind.radios if radio.role == "terminal" and radio.carrier in carriers]
    return list({radio.carrier: radio for radio in reversed(own)}.values())


def _load(entry: Entry) -> tuple[float, float]:
    control = entry.stated.control or entry.kind.control
    return 8.0 * entry.kind.telemetry * control, 8.0 * entry.kind.command * control


def _work(entry: Entry) -> float:
    """Return how many servers the controller of a robot keeps at work; 0 where nobody says how long it takes."""
    rate = entry.trigger_rate or entry.stated.control or entry.kind.control
    match entry.service_time:
        case FixedTime(time=mean) | NormalTime(mean=mean):
            return rate * mean / NS
        case UniformTime(least=least, most=most):
            return rate * (least + most) / 2 / NS
        case ExponentialTime(mean=mean, least=least):
            return rate * (mean + least) / NS
    return 0.0


def _timeout(entry: Entry, project: Project) -> int:
    """Return for how long [ns] a robot goes on without a command: by its failsafe, else by how it holds one."""
    if entry.kind.failsafe is None:
        return entry.kind.hold.after
    loaded = plugins.load_class(entry.kind.failsafe, Failsafe, entry.home(entry.kind.failsafe))
    parameters = getattr(loaded.value, "Parameters", None)
    if parameters is None or "command_timeout" not in parameters.model_fields:
        return entry.kind.hold.after
    return int(parameters.model_validate(entry.kind.failsafe_parameters).command_timeout)


def _courses(entries: Sequence[Entry], times: I64) -> tuple[F64, F64]:
    positions, yaws = [], []
    for entry in entries:
        assert isinstance(entry.task, Course)
        there = [[entry.task.reference(spec.row, t / NS) for spec in entry.specs] for t in times.tolist()]
        positions.append(np.array([[one.position for one in row] for row in there]))
        yaws.append(np.array([[one.yaw for one in row] for row in there]))
    yaw = np.concatenate(yaws, axis=1)
    orientation = np.zeros((*yaw.shape, 4))
    orientation[..., 2], orientation[..., 3] = np.sin(yaw / 2), np.cos(yaw / 2)
    return np.concatenate(positions, axis=1), orientation


def _flown(
    scenario: Scenario, project: Project, entries: Sequence[Entry], times: I64, progress: Callable[[int, int], None]
) -> tuple[F64, F64]:
    """Return poses from a run over an ideal network in free space, which is kept and not repeated."""
    ideal = scenario.model_copy(update={
        "network": IdealSpec(), "channel": FreeSpaceSpec(), "sensing": None, "requirements": (),
    })  # fmt: skip
    bodies = np.concatenate([entry.first_body + np.arange(len(entry.specs)) for entry in entries])
    name = hashlib.sha256(f"{run_id(ideal, project)} {times.tobytes()!r} {bodies.tolist()}".encode()).hexdigest()[:20]
    file = cache_home() / "siting" / "missions" / f"{name}.npz"
    if not file.is_file():
        position, orientation = np.empty((len(times), len(bodies), 3)), np.empty((len(times), len(bodies), 4))
        done = 0
        for frame in build(ideal, project).frames():
            while done < len(times) and times[done] <= frame.time:
                position[done], orientation[done] = frame.bodies.position[bodies], frame.bodies.orientation[bodies]
                done += 1
                progress(done, len(times))
        with atomic(file, "wb") as opened:
            np.savez(opened, position=position, orientation=orientation)
    with np.load(file) as kept:
        return kept["position"], kept["orientation"]
