"""The entries of a scenario: each one's kind, task, controller, places and times, before anything is simulated."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType
from typing import Any

import numpy as np

from twin.clock import NS, rate_fault
from twin.errors import Findings, ScenarioError, located, nearest
from twin.numerics.draws import key, uniform
from twin.project import plugins
from twin.project.contracts import service_time_of
from twin.project.project import Project
from twin.project.robots import home_of, lineage, load_kind
from twin.protocols import Conversation, Course, RobotSpec, Starts, Task
from twin.registry import SCHEMES
from twin.specs import BodySpec, ExternalSpec, RobotKind, ServiceTimeSpec
from twin.specs.scenario import RobotEntry, Scenario
from twin.state import F64, I64, Node
from twin.tasks.make import make_task, needs_world
from twin.tasks.site import TaskContext
from twin.units import parse_quantity
from twin.world.world import World

_PHASE, _OFFSET = key("control phase"), key("send offset")


@dataclass(slots=True)
class Entry:
    """The robots of one scenario entry; n of them stand at nodes first_node, first_node + 1, ..."""

    name: str
    stated: RobotEntry
    folders: list[Path]  # the robot's own, and those of the robots that it is like
    kind: RobotKind
    task: Task | None
    controller: type[Any] | None
    specs: list[RobotSpec]
    position: F64  # (n, 3) m, at the start
    orientation: F64  # (n, 4) xyzw
    phase: I64  # (n,) ticks
    send_offset: I64  # (n,) ns
    first_node: int
    first_body: int
    sources: list[plugins.Loaded] = field(default_factory=list)
    edge_node: int | None = None  # where the controller runs, if not on board

    def home(self, reference: str) -> Path:
        """Return the folder that `file.py:Class` is seen from."""
        return home_of(self.folders, reference.rpartition(":")[0])

    @property
    def body(self) -> BodySpec | None:
        """What physics moves, if anything."""
        return self.kind.body

    @property
    def on_edge(self) -> bool:
        """Tell whether the controller runs on an edge server."""
        runs_on = self.stated.runs_on or getattr(self.controller, "runs_on", "edge")
        return self.controller is not None and runs_on == "edge"

    @property
    def service_time(self) -> ServiceTimeSpec:
        """Compute time of one run of the controller: the scenario's word, else the controller's own."""
        return self.stated.service_time or service_time_of(self.controller)

    @property
    def link(self) -> Conversation | None:
        """The conversation with the controller, where it runs in another process."""
        return getattr(self.controller, "link", None)

    @property
    def trigger_rate(self) -> int | None:
        """Rate of the controller's timer at the edge [Hz]; None when arrivals trigger it."""
        trigger = self.stated.trigger or getattr(self.controller, "trigger", "arrival")
        return None if trigger == "arrival" else int(parse_quantity(trigger, "frequency"))

    def nodes(self) -> list[Node]:
        """Return these robots as recordings know them."""
        return [
            Node(
                spec.name,
                self.name,
                self.stated.kind,
                -1 if self.body is None else self.first_body + spec.row,
                int(self.phase[spec.row]),
                int(self.send_offset[spec.row]),
                spec.row,
            )
            for spec in self.specs
        ]


def read_entries(
    scenario: Scenario,
    project: Project,
    world: World | None,
    controllers: Mapping[str, plugins.Loaded] = MappingProxyType({}),
) -> list[Entry]:
    """Find and load everything that the scenario's robots name; `controllers` replace theirs, group by group.

    Without a world, which is a mistake of its own, tasks that need one are left out.

    Raises:
        ScenarioError: an entry contradicts itself or its robot's kind.
        PluginError: a controller can't be loaded or doesn't meet its contract.
        SeveralErrors: several entries do.
    """
    entries: list[Entry] = []
    findings = Findings()
    site = None if world is None else TaskContext(world, project.file)
    node = body = 0
    for name, stated in sorted(scenario.robots.items()):  # by name: the order of entries in a file means nothing
        with findings.attempt():
            entries.append(_read(name, stated, scenario, project, site, node, body, controllers.get(name)))
            node += stated.count
            body += stated.count if entries[-1].body is not None else 0
    findings.settle()
    _connect(entries)
    return entries


def _connect(entries: list[Entry]) -> None:
    """Find the edge server of each group that needs one; no two robots may have one name."""
    nodes: dict[str, int] = {}
    for entry in entries:
        for spec in entry.specs:
            if spec.name in nodes:
                raise ScenarioError(f"another robot is called {spec.name!r} as well", key=f"robots.{entry.name}")
            nodes[spec.name] = entry.first_node + spec.row
    servers = [spec.name for entry in entries if entry.kind.server is not None for spec in entry.specs]
    for entry in entries:
        if not entry.on_edge:
            if hasattr(entry.controller, "meet"):
                message = 'found "onboard"; allowed: "edge", where robots of this controller share what they know'
                raise ScenarioError(message, key=f"robots.{entry.name}.runs_on")
            continue
        if entry.stated.edge not in servers:
            raise ScenarioError(
                f"its controller runs on edge server {entry.stated.edge!r}, but the scenario's servers are: "
                f"{', '.join(servers) or 'none'}{nearest(entry.stated.edge, servers)} "
                '(name one, add `[robots.edge]` with `kind = "edge"`, or set runs_on = "onboard")',
                key=f"robots.{entry.name}.edge",
            )
        entry.edge_node = nodes[entry.stated.edge]


