"""A twin that is ready to run, and what recorder and metrics must know of it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass

from twin.assembly.entries import Entry
from twin.clock import NS
from twin.link import Radio
from twin.media import Powered, Saturates
from twin.physics.bullet.physics import BulletPhysics
from twin.project.profiles import expanded
from twin.project.project import Project
from twin.protocols import Task
from twin.specs.requirement import Requirement
from twin.specs.scenario import Scenario
from twin.state import Frame, Node
from twin.twin import Twin
from twin.units import parse_quantity
from twin.world.sea import Seaway
from twin.world.world import World


@dataclass(slots=True)
class Built:
    """What `build` makes of a scenario."""

    twin: Twin
    world: World
    entries: list[Entry]
    nodes: list[Node]
    radios: list[Radio]
    physics: BulletPhysics
    sea: Seaway | None
    project: Project
    scenario: Scenario

    def frames(self, until: str | float | None = None) -> Iterator[Frame]:
        """Yield frame 0 and the frame after every tick up to `until` ("2 s", or seconds), else to the scenario's end.

        Physics is released after the last one, or when the loop over them is left.
        """
        end = self.scenario.duration if until is None else round(parse_quantity(until, "time") * NS)
        with closing(self):
            yield from self.twin.frames(end)

    @property
    def requirements(self) -> tuple[Requirement, ...]:
        """What is asked of the run, those of profiles included."""
        return expanded(self.scenario.requirements, self.project)

    def close(self) -> None:
        """Release the physics, and end what runs beside this process: controllers of their own."""
        self.physics.close()
        for entry in self.entries:
            if entry.link is not None:
                entry.link.close()

    @property
    def battery_energy(self) -> dict[str, float]:
        """What each robot with a battery has taken out of it so far, in J."""
        groups = [(group.names, group.dynamics) for group in self.physics.groups]
        return {
            name: float(used)
            for names, dynamics in groups
            if isinstance(dynamics, Powered)
            for name, used in zip(names, dynamics.used, strict=True)
        }

    @property
    def saturated(self) -> dict[str, float]:
        """For how long [s] rotors or drives of each robot could not give what was asked of them; only who was."""
        return {
            name: float(ticks) / self.physics.rates[group.name]
            for group in self.physics.groups
            if isinstance(group.dynamics, Saturates)
            for name, ticks in zip(group.names, group.dynamics.saturated, strict=True)
            if ticks
        }

    @property
    def notes(self) -> list[str]:
        """What of the files that tasks name isn't used, in words."""
        return [note for entry in self.entries for note in getattr(entry.task, "notes", ())]

    @property
    def tasks(self) -> dict[str, Task]:
        """The task of each group that has one."""
        return {entry.name: entry.task for entry in self.entries if entry.task is not None}
