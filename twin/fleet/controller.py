"""A fleet manager at the edge: goals in rounds, right of way, charging, and each robot driven along its lanes."""

from __future__ import annotations

from collections.abc import Sequence
from math import atan2
from typing import Protocol, runtime_checkable

import numpy as np
from pydantic import Field

from twin.clock import NS
from twin.errors import ScenarioError
from twin.fleet.lanes import Lanes
from twin.fleet.steering import SteeringSpec, distance, steer, turned
from twin.fleet.traffic import Traffic
from twin.protocols import Controller, RobotSpec, Task
from twin.state import NEVER, Action, Observation, Sample
from twin.units import Metres, Seconds

_STRAIGHT = 0.2
"""rad between two lanes that are driven through without a stop"""
Pose = tuple[float, float, float]


@runtime_checkable
class Tours(Task, Protocol):
    """A task that sends its robots from place to place along lanes."""

    lanes: Lanes
    chargers: Sequence[int]  # nodes of the lanes
    dwell: int  # ns, at each goal
    clearance: float  # m, between the middles of two robots

    def goal(self, row: int, mission: int) -> int:
        """Return the node that a robot goes to in its mission 1, 2, ...; of mission 0, where it starts."""


class Fleet:
    """Drives one robot along the lanes that the fleet's traffic grants it; all robots of an entry share the traffic.

    A robot is granted node after node, as far as it needs to stop; one that may go on and stands for `patience` is
    driven round. Below `low` of its charge a robot goes to a free charger before its next goal, and stays until `full`.
    """

    traffic: Traffic  # of all robots of the entry

    class Parameters(SteeringSpec):
        """How to drive, and when to charge."""

        reach: Metres = Field(default=0.12, gt=0)  # before a node that count as being there
        ahead: Seconds = Field(default=0.5, ge=0)  # of way that is asked for beyond what stopping takes
        patience: Seconds = Field(default=10.0, gt=0)  # before a robot that may go on, and stands, is driven round
        low: float = Field(default=0.2, ge=0, le=1)
        full: float = Field(default=0.9, gt=0, le=1)

    def reset(self, spec: RobotSpec, rng: np.random.Generator) -> None:
        """Learn which robot this is.

        Raises:
            ScenarioError: its task isn't rounds, or its command isn't a velocity.
        """
        assert spec.kind.body is not None
        units = [field.unit for field in spec.kind.body.command]
        if units not in (["m/s", "rad/s"], ["m/s", "m/s", "rad/s"]):
            raise ScenarioError(f"{spec.name}: a fleet drives by m/s and rad/s, but its command is {', '.join(units)}")
        if not isinstance(spec.task, Tours):
            raise ScenarioError(f'{spec.name}: a fleet needs a task of kind "rounds"')
        self.task, self.row, self.width = spec.task, spec.row, len(units)
        self.parameters = spec.parameters or self.Parameters()
        self.mission = 0  # goals that it went to
        self.arrived = 0  # ns, where its trip ended; NEVER on the way
        self.charging = False
        self.logged = NEVER

    @staticmethod
    def meet(controllers: Sequence[Controller]) -> None:
        """Share one traffic among all robots of an entry."""
        fleet = [controller for controller in controllers if isinstance(controller, Fleet)]
        task = fleet[0].task
        traffic = Traffic(task.lanes, [task.goal(c.row, 0) for c in fleet])
        for controller in fleet:
            controller.traffic = traffic

    def act(self, observation: Observation) -> Action:
        """Move on as far as the way is granted."""
        sensed = observation.sensed
        if sensed is None:
            return Action()
        pose, speed = _motion(sensed)
        trip = self.traffic.trips[self.row]
        if not trip.granted:
            trip.moved = observation.time
        while trip.granted and self._is_past(pose):
            self.traffic.pass_node(self.row)
            trip.moved = observation.time
        self.traffic.leave_behind(self.row, pose[0], pose[1], self.task.clearance)
        if not trip.route:
            self._choose(observation.time, sensed)
        p = self.parameters
        needed = speed * speed / (2 * p.braking) + speed * p.ahead + 2 * p.reach
        while trip.granted < len(trip.route) and self._granted_way(pose) < needed:
            if not self.traffic.grant(self.row):
                self.traffic.lead_round(self.row, observation.time - round(p.patience * NS))
                break
        forward, turning = self._drive(pose)
        command = np.zeros(self.width)
        command[0], command[-1] = forward, turning
        return Action(command, log=self._log(observation.time, sensed))

    def _choose(self, now: int, sensed: Sample) -> None:
        """Stay for a while where a trip ended, then go on: to the next goal, or to be charged."""
        if self.arrived == NEVER:
            self.arrived = now
        charge = float(sensed["state_of_charge"][0]) if "state_of_charge" in sensed.values else 1.0
        if self.charging:
            if charge < self.parameters.full:
                return
            self.charging = False
        elif now - self.arrived < self.task.dwell:
            return
        elif charge < self.parameters.low and (charger := self._charger()) is not None:
            self.charging, self.arrived = True, NEVER
            self.traffic.send(self.row, charger)
            return
        self.mission += 1
        self.arrived = NEVER
        self.traffic.send(self.row, self.task.goal(self.row, self.mission))

    def _charger(self) -> int | None:
        """Return the nearest charger that nobody stands at or is sent to."""
        trips = self.traffic.trips
        taken = {node for i, t in enumerate(trips) if i != self.row for node in (*t.held, *t.route[-1:])}
        free = [node for node in self.task.chargers if node not in taken]
        return min(free, key=lambda node: len(self.task.lanes.route(trips[self.row].at, node)), default=None)

    def _drive(self, pose: Pose) -> tuple[float, float]:
        trip = self.traffic.trips[self.row]
        if not trip.granted:
            return 0.0, 0.0
        way = [self._place(node) for node in (trip.at, *trip.route[: trip.granted])]
        further = 0.0
        for a, b, c in zip(way[:-2], way[1:-1], way[2:], strict=True):
            if abs(turned(atan2(c[1] - b[1], c[0] - b[0]) - atan2(b[1] - a[1], b[0] - a[0]))) > _STRAIGHT:
                break
            further += distance(b, c)
        return steer(self.parameters, pose, way[0], way[1], further)

    def _is_past(self, pose: Pose) -> bool:
        """Tell whether the robot has come to its next node, by its way along the lane."""
        trip = self.traffic.trips[self.row]
        (ax, ay), (bx, by) = self._place(trip.at), self._place(trip.route[0])
        left = ((bx - pose[0]) * (bx - ax) + (by - pose[1]) * (by - ay)) / distance((ax, ay), (bx, by))
        return left < self.parameters.reach

    def _granted_way(self, pose: Pose) -> float:
        """Return how far [m] the robot may go."""
        trip = self.traffic.trips[self.row]
        way = [pose[:2], *(self._place(node) for node in trip.route[: trip.granted])]
        return sum(distance(a, b) for a, b in zip(way[:-1], way[1:], strict=True))

    def _place(self, node: int) -> tuple[float, float]:
        return self.task.lanes.places[node]

    def _log(self, now: int, sensed: Sample) -> dict[str, float]:
        """Return what the fleet manager writes down once a second."""
        if self.logged != NEVER and now // NS == self.logged // NS:
            return {}
        self.logged = now
        log = {"missions": float(max(self.mission - 1, 0))}
        if detours := self.traffic.trips[self.row].detours:
            log["detours"] = float(detours)
        for name in ("state_of_charge", "energy_used"):
            if name in sensed.values:
                log[name] = float(sensed[name][0])
        return log


def _motion(sensed: Sample) -> tuple[Pose, float]:
    """Return x, y, heading, and speed [m/s], of a robot that stands upright."""
    x, y, z, w = sensed["orientation"].tolist()
    heading = atan2(2.0 * (w * z + x * y), 1.0 - 2.0 * (y * y + z * z))
    place, velocity = sensed["position"].tolist(), sensed["velocity"].tolist()
    return (place[0], place[1], heading), distance((0.0, 0.0), (velocity[0], velocity[1]))
