"""Right of way: nobody enters a place or lane that another robot holds, and no ring of waiting robots closes."""

from __future__ import annotations

from dataclasses import dataclass, field
from math import dist

from twin.fleet.lanes import Lanes


@dataclass
class Trip:
    """Where one robot is, and where it goes."""

    at: int  # node that it reached last
    route: list[int] = field(default_factory=list)  # nodes ahead, to the end of its way
    granted: int = 0  # of them, how many it may go to
    behind: list[int] = field(default_factory=list)  # nodes that it left, and still holds
    moved: int = 0  # ns, when it last came to a node, or had none that it was let go to
    detours: int = 0  # ways round robots that stand

    @property
    def held(self) -> list[int]:
        """The nodes that nobody else may enter."""
        return [*self.behind, self.at, *self.route[: self.granted]]

    @property
    def lanes(self) -> list[tuple[int, int]]:
        """The lanes that it is on or may go on."""
        held = self.held
        return list(zip(held[:-1], held[1:], strict=True))


class Traffic:
    """Gives way to the robots of one fleet; what it is told of a robot is as old as the network makes it."""

    def __init__(self, lanes: Lanes, starts: list[int]) -> None:
        self.lanes = lanes
        self.trips = [Trip(start) for start in starts]

    def send(self, row: int, goal: int) -> None:
        """Send a robot that has arrived on to another node."""
        trip = self.trips[row]
        trip.route, trip.granted = self.lanes.route(trip.at, goal), 0

    def pass_node(self, row: int) -> None:
        """Take note that a robot has reached its next node."""
        trip = self.trips[row]
        trip.behind.append(trip.at)
        trip.at = trip.route.pop(0)
        trip.granted -= 1

    def leave_behind(self, row: int, x: float, y: float, clearance: float) -> None:
        """Free the nodes that a robot at (x, y) is well away from, in the order in which it passed them."""
        behind = self.trips[row].behind
        while behind and dist(self.lanes.places[behind[0]], (x, y)) > clearance:
            behind.pop(0)

    def grant(self, row: int) -> bool:
        """Let a robot go one node further than it may now, if nobody is in the way; tell whether it may."""
        trip = self.trips[row]
        if trip.granted == len(trip.route):
            return False
        end = trip.route[trip.granted - 1] if trip.granted else trip.at
        node = trip.route[trip.granted]
        if not self._is_free(row, end, node) or self._closes_a_ring(row, node):
            return False
        trip.granted += 1
        return True

    def lead_round(self, row: int, stuck_since: int) -> bool:
        """Lead a robot round those in its way that may go on but have not since `stuck_since` [ns], if there is a way.

        Such a robot stands on its failsafe: something is before it, or no command reaches it.
        """
        trip, others = self.trips[row], (t for other, t in enumerate(self.trips) if other != row)
        shut = {node for t in others if t.granted and t.moved < stuck_since for node in t.held}
        if not shut or self._wanted(trip).isdisjoint(shut):
            return False
        end = trip.route[trip.granted - 1] if trip.granted else trip.at
        shut |= {node for lane, nodes in zip(self.lanes.lane, self.lanes.near_nodes, strict=True)
                 if not nodes.isdisjoint(shut) for node in lane.tolist()} - {end}  # fmt: skip
        way = self.lanes.way_round(end, trip.route[-1], shut)
        if way is None:
            return False
        trip.route[trip.granted :] = way
        trip.detours += 1
        return True

    def _wanted(self, trip: Trip) -> set[int]:
        """Return the nodes that have to be free for a robot's next lane."""
        end = trip.route[trip.granted - 1] if trip.granted else trip.at
        node = trip.route[trip.granted]
        return {node, *self.lanes.near_nodes[self.lanes.number[end, node]]}

    def _is_free(self, row: int, end: int, node: int) -> bool:
        lanes, number = self.lanes, self.lanes.number[end, node]
        taken, near_lanes = {node, *lanes.near_nodes[number]}, lanes.near_lanes[number]
        for other, trip in enumerate(self.trips):
            if other == row:
                continue
            if not taken.isdisjoint(trip.held):
                return False
            theirs = [lanes.number[lane] for lane in trip.lanes]
            if any(lane in near_lanes or node in lanes.near_nodes[lane] for lane in theirs):
                return False
        return True

    def _closes_a_ring(self, row: int, node: int) -> bool:
        """Tell whether all robots ahead of `row` would wait for each other if it went on to `node`."""
        heads: dict[int, int] = {}
        for other, trip in enumerate(self.trips):
            if other != row:
                heads.update(dict.fromkeys(trip.held, other))
        trip = self.trips[row]
        wanted = trip.route[trip.granted + 1] if trip.granted + 1 < len(trip.route) else None
        for _ in range(len(self.trips)):
            if wanted is None or wanted not in heads:
                return wanted == node
            ahead = self.trips[heads[wanted]]
            wanted = ahead.route[ahead.granted] if ahead.granted < len(ahead.route) else None
        return True
