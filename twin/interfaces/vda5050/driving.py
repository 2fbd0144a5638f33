"""From the next nodes of an order to speed and turning rate: straight edges, turns on the spot."""

from __future__ import annotations

from math import atan2, cos, hypot, sqrt

from pydantic import Field

from twin.interfaces.vda5050.messages import Node
from twin.interfaces.vda5050.vehicle import Vehicle, turn
from twin.specs.base import Spec
from twin.units import RadiansPerSecond, Speed


class DrivingSpec(Spec):
    """How a vehicle drives; an edge's own limits go before where they are lower."""

    speed: Speed = Field(default=1.0, gt=0)
    turning: RadiansPerSecond = Field(default=1.0, gt=0)
    braking: float = Field(default=0.5, gt=0)  # m/s2


_SLOW_TURN = 2.0
"""1/s, turning rate per angle."""
_ASTRAY = 0.3
"""rad off the way to the node, beyond which the vehicle turns on the spot."""
_STRAIGHT = 0.2
"""rad between two edges that are driven through without a stop."""


def drive(spec: DrivingSpec, vehicle: Vehicle, x: float, y: float, theta: float) -> tuple[float, float]:
    """Return speed [m/s] and turning rate [rad/s] towards the next node; 0, 0 where there is none."""
    node = vehicle.next_node
    if node is None or node.node_position is None or vehicle.paused:
        return 0.0, 0.0
    place, edge = node.node_position, vehicle.edge
    fastest = min(spec.speed, spec.speed if edge is None or edge.max_speed is None else edge.max_speed)
    turning = min(spec.turning, spec.turning if edge is None or edge.max_rotation_speed is None
                  else edge.max_rotation_speed)  # fmt: skip
    distance = hypot(place.x - x, place.y - y)
    if distance < _close(node) and place.theta is not None:
        return 0.0, _rate(turn(place.theta - theta), turning)
    astray = turn(atan2(place.y - y, place.x - x) - theta)
    if abs(astray) > _ASTRAY:
        return 0.0, _rate(astray, turning)
    stop = sqrt(2.0 * spec.braking * (distance + _run_out(vehicle.nodes, x, y)))
    return min(fastest, stop) * cos(astray), _rate(astray, turning)


def _close(node: Node) -> float:
    assert node.node_position is not None, "orders without positions are refused"
    return max(0.05, (node.node_position.allowed_deviation_x_y or 0.0) / 2)


def _rate(angle: float, most: float) -> float:
    return max(-most, min(most, _SLOW_TURN * angle))


def _run_out(nodes: list[Node], x: float, y: float) -> float:
    """Return how far [m] the way goes on beyond the next node without a turn, a stop or the base's end."""
    places = [node.node_position for node in nodes if node.released and node.node_position is not None]
    far, heading, here = 0.0, None, (x, y)
    for place in places:
        way = atan2(place.y - here[1], place.x - here[0])
        if heading is not None:
            if abs(turn(way - heading)) > _STRAIGHT:
                break
            far += hypot(place.x - here[0], place.y - here[1])
        if place.theta is not None:
            break
        heading, here = way, (place.x, place.y)
    return far
