"""The law by which a flying robot follows a reference, compiled: acceleration setpoints within limits."""

from __future__ import annotations

import numpy as np

from twin.numerics.kernels import kernel
from twin.state import F64

_GRAVITY = 9.81


@kernel
def setpoint(
    sensed: tuple[F64, F64], goal: tuple[F64, F64, F64], gains: F64, integral: F64, elapsed: float, command: F64
) -> tuple[float, bool]:
    """Write the wanted acceleration [m/s2] into `command` (>= 3,); return the distance [m], and whether it is limited.

    `sensed` is position (3,) m and velocity (3,) m/s, `goal` these and the acceleration (3,) m/s2. The wanted
    acceleration is the goal's, plus `drag` [1/s] times its speed for what the air takes, plus kp, kd and ki times the
    error of position, of velocity, and the `integral` (3,) m s of the former, which grows over `elapsed` s unless a
    limit holds. It is kept within `max_acceleration`, and sideways within what `max_tilt` gives in hover.
    `gains` (7,) holds kp [1/s2], kd [1/s], ki [1/s3], max_integral [m s], drag [1/s], max_acceleration [m/s2] and
    max_tilt [rad].
    """
    kp, kd, ki, max_integral, drag, max_acceleration, max_tilt = gains
    for k in range(3):
        speed = goal[1][k]
        command[k] = goal[2][k] + drag * speed + ki * integral[k]
        command[k] += kp * (goal[0][k] - sensed[0][k]) + kd * (speed - sensed[1][k])
    is_limited = _limit(command, max_acceleration, _GRAVITY * np.tan(max_tilt))
    squares = 0.0
    for k in range(3):
        error = goal[0][k] - sensed[0][k]
        squares += error * error
        if not is_limited:
            integral[k] = min(max(integral[k] + error * elapsed, -max_integral), max_integral)
    return np.sqrt(squares), is_limited


@kernel
def setpoints(
    sensed: tuple[F64, F64], goal: tuple[F64, F64, F64], gains: F64, integral: F64, elapsed: F64, command: F64
) -> tuple[F64, F64]:
    """Do the same for k robots at once, all arrays with a row for each; return distances and limits (k,)."""
    error, limited = np.empty(len(elapsed)), np.empty(len(elapsed))
    for i in range(len(elapsed)):
        here, there = (sensed[0][i], sensed[1][i]), (goal[0][i], goal[1][i], goal[2][i])
        error[i], limited[i] = setpoint(here, there, gains[i], integral[i], elapsed[i], command[i])
    return error, limited


@kernel
def _limit(acceleration: F64, most: float, sideways: float) -> bool:
    """Shorten the acceleration to `most`, then its horizontal part to `sideways` [m/s2]; return whether it was."""
    x, y, z = acceleration[0], acceleration[1], acceleration[2]
    whole = min(1.0, most / max(np.sqrt(x * x + y * y + z * z), 1e-300))
    level = min(1.0, sideways / max(whole * np.hypot(x, y), 1e-300))
    acceleration[0], acceleration[1], acceleration[2] = x * whole * level, y * whole * level, z * whole
    return bool(whole < 1.0 or level < 1.0)
