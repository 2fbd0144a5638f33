"""Robots on wheels: drives, wheels on the floor and batteries of a whole group in one kernel.

A command is a velocity of the root frame: forward [m/s] and turning [rad/s]; with mecanum wheels forward, left and
turning. The robot follows it within its limits of acceleration, each wheel by a speed loop of the first order.

The floor's forces are the impulses of one tick after which no wheel slips, within what friction and the drives can
give (projected Gauss-Seidel, as contact solvers have it: Catto, Iterative dynamics with temporal coherence, 2005).
So a wheel that holds doesn't creep, and one that slides is held back by exactly friction times load.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from twin.errors import ScenarioError
from twin.numerics.kernels import kernel
from twin.numerics.rotation import Vector, cross, dot, quaternion_of, rotate
from twin.numerics.vectors import plus, row_of, times
from twin.physics.dynamics.chassis import GRAVITY, Chassis, WheelsParameters, chassis
from twin.state import F64, I64, BodyState, Bool, Rigid

_SWEEPS, _SETTLED = 50, 1e-9
_SLIP = 1e-3
"""m/s between wheel and floor from which it counts as sliding"""
AT_STATION = 0.3
"""m from a charging station within which a standing robot is charged."""
_STANDING = 0.02
"""m/s"""


class WheelState(NamedTuple):
    """State of n robots on wheels between steps, and the floor below them; D driven of W wheels."""

    speed: F64  # (n, D) rad/s
    angle: F64  # (n, D) rad
    wanted: F64  # (n, 3) m/s and rad/s, of the root frame: forward, left, turning
    charge: F64  # (n,) J
    used: F64  # (n,) J
    charging: Bool  # (n,)
    saturated: I64  # (n,) ticks
    slipping: I64  # (n,) ticks
    ground: F64  # (n, W) m
    slope: F64  # (n, W, 2) m per m, to the east and north


class Wheels:
    """Turns the velocity commands of n robots into the forces of floor and wheels.

    Public between steps, one row per robot: `speed` and `angle` (n, D) of the driven wheels, rad/s and rad; `charge`
    (n,) J in the battery, `used` (n,) J taken out of it, `charging` (n,); `saturated` (n,), ticks in which a drive
    could not give what was asked of it; `slipping` (n,), ticks in which a wheel slid. To be set from outside:
    `ground` (n, W), height of the floor below each wheel [m], and its `slope` (n, W, 2); `stations` (S, 2), where
    batteries are charged [m].
    """

    Parameters = WheelsParameters
    takes_urdf = True

    def __init__(self, parameters: dict[str, Any] | WheelsParameters, n: int, urdf: Path) -> None:
        p = WheelsParameters.model_validate(parameters)
        self.chassis, self._charge = chassis(p, urdf), p.battery.charge * p.battery.energy
        self.width = 2 if p.drive == "differential" else 3
        driven, wheels = len(self.chassis.lever), len(self.chassis.place)
        self.speed, self.angle, self._wanted = np.zeros((n, driven)), np.zeros((n, driven)), np.zeros((n, 3))
        self.ground: F64 = np.zeros((n, wheels))
        self.slope: F64 = np.zeros((n, wheels, 2))
        self.charge: F64 = np.zeros(n)
        self.used: F64 = np.zeros(n)
        self.charging: Bool = np.zeros(n, dtype=bool)
        self.saturated: I64 = np.zeros(n, dtype=np.int64)
        self.slipping: I64 = np.zeros(n, dtype=np.int64)
        self.stations: F64 = np.zeros((0, 2))
        self._rolling = WheelState(
            speed=self.speed,
            angle=self.angle,
            wanted=self._wanted,
            charge=self.charge,
            used=self.used,
            charging=self.charging,
            saturated=self.saturated,
            slipping=self.slipping,
            ground=self.ground,
            slope=self.slope,
        )
        self.reset()

    @property
    def feet(self) -> F64:
        """The middle (W, 3) [m] of each wheel, in body axes."""
        return self.chassis.place + (0.0, 0.0, self.chassis.radius)

    @property
    def kinematics(self) -> F64:
        """The velocity (3,) of the root frame by the speeds of the driven wheels: forward, left, turning; (3, D)."""
        return np.asarray(np.linalg.pinv(self.chassis.drive), dtype=np.float64)

    @property
    def capacity(self) -> float:
        """Energy [J] of a full battery."""
        return self.chassis.energy

    def reset(self) -> None:
        """Stand still on a floor at height 0, with the battery as it is at the start."""
        for array in (self.speed, self.angle, self._wanted, self.ground, self.slope, self.used):
            array[:] = 0.0
        self.saturated[:] = self.slipping[:] = 0
        self.charging[:] = False
        self.charge[:] = self._charge

    def wrench(self, state: BodyState, command: F64, dt: float) -> F64:
        """Return (n, 6): world-axes force [N] and torque [N m] at the centre of mass for the next `dt` s.

        Raises:
            ScenarioError: the command isn't one for such wheels.
        """
        if command.shape[1] != self.width:
            raise ScenarioError(f"the command has {command.shape[1]} numbers, but these wheels take {self.width}")
        out = np.zeros((len(command), 6))
        _roll(self.chassis, self._rolling, state.rigid, command, self.stations, dt, out)
        return out


@kernel
def _roll(c: Chassis, s: WheelState, bodies: Rigid, command: F64, stations: F64, dt: float, out: F64) -> None:
    driven, per_mass = s.speed.shape[1], dt / c.mass
    load, target, impulse = np.empty(c.place.shape[0]), np.empty(driven), np.empty((driven, 2))
    follow = 1.0 - np.exp(-c.rate * dt)
    for i in range(command.shape[0]):
        q, velocity = quaternion_of(bodies.orientation, i), row_of(bodies.velocity, i)
        turning = bodies.angular_velocity[i, 2]
        up = _stand(c, bodies, i, s, load, out[i])
        _approach(c, command[i] * (s.charge[i] > 0.0), s.wanted[i], dt)
        for w in range(driven):
            asked = dot(row_of(c.drive, w), row_of(s.wanted, i))
            target[w] = s.speed[i, w] + follow * (asked - s.speed[i, w])
        # The floor acts along the axes in the middle of the tick: the way of a tick is a chord of the curve.
        ahead = rotate(q, (1.0, 0.0, 0.0))
        heading = np.arctan2(ahead[1], ahead[0]) + 0.5 * dt * turning
        fore, side = _tangents(up, heading)
        forward, left = dot(fore, velocity), dot(side, velocity)
        # What else pulls along the floor in this tick: the weight, less what the springs hold of it.
        pull = (out[i, 0], out[i, 1], out[i, 2] - c.mass * GRAVITY) if up[2] < 1.0 else (0.0, 0.0, 0.0)
        pushed = (forward + per_mass * dot(fore, pull), left + per_mass * dot(side, pull), turning)
        motion = _grip(c, pushed, load, target, s.speed[i], dt, impulse)
        beyond, work = _turn_wheels(c, load, target, impulse, s.speed[i], s.angle[i], dt)
        s.saturated[i] += beyond
        s.slipping[i] += _slides(c, motion, s.speed[i])
        standing = forward * forward + left * left < _STANDING * _STANDING
        s.charging[i] = standing and _at_station(stations, bodies.position[i])
        taken = min(work / c.efficiency + c.hotel * dt, s.charge[i])
        s.used[i] += taken
        s.charge[i] = min(s.charge[i] - taken + (c.charger * dt if s.charging[i] else 0.0), c.energy)
        _push(c, impulse, (fore, side, up), dt, out[i])


@kernel
def _tangents(up: Vector, heading: float) -> tuple[Vector, Vector]:
    """Return the directions ahead and to the left along a floor of normal `up`, for a heading [rad]."""
    cos, sin = np.cos(heading), np.sin(heading)
    climb = -(up[0] * cos + up[1] * sin) / up[2]
    size = np.sqrt(1.0 + climb * climb)
    fore = (cos / size, sin / size, climb / size)
    return fore, cross(up, fore)


@kernel
def _push(c: Chassis, impulse: F64, axes: tuple[Vector, Vector, Vector], dt: float, out: F64) -> None:
    """Add what the floor's impulses (D, 2) of a tick do to the body at its centre of mass to `out` (6,).

    `axes` are those of the floor: ahead, left, up.
    """
    push, side, turn = 0.0, 0.0, 0.0
    for w in range(impulse.shape[0]):
        push += (c.along[w, 0] * impulse[w, 0] + c.across[w, 0] * impulse[w, 1]) / dt
        side += (c.along[w, 1] * impulse[w, 0] + c.across[w, 1] * impulse[w, 1]) / dt
        turn += (c.along[w, 2] * impulse[w, 0] + c.across[w, 2] * impulse[w, 1]) / dt
    fore, left, up = axes
    force = plus(times(push, fore), times(side, left))
    torque = plus(cross(times(c.place[0, 2], up), force), times(turn, up))
    for k in range(3):
        out[k] += force[k]
        out[3 + k] += torque[k]


@kernel
def _stand(c: Chassis, bodies: Rigid, i: int, s: WheelState, load: F64, out: F64) -> Vector:
    """Write the load [N] of each wheel of body i, and what its springs exert on it to `out` (6,).

    A spring pushes across the floor below its wheel. Return the mean normal of the floor, weighed by load.
    """
    q, rates, mean = quaternion_of(bodies.orientation, i), row_of(bodies.angular_velocity, i), (0.0, 0.0, 0.0)
    for w in range(c.place.shape[0]):
        arm = rotate(q, row_of(c.place, w))
        east, north = s.slope[i, w, 0], s.slope[i, w, 1]
        size = np.sqrt(1.0 + east * east + north * north)
        normal = (-east / size, -north / size, 1.0 / size)
        rise = dot(normal, plus(row_of(bodies.velocity, i), cross(rates, arm)))
        pressed = (s.ground[i, w] - (bodies.position[i, 2] + arm[2])) * normal[2] + c.sag
        load[w] = max(0.0, c.spring[w] * pressed - c.damper[w] * rise) if pressed > 0.0 else 0.0
        push = times(load[w], normal)
        torque, mean = cross(arm, push), plus(mean, push)
        for k in range(3):
            out[k] += push[k]
            out[3 + k] += torque[k]
    size = np.sqrt(dot(mean, mean))
    return times(1.0 / size, mean) if size > 0.0 else (0.0, 0.0, 1.0)


@kernel
def _approach(c: Chassis, command: F64, wanted: F64, dt: float) -> None:
    """Bring the wanted velocity (3,) nearer to the command, within the limits."""
    most, turning, acceleration, braking, turning_acceleration = c.limit
    forward, left, turn = command[0], command[1] if command.size == 3 else 0.0, command[-1]
    size = np.sqrt(forward * forward + left * left)
    if size > most:
        forward, left = forward * most / size, left * most / size
    x, y = forward - wanted[0], left - wanted[1]
    rate = braking if x * wanted[0] + y * wanted[1] < 0.0 else acceleration
    gap = np.sqrt(x * x + y * y)
    share = min(1.0, rate * dt / gap) if gap > 0.0 else 0.0
    wanted[0] += share * x
    wanted[1] += share * y
    gap, step = min(max(turn, -turning), turning) - wanted[2], turning_acceleration * dt
    wanted[2] += min(max(gap, -step), step)


@kernel
def _grip(c: Chassis, motion: Vector, load: F64, target: F64, speed: F64, dt: float, impulse: F64) -> Vector:
    """Write the impulse [N s] of the floor along and across each driven wheel (D, 2); return the motion after it.

    The motion is forward, left [m/s] and turning [rad/s].
    """
    u, v, w = motion
    heavy, turned = 1.0 / c.mass, 1.0 / c.yaw_inertia
    impulse[:] = 0.0
    for _ in range(_SWEEPS):
        change = 0.0
        for k in range(target.size):
            a, b, lever = c.along[k], c.across[k], c.lever[k]
            ease = heavy * (a[0] * a[0] + a[1] * a[1]) + turned * a[2] * a[2]
            side_ease = heavy * b[1] * b[1] + turned * b[2] * b[2]
            free = a[0] * u + a[1] * v + a[2] * w - ease * impulse[k, 0]
            along = (lever * target[k] - free) / ease
            drag = _resistance(c, load[k], target[k])
            torque = (c.inertia * (target[k] - speed[k]) + along * lever) / dt + drag
            if abs(torque) > c.torque:
                spun = speed[k] + (np.sign(torque) * c.torque - drag) * dt / c.inertia
                along = (lever * spun - free) / (ease + lever * lever / c.inertia)
            across = impulse[k, 1]
            if side_ease > 0.0:
                across -= (b[1] * v + b[2] * w) / side_ease
            size, most = np.sqrt(along * along + across * across), c.friction * load[k] * dt
            if size > most:
                along, across = along * most / size, across * most / size
            x, y = along - impulse[k, 0], across - impulse[k, 1]
            u += heavy * a[0] * x
            v += heavy * (a[1] * x + b[1] * y)
            w += turned * (a[2] * x + b[2] * y)
            impulse[k, 0], impulse[k, 1] = along, across
            change = max(change, abs(x), abs(y))
        if change <= _SETTLED * c.mass:
            break
    return u, v, w


@kernel
def _slides(c: Chassis, motion: Vector, speed: F64) -> bool:
    """Tell whether a wheel moves over the floor."""
    for k in range(speed.size):
        a, b = c.along[k], c.across[k]
        along = a[0] * motion[0] + a[1] * motion[1] + a[2] * motion[2] - c.lever[k] * speed[k]
        across = b[0] * motion[0] + b[1] * motion[1] + b[2] * motion[2]
        if along * along + across * across > _SLIP * _SLIP:
            return True
    return False


@kernel
def _turn_wheels(
    c: Chassis, load: F64, target: F64, impulse: F64, speed: F64, angle: F64, dt: float
) -> tuple[bool, float]:
    """Turn the wheels (D,) by drives and floor; tell whether a drive is at its limit, and the work [J] of all."""
    beyond, work = False, 0.0
    for k in range(target.size):
        drag = _resistance(c, load[k], target[k])
        asked = (c.inertia * (target[k] - speed[k]) + impulse[k, 0] * c.lever[k]) / dt + drag
        torque = min(max(asked, -c.torque), c.torque)
        beyond = beyond or torque != asked
        before = speed[k]
        speed[k] += ((torque - drag) * dt - impulse[k, 0] * c.lever[k]) / c.inertia
        angle[k] += speed[k] * dt
        work += max(0.0, torque * 0.5 * (before + speed[k]) * dt)
    return beyond, work


@kernel
def _resistance(c: Chassis, load: float, speed: float) -> float:
    """Return the torque [N m] that rolling takes; it fades out below 0.1 rad/s."""
    drag: float = c.resistance * load * c.radius * min(max(10.0 * speed, -1.0), 1.0)
    return drag


@kernel
def _at_station(stations: F64, position: F64) -> bool:
    for s in range(stations.shape[0]):
        x, y = stations[s, 0] - position[0], stations[s, 1] - position[1]
        if x * x + y * y < AT_STATION * AT_STATION:
            return True
    return False
