"""Things on conveyor belts: Bullet's surfaces don't move, so the belt's friction is a force on what lies on it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from pydantic import Field

from twin.specs import Point, Spec
from twin.state import F64, BodyState
from twin.units import Kilograms, Metres, Speed

_STIFFNESS = 200.0  # 1/s, friction per slip speed, up to its limit
_CLEAR = 0.005  # m above the belt where a part no longer feels it


class BeltSpec(Spec):
    """A straight belt from one point on its surface to another."""

    start: Point
    end: Point
    width: Metres = Field(gt=0)
    speed: Speed
    friction: float = Field(default=0.6, gt=0)


class ConveyedParameters(Spec):
    """A part and the belts that it may lie on."""

    mass: Kilograms = Field(gt=0)
    half_height: Metres = Field(gt=0)
    belts: tuple[BeltSpec, ...] = ()


class Conveyed:
    """Drags parts along with the belt that they lie on, by Coulomb friction of their weight.

    Below the limit the friction grows with the slip, so that a part goes slower than its belt by the friction
    of the ground below the belt, which is at rest: g mu/200 s for Bullet's mu between the two.
    """

    Parameters = ConveyedParameters

    def __init__(self, parameters: Mapping[str, Any] | ConveyedParameters, n: int) -> None:
        self.parameters = ConveyedParameters.model_validate(parameters)

    def reset(self) -> None:
        """Do nothing: there is no internal state."""

    def wrench(self, state: BodyState, command: F64, dt: float) -> F64:
        """Return (n, 6): the belts' friction [N] and no torque."""
        out, p = np.zeros((len(state.position), 6)), self.parameters
        for belt in p.belts:
            start, end = np.array(belt.start), np.array(belt.end)
            length = float(np.linalg.norm(end - start))
            along = (end - start) / length
            place = state.position - start
            way, side = place @ along, place @ np.array([-along[1], along[0], 0.0])
            gap = np.abs(place[:, 2] - along[2] * way - p.half_height)
            on = (way >= 0) & (way <= length) & (np.abs(side) <= belt.width / 2) & (gap < _CLEAR)
            slip = (belt.speed * along - state.velocity)[:, :2]
            force = p.mass * _STIFFNESS * slip
            most = belt.friction * p.mass * 9.81
            size = np.maximum(np.linalg.norm(force, axis=1), 1e-12)
            out[on, :2] += (force * np.minimum(1.0, most / size)[:, None])[on]
        return out
