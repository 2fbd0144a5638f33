"""From the items of a plan to the way of a robot, in the axes of a world."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from math import hypot, nan, pi, radians

import numpy as np

from twin.errors import ScenarioError
from twin.specs import MissionSpec
from twin.state import F64
from twin.tasks.itinerary import Itinerary
from twin.tasks.plan_file import Item, Plan
from twin.world.georeference import GeoReference
from twin.world.world import World

WAYPOINT, LOITER_UNLIM, LOITER_TURNS, LOITER_TIME = 16, 17, 18, 19
RETURN_TO_LAUNCH, LAND, TAKEOFF, DELAY, CHANGE_SPEED = 20, 21, 22, 93, 178
PLACED = (WAYPOINT, LOITER_UNLIM, LOITER_TURNS, LOITER_TIME, LAND, TAKEOFF)
HERE = ((0, 0), (None, None))
"""Latitudes and longitudes that stand for where the robot is, as makers of autopilots write it."""
HOME = "mission.plannedHomePosition"
_ABOVE_SEA, _ABOVE_HOME = (0, 5), (3, 6)
"""MAV_FRAMEs."""
_FURTHEST = 50_000.0
"""m from home"""
_LONGEST = 86_400.0
"""s at one place"""
_PRESS = 0.3
"""m below the ground to which a landing robot is led before its rotors stop"""
_STAND = 1.0
"""s, at least, on the ground after a landing"""


@dataclass(frozen=True, slots=True)
class Target:
    """A place that a plan leads to."""

    place: F64  # (3,) m
    reach: float  # m
    earliest: float  # s, when the place before was due
    due: float  # s


class Chart:
    """Where places of a plan lie in a world, moved aside for the robots of one turn."""

    def __init__(self, plan: Plan, spec: MissionSpec, world: World, turn: int) -> None:
        self._plan, self._world, self._gear = plan, world, spec.gear
        self._aside = turn * np.array(spec.offset)
        latitude, longitude, self._sea = plan.home
        if spec.home is not None:
            self._reference, self._moved = GeoReference(longitude, latitude), np.array(spec.home)
            self._height = 0.0
        elif world.georeference is not None:
            self._reference, self._moved = world.georeference, np.zeros(3)
            flat = self._reference.to_local(np.array([[longitude, latitude, world.georeference.height]]))[0]
            ground = flat + [0.0, 0.0, self.ground(flat, HOME) - flat[2]]
            self._height = float(self._reference.to_geodetic(ground[None])[0, 2])
        else:
            message = f"world {world.name!r} has no origin on the earth; state where the plans' home lies in it: `home`"
            raise ScenarioError(message, key="home")
        self._home = self._local(longitude, latitude, 0.0)
        self.home = self.standing(self._home + self._aside, HOME)

    def place(self, item: Item, where: str, here: F64) -> F64:
        """Return the place (3,) m of an item.

        Latitude and longitude of 0, 0 or null stand for `here` (3,) m in takeoffs and loiters, and so does a height of
        0 or null with them, but for a takeoff, which needs one (ArduPilot's mission commands).

        Raises:
            ScenarioError: it has none, or its frame isn't supported, or it is too far away.
        """
        latitude, longitude, altitude = item.params[4:]
        found = f"found {latitude}, {longitude}, {altitude}"
        is_here = item.command != WAYPOINT and (latitude, longitude) in HERE
        if is_here:
            if not altitude and item.command != TAKEOFF:
                return here
            latitude, longitude, _ = self._plan.home
        if latitude is None or longitude is None or altitude is None or abs(latitude) > 90 or abs(longitude) > 180:
            raise self._wrong(where, f"{found}; allowed: latitude, longitude [degrees], altitude [m]", "params[4:]")
        if item.frame not in (*_ABOVE_SEA, *_ABOVE_HOME):
            message = f"found {item.frame}; allowed: {_ABOVE_HOME} above home, {_ABOVE_SEA} above the sea"
            raise self._wrong(where, message, "frame")
        if item.frame in _ABOVE_SEA:
            if self._sea is None:
                message = "found a height above the sea, but the plan has none for its home"
                raise self._wrong(where, message, "frame")
            altitude -= self._sea
        place = self._local(longitude, latitude, altitude)
        far = float(np.linalg.norm(place - self._home))
        if far > _FURTHEST:
            message = f"{far / 1000:.0f} km from home; allowed: {_FURTHEST / 1000:.0f} km"
            raise self._wrong(where, message, "params[4:]")
        aside: F64 = place + self._aside
        return np.array([here[0], here[1], aside[2]]) if is_here else aside

    def standing(self, place: F64, where: str) -> F64:
        """Return where a robot stands below or above a place."""
        return np.array([place[0], place[1], self.ground(place, where) + self._gear])

    def ground(self, place: F64, where: str) -> float:
        """Return the height [m] of what lies below everything that is over a place."""
        height = float(self._world.height_below(np.array([[place[0], place[1], 1e4]]))[0])
        if height != height:
            message = f"world {self._world.name!r} has no ground at ({place[0]:.0f}, {place[1]:.0f}) m"
            message += "; `home` of the task puts it elsewhere" if where == HOME else ""
            raise self._wrong(where, message)
        return height

    def _local(self, longitude: float, latitude: float, altitude: float) -> F64:
        geodetic = np.array([[longitude, latitude, self._height + altitude]])
        place: F64 = self._reference.to_local(geodetic)[0] + self._moved
        return place

    def _wrong(self, where: str, message: str, key: str = "") -> ScenarioError:
        return ScenarioError(message, file=self._plan.file, key=".".join(filter(None, (where, key))))


class Flight:
    """Turns the items of a plan into an itinerary and its targets."""

    def __init__(self, spec: MissionSpec, plan: Plan, chart: Chart) -> None:
        self.spec, self.plan, self.chart = spec, plan, chart
        self.itinerary = Itinerary(chart.home, spec.acceleration)
        self.targets: list[Target] = []
        self.unused: Counter[str] = Counter()
        self._speed = spec.speed or plan.speed
        self._stands, self._ended = True, False

    def fly(self) -> None:
        """Take all items in their order."""
        for where, item in self.plan.items:
            if self._ended:
                self.unused["item after a loiter without end"] += 1
            elif item.command in PLACED:
                self._go(item, where)
            elif item.command == RETURN_TO_LAUNCH:
                self._land(self.chart.home, where, None)
            elif item.command == DELAY and (item.params[0] or 0.0) >= 0.0:
                self.itinerary.stay(self._within(item, 0, where, _LONGEST), parked=self._stands)
            elif item.command == CHANGE_SPEED and item.params[0] in (0, 1):
                self._change_speed(item, where)
            else:
                self.unused[f"command {item.command}"] += 1
        self.itinerary.stay(0.0, parked=self._stands)

    def _go(self, item: Item, where: str) -> None:
        yaw = None if item.params[3] is None or item.command == LOITER_TURNS else pi / 2 - radians(item.params[3])
        if item.command == LAND and item.params[4:6] in HERE:
            self._land(self.itinerary.place, where, yaw)
            return
        place = self.chart.place(item, where, self.itinerary.place)
        if item.command == LAND:
            self._land(place, where, yaw)
            return
        self._climb(place[2])
        if item.command == LOITER_TURNS:
            self._circle(item, where, place)
            return
        reach = (item.params[1] if item.command == WAYPOINT else None) or self.spec.reach
        self._reach(place, yaw, reach)
        if item.command in (WAYPOINT, LOITER_TIME) and item.params[0]:
            self.itinerary.stay(self._within(item, 0, where, _LONGEST))
        self._ended = item.command == LOITER_UNLIM

    def _climb(self, height: float) -> None:
        """Rise straight up from the ground."""
        if self._stands:
            here = self.itinerary.place
            self.itinerary.go(np.array([here[0], here[1], height]), self.spec.climb)
            self._stands = False

    def _reach(self, place: F64, yaw: float | None, reach: float) -> None:
        before = self.itinerary.time
        self.itinerary.go(place, self._speed, yaw)
        self.targets.append(Target(place, reach, before, self.itinerary.time))

    def _circle(self, item: Item, where: str, middle: F64) -> None:
        """Go to the nearest point of the circle, and round from there."""
        turns, radius = self._within(item, 0, where, 1000.0), item.params[2] or 0.0
        if not 0.1 <= abs(radius) <= 10_000.0:
            message = f"found a radius of {radius:g} m; allowed: 0.1 to 10000, or minus that"
            raise self._wrong(where, "params[2]", message)
        out = self.itinerary.place[:2] - middle[:2]
        size = hypot(*out)
        ahead = out / size if size > 1e-6 else np.array([1.0, 0.0])
        self._reach(middle + np.append(ahead * abs(radius), 0.0), None, self.spec.reach)
        if turns > 0.0:
            speed = min(self._speed, (self.spec.acceleration * abs(radius)) ** 0.5)
            self.itinerary.circle(middle, turns, speed, clockwise=radius > 0)

    def _land(self, place: F64, where: str, yaw: float | None) -> None:
        if self._stands:
            return
        ground = self.chart.standing(place, where)
        above = np.array([ground[0], ground[1], self.itinerary.place[2]])
        self._reach(above, yaw, self.spec.reach)
        before = self.itinerary.time
        slow = min(above[2], ground[2] + self.spec.flare)
        self.itinerary.go(np.array([ground[0], ground[1], slow]), self.spec.climb)
        self.itinerary.go(ground - np.array([0.0, 0.0, _PRESS]), self.spec.descent)
        self.targets.append(Target(ground, self.spec.reach, before, self.itinerary.time))
        self.itinerary.place = ground
        self.itinerary.stay(_STAND, parked=True)
        self._stands = True

    def _change_speed(self, item: Item, where: str) -> None:
        speed = item.params[1]
        if speed == -2:
            self._speed = self.spec.speed or self.plan.speed
        elif speed is not None and speed != -1:
            if not 0.0 < speed <= 200.0:
                message = f"found {speed:g} m/s; allowed: more than 0, at most 200, or -1, -2"
                raise self._wrong(where, "params[1]", message)
            self._speed = speed

    def _within(self, item: Item, index: int, where: str, most: float) -> float:
        value = item.params[index]
        value = nan if value is None else value
        if not 0.0 <= value <= most:
            raise self._wrong(where, f"params[{index}]", f"found {value:g}; allowed: 0 to {most:g}")
        return value

    def _wrong(self, where: str, key: str, message: str) -> ScenarioError:
        return ScenarioError(message, file=self.plan.file, key=f"{where}.{key}")