def _read(
    name: str,
    stated: RobotEntry,
    scenario: Scenario,
    project: Project,
    site: TaskContext | None,
    node: int,
    body: int,
    given: plugins.Loaded | None,
) -> Entry:
    place = f"robots.{name}"
    with located(key=f"{place}.kind"):
        folder = project.robot(stated.kind)
        folders = lineage(folder)
    kind = load_kind(folder, stated.spec, key=f"{place}.spec")
    findings, task, loaded = Findings(), None, None
    with findings.attempt():
        _check_kind(name, stated, kind, scenario)
    with findings.attempt(), located(key=f"{place}.task"):
        lost = stated.task is not None and site is None and needs_world(stated.task)
        task = None if stated.task is None or lost else make_task(stated.task, stated.count, kind.body, site)
    with findings.attempt(), located(key=f"{place}.controller"):
        loaded = given or _controller(stated, kind, folders, project)
    findings.settle()
    controller, values = None, None
    if loaded is not None:
        controller = loaded.value
        values = stated.parameters
        if not getattr(controller, "judges_parameters", False):  # another process does
            values = plugins.parameters(controller, stated.parameters, key=f"{place}.parameters")
    names = [name] if stated.count == 1 else [f"{name}-{row}" for row in range(stated.count)]
    specs = [RobotSpec(n, name, row, kind, task, values) for row, n in enumerate(names)]
    position, orientation = _start(name, stated, task)
    phase, offset = _timing(stated, kind, scenario, names)
    sources = [] if loaded is None else [loaded]
    return Entry(name, stated, folders, kind, task, controller, specs, position, orientation, phase, offset,
                node, body, sources)  # fmt: skip


def _check_kind(name: str, stated: RobotEntry, kind: RobotKind, scenario: Scenario) -> None:
    """Refuse what the scenario asks of this kind and what the kind can't give."""
    if kind.body is None:
        return
    rate = min(kind.body.rate or scenario.rates.physics, scenario.rates.physics)
    if fault := rate_fault(stated.control or kind.control, rate):
        raise ScenarioError(f"the control rate of a {stated.kind}: {fault}", key=f"robots.{name}.control")
    if (stated.phase or 0) % (stride := max(scenario.rates.physics // rate, 1)):
        message = f"found {stated.phase}; allowed: multiples of {stride}, the ticks of a step of its physics"
        raise ScenarioError(message, key=f"robots.{name}.phase")


def _controller(stated: RobotEntry, kind: RobotKind, folders: list[Path], project: Project) -> plugins.Loaded | None:
    reference = stated.controller or kind.controller
    if reference is None or kind.body is None:
        if stated.controller is not None:
            raise ScenarioError(f"a {stated.kind} has no body to control")
        return None
    if (scheme := plugins.scheme_of(reference)) is not None:
        external = stated.external or ExternalSpec()
        loaded: plugins.Loaded = SCHEMES[scheme](reference, external, Path.cwd(), project.folder)
        return loaded
    home = home_of(folders, f"controllers/{reference}.py")
    return plugins.load_controller(reference, home, Path.cwd(), project.folder)


def _start(name: str, stated: RobotEntry, task: Task | None) -> tuple[F64, F64]:
    yaw = np.zeros(stated.count) + stated.yaw
    if stated.positions:
        position = np.array(stated.positions, dtype=float)
    elif isinstance(task, Course | Starts):
        rows = range(stated.count)
        starts = [task.reference(row, 0.0) if isinstance(task, Course) else task.start(row) for row in rows]
        position = np.array([start.position for start in starts])
        yaw = yaw + np.array([start.yaw for start in starts])
    else:
        position = np.zeros((stated.count, 3))
    if len(position) != stated.count:
        raise ScenarioError(
            f"{stated.count} robots, but {len(position)} positions", key=f"robots.{name}.positions"
        )
    orientation = np.zeros((stated.count, 4))
    orientation[:, 2], orientation[:, 3] = np.sin(yaw / 2), np.cos(yaw / 2)
    return position, orientation


def _timing(stated: RobotEntry, kind: RobotKind, scenario: Scenario, names: list[str]) -> tuple[I64, I64]:
    """Draw each robot's control phase and send offset from its name, unless the scenario states them.

    It decides at the end of a step of its physics.
    """
    physics, control = scenario.rates.physics, stated.control or kind.control
    stride = max(physics // (kind.body.rate or physics), 1) if kind.body is not None else 1
    period, tick = physics // (control * stride), NS // physics
    phase = [int(uniform(scenario.seed, _PHASE, key(n), 0, 0) * period) * stride for n in names]
    offset = [int(uniform(scenario.seed, _OFFSET, key(n), 0, 0) * tick) for n in names]
    if stated.phase is not None:
        phase = [stated.phase] * stated.count
    if stated.send_offset is not None:
        offset = [stated.send_offset] * stated.count
    return np.array(phase, dtype=np.int64), np.array(offset, dtype=np.int64)
