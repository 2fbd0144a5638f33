"""Mooring lines with inertia and drag of their own, by MoorDyn (the extra `moordyn`) in lock-step with physics."""

from __future__ import annotations

import weakref
from collections.abc import Sequence
from math import pi, sqrt
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np

from twin.errors import RunError, ScenarioError
from twin.extras import missing
from twin.numerics.rotation import axes_of
from twin.physics.dynamics.mooring import LineSpec, check_lines
from twin.physics.quiet import captured
from twin.state import F64, BodyState
from twin.world.spectra import GRAVITY

_LONGEST_STEP = 1e-3
"""s, of MoorDyn's own integration; the floor's stiffness and damping are such that it is stable at it."""
_COURANT = 0.2
"""Segments that a wave of tension runs along in a step."""
_OPTIONS = """{step} dtM
1e5 kBot
1e3 cBot
{depth!r} WtrDpth
{density!r} WtrDnsty
{gravity!r} g
0 writeLog
1 disableOutput
1 disableOutTime
5 TmaxIC
5 CdScaleIC
0.01 threshIC
"""
_HEADS = {
    "LINE TYPES": "TypeName Diam Mass/m EA BA/-zeta EI Cd Ca CdAx CaAx\n- - - - - - - - - -\n",
    "POINTS": "ID Type X Y Z Mass Volume CdA Ca\n- - - - - - - - -\n",
    "LINES": "ID LineType AttachA AttachB UnstrLen NumSegs Outputs\n- - - - - - -\n",
}


class MovingLines:
    """The lines of a group of n bodies in one MoorDyn system, in still water of one depth.

    Raises:
        ScenarioError: MoorDyn isn't installed or refuses the lines, or a line is too short.
    """

    def __init__(self, specs: Sequence[LineSpec], position: F64, depth: float, density: float) -> None:
        check_lines(specs, position, depth)
        self.fairlead = np.array([spec.fairlead for spec in specs])  # (M, 3) m, body axes
        self._text = _system(specs, position, depth, density)
        self._moordyn: Any = _moordyn()
        self._system: Any = None

    def reset(self) -> None:
        """Forget all motion; the lines come to rest where the bodies are at the next call of `wrench`."""
        if self._system is not None:
            self._close()
            self._system = None

    def wrench(self, state: BodyState, time: float, dt: float) -> F64:
        """Return (n, 6): what the lines pull at the bodies with [N, N m], world axes, at `time` + `dt` s.

        Raises:
            RunError: the lines' state is no longer finite.
        """
        turn = np.array([axes_of(q) for q in state.orientation])
        arm = np.einsum("nij,mj->nmi", turn, self.fairlead)
        place = (state.position[:, None] + arm).ravel().tolist()
        sweep = np.cross(state.angular_velocity[:, None], arm)
        speed = (state.velocity[:, None] + sweep).ravel().tolist()
        if self._system is None:
            self._start(place, speed)
        pull = np.array(self._moordyn.Step(self._system, place, speed, time, dt)).reshape(arm.shape)
        if not np.isfinite(pull).all():
            raise RunError(f"the mooring lines are no longer finite at {time:.3f} s")
        return np.concatenate([pull.sum(axis=1), np.cross(arm, pull).sum(axis=1)], axis=1)

    def _start(self, place: list[float], speed: list[float]) -> None:
        with TemporaryDirectory() as folder, captured() as printed:
            file = Path(folder, "lines.txt")
            file.write_text(self._text)
            try:
                self._system = self._moordyn.Create(str(file))
                self._moordyn.Init(self._system, place, speed)
            except Exception as error:  # MoorDyn raises its own kinds, RuntimeError among them
                printed.append(str(error))
                self._system = None
        if self._system is None:
            raise ScenarioError(f"MoorDyn refuses the lines: {' '.join(printed[-3:])}", key="body.parameters.mooring")
        self._close = weakref.finalize(self, self._moordyn.Close, self._system)


def _moordyn() -> Any:
    try:
        import moordyn
    except ModuleNotFoundError as error:
        raise ScenarioError(missing("moordyn", "MoorDyn"), key="body.parameters.mooring_model") from error
    return moordyn


def _system(specs: Sequence[LineSpec], position: F64, depth: float, density: float) -> str:
    """Return MoorDyn's input: a fixed and a coupled point for every line, the latter in order of body and line."""
    types: list[str] = []
    points: list[str] = []
    lines: list[str] = []
    for j, spec in enumerate(specs):
        mass = _mass(spec, density)
        types.append(f"line{j} {spec.diameter!r} {mass!r} {spec.stiffness!r} -0.8 0 {spec.drag!r} 1.0 0.05 0.0")
    for i, place in enumerate(position):
        for j, spec in enumerate(specs):
            first = 2 * (i * len(specs) + j) + 1
            x, y, z = (place + np.array(spec.fairlead)).tolist()
            points += [
                f"{first} Fixed {place[0] + spec.anchor[0]} {place[1] + spec.anchor[1]} {-depth} 0 0 0 0",
                f"{first + 1} Coupled {x} {y} {z} 0 0 0 0",
            ]
            lines.append(f"{len(lines) + 1} line{j} {first} {first + 1} {spec.length!r} {spec.segments} -")
    options = _OPTIONS.format(step=_step(specs, density), depth=depth, density=density, gravity=GRAVITY)
    tables = {**_HEADS, "OPTIONS": ""}
    rows = {"LINE TYPES": types, "POINTS": points, "LINES": lines, "OPTIONS": [options]}
    parts = [f"---- {name} ----\n{head}" + "\n".join(rows[name]) for name, head in tables.items()]
    return "\n".join(["mooring", *parts]) + "---- end ----\n"


def _mass(spec: LineSpec, density: float) -> float:
    """Return the mass of a line in kg/m."""
    return spec.weight / GRAVITY + density * pi * spec.diameter**2 / 4


def _step(specs: Sequence[LineSpec], density: float) -> float:
    """Return the longest step [s] at which all lines are stable."""
    runs = [spec.length / spec.segments * sqrt(_mass(spec, density) / spec.stiffness) for spec in specs]
    return min(_LONGEST_STEP, _COURANT * min(runs))
