"""Multirotors of any layout: onboard control, rotors, battery and air of a whole group in one kernel.

A command is what an offboard acceleration setpoint of a PX4 autopilot is: acceleration (3) in world axes,
without gravity [m/s2], and yaw [rad]. A command whose thrust would have no upward part stops the rotors.
With `setpoint = "motors"` nothing is controlled on board, and a command is what an autopilot tells its motors: each
rotor's speed over the highest one at the present voltage, 0 to 1, in the order of `rotors`.
"""

from __future__ import annotations

from collections.abc import Mapping
from math import inf
from typing import Any, NamedTuple

import numpy as np

from twin.numerics.kernels import kernel
from twin.numerics.rotation import quaternion_of, rotate, unrotate
from twin.numerics.vectors import minus, plus, row_of
from twin.physics.dynamics.airframe import Airframe, RotorcraftParameters, airframe
from twin.physics.dynamics.attitude import allocate, attitude_control
from twin.physics.dynamics.rotors import body_drag, discharge, inflow_power, rotor_forces, shaft_power, turn_rotors
from twin.state import F64, I64, BodyState, Bool, Rigid


class Flight(NamedTuple):
    """State of n multirotors between steps, and what surrounds them; R rotors."""

    rotor_speed: F64  # (n, R) rad/s
    saturated: I64  # (n,) ticks
    broken: Bool  # (n,)
    used: F64  # (n,) J
    voltage: F64  # (n,) V
    sagged: F64  # (n,) V, by how much it fell in the last step
    current: F64  # (n,) A
    power: F64  # (n,) W, at the shafts of all rotors
    air: F64  # (n, 3) m/s, world axes
    ground: F64  # (n,) m


class Rotorcraft:
    """Turns the commands of n multirotors into the wrenches of their rotors and the air.

    Public between steps, one row per drone: `rotor_speed` (n, R) rad/s; `saturated` (n,), ticks in which the
    rotors could not give what was asked of them; `broken` (n,), whose rotors a collision broke; `used` (n,) J
    from the battery, its `voltage` (n,) V and `current` (n,) A; `power` (n,) W at the rotors' shafts; and what
    surrounds it, to be set from outside: `air` (n, 3), velocity of the air [m/s] in world axes; `ground` (n,), height
    of the surface below [m].
    """

    Parameters = RotorcraftParameters
    midway = True

    def __init__(self, parameters: Mapping[str, Any] | RotorcraftParameters, n: int) -> None:
        checked = RotorcraftParameters.model_validate(parameters)
        self.airframe = airframe(checked)
        self.break_speed = inf if checked.break_speed is None else checked.break_speed  # m/s
        self.mass, self.inertia = self.airframe.mass, np.array(self.airframe.inertia)
        self.rotor_speed: F64 = np.zeros((n, len(self.airframe.place)))
        self.saturated: I64 = np.zeros(n, dtype=np.int64)
        self.broken: Bool = np.zeros(n, dtype=bool)
        self.used: F64 = np.zeros(n)
        self.voltage: F64 = np.zeros(n)
        self.current: F64 = np.zeros(n)
        self.power: F64 = np.zeros(n)
        self.air: F64 = np.zeros((n, 3))
        self.ground: F64 = np.zeros(n)
        self._flight = Flight(
            rotor_speed=self.rotor_speed,
            saturated=self.saturated,
            broken=self.broken,
            used=self.used,
            voltage=self.voltage,
            sagged=np.zeros(n),
            current=self.current,
            power=self.power,
            air=self.air,
            ground=self.ground,
        )
        self.reset()

    @property
    def disk(self) -> float:
        """Area [m2] that all rotors of a drone sweep."""
        return float(len(self.airframe.place) * np.pi * self.airframe.radius**2)

    @property
    def thrust(self) -> F64:
        """Thrust (n,) [N] of all rotors, in still air."""
        thrust: F64 = self.airframe.thrust_coefficient * np.sum(self.rotor_speed**2, axis=1)
        return thrust

    @property
    def capacity(self) -> float:
        """Energy [J] of a full battery, infinite without one."""
        return self.airframe.battery.energy

    @property
    def charge(self) -> F64:
        """Energy (n,) [J] left in the battery."""
        return np.maximum(self.capacity - self.used, 0.0)

    @property
    def charging(self) -> Bool:
        """Whether the battery (n,) is charged: never in flight."""
        return np.zeros(len(self.used), dtype=bool)

    @property
    def loops(self) -> dict[str, tuple[float, float]]:
        """What the loops on board ask for per gap and per speed [1/s2, 1/s], by axis; none of motors' setpoints."""
        frame = self.airframe
        gains = zip(("roll", "pitch", "yaw"), frame.attitude_gain, frame.rate_gain, strict=True)
        return {} if frame.motors else {name: (attitude * rate, rate) for name, attitude, rate in gains}

    def reset(self) -> None:
        """Fill the battery and turn the rotors as they do in hover, in still air, far from the ground."""
        frame = self.airframe
        hover = frame.mixer[:, 0] * frame.mass * frame.gravity
        self.rotor_speed[:] = np.sqrt(hover / frame.thrust_coefficient)
        self.saturated[:] = 0
        self.broken[:] = False
        self.used[:] = 0.0
        shaft = frame.torque_coefficient * float(np.sum(self.rotor_speed[:1] ** 3))
        battery = frame.battery
        self.power[:] = shaft
        self.current[:], self.voltage[:] = discharge(battery, 0.0, shaft / battery.efficiency + battery.hotel)
        self._flight.sagged[:] = 0.0
        self.air[:] = 0.0
        self.ground[:] = -np.inf

    def strike(self, row: int, speed: float) -> bool:
        """Let something hit a drone at `speed` [m/s]; return whether that broke rotors, which stop for good."""
        breaks = speed > self.break_speed and not self.broken[row]
        self.broken[row] |= breaks
        return bool(breaks)

    def wrench(self, state: BodyState, command: F64, dt: float) -> F64:
        """Return (n, 6): world-axes force [N] and torque [N m] at the centre of mass for the next `dt` s."""
        out: F64 = np.empty((len(command), 6))
        _wrenches(self.airframe, self._flight, state.rigid, command, dt, out)
        return out


