"""A camera over a belt: it tells where the nearest parts in its picture are."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from scipy.spatial.transform import Rotation

from twin.errors import ScenarioError, nearest
from twin.mechanism.tree import read_mechanism
from twin.protocols import Field
from twin.sensors.errors import Noise
from twin.sensors.setting import Setting
from twin.specs import CameraSpec, RobotKind
from twin.state import F64, I64, BodyState, Sample, Truth


class Camera:
    """Reads parts (3 slots,): places of the nearest parts in its robot's root link's axes, nan where there is none.

    Raises:
        ScenarioError: it looks for robots that aren't there.
    """

    streams = True

    def __init__(self, spec: CameraSpec, setting: Setting) -> None:
        self._spec = spec
        self._noise = Noise("camera", setting.names, setting.seed, np.full(3 * spec.slots, spec.noise))
        if spec.sees and spec.sees not in setting.bodies:
            there = f"{', '.join(setting.bodies)}{nearest(spec.sees, setting.bodies)}"
            raise ScenarioError(f"a camera sees {spec.sees!r}; allowed: a group with bodies: {there}", key="sensors")
        assert setting.kind.body is not None, "only robots with bodies have sensors"
        self._centre = read_mechanism(setting.kind.body.urdf).base_centre
        self._parts: I64 = setting.bodies[spec.sees] if spec.sees else np.zeros(0, dtype=np.int64)

    @staticmethod
    def fields(spec: CameraSpec, kind: RobotKind) -> Mapping[str, Field]:
        """Return what a picture tells."""
        what = "places of the nearest parts in the picture, in the root link's axes; nan: no more"
        return {"parts": Field(3 * spec.slots, "m", what, spec.noise, "m")}

    def read(self, truth: Truth, index: I64, rows: I64) -> list[Sample]:
        """Return one sample per body in `index` (k,); `rows` (k,) are the robots' rows in their group."""
        time, bodies = truth.time, truth.bodies
        table = np.stack([self._picture(self._from_root(bodies, body)) for body in index])
        self._noise.add(time, rows, table)
        return [Sample(time, {"parts": row}) for row in table]

    def reseed(self, seed: int) -> None:
        """Draw by `seed` from now on."""
        self._noise.reseed(seed)

    def _from_root(self, bodies: BodyState, body: int) -> F64:
        """Return the places (n, 3) of all parts in the axes of the robot's root link."""
        turn = Rotation.from_quat(bodies.orientation[body])
        places: F64 = turn.inv().apply(bodies.position[self._parts] - bodies.position[body]) + self._centre
        return places

    def _picture(self, places: F64) -> F64:
        """Return (3 slots,) the places (n, 3) that are in the picture, the nearest to its middle first."""
        slots = self._spec.slots
        away = np.linalg.norm((places - self._spec.mount)[:, :2], axis=1)
        seen = [i for i in np.argsort(away, kind="stable") if away[i] <= self._spec.range][:slots]
        out = np.full((slots, 3), np.nan)
        out[: len(seen)] = places[seen]
        return out.ravel()