@kernel
def _wrenches(frame: Airframe, flight: Flight, bodies: Rigid, command: F64, dt: float, out: F64) -> None:
    thrusts, mean = np.empty(flight.rotor_speed.shape[1]), np.empty((flight.rotor_speed.shape[1], 2))
    for i in range(command.shape[0]):
        q, speed = quaternion_of(bodies.orientation, i), flight.rotor_speed[i]
        rates = unrotate(q, row_of(bodies.angular_velocity, i))
        flow = unrotate(q, minus(row_of(bodies.velocity, i), row_of(flight.air, i)))
        up = unrotate(q, (0.0, 0.0, 1.0))
        middle = max(0.0, flight.voltage[i] - flight.sagged[i])  # each is that in the middle of a step
        most = frame.max_speed * (middle / frame.battery.full_voltage) ** frame.battery.exponent
        limit = frame.thrust_coefficient * most * most
        if frame.motors:
            for r in range(thrusts.shape[0]):
                thrusts[r] = limit * command[i, r] * command[i, r]
        else:
            thrust, torque = attitude_control(frame, q, rates, command[i])
            flight.saturated[i] += allocate(frame.mixer, frame.attitude_first, thrust, torque, limit, thrusts)
        if flight.broken[i]:
            thrusts[:] = 0.0
        turn_rotors(frame, thrusts, speed, dt, mean)
        flight.power[i] = max(0.0, shaft_power(frame, mean) + inflow_power(frame, mean, flow))
        _use_battery(frame, flight, i, dt)
        force, torque = rotor_forces(frame, mean, flow, rates, up, bodies.position[i, 2] - flight.ground[i])
        out[i, 0], out[i, 1], out[i, 2] = rotate(q, plus(force, body_drag(frame, flow)))
        out[i, 3], out[i, 4], out[i, 5] = rotate(q, torque)


@kernel
def _use_battery(frame: Airframe, flight: Flight, i: int, dt: float) -> None:
    """Take the energy of one step out of drone i's battery, what its own resistance burns included."""
    battery = frame.battery
    power = flight.power[i] / battery.efficiency + battery.hotel
    current, voltage = discharge(battery, flight.used[i], power)
    flight.sagged[i], flight.voltage[i] = flight.voltage[i] - voltage, voltage
    flight.current[i] = current
    flight.used[i] += dt * current * (voltage + battery.resistance * current)
