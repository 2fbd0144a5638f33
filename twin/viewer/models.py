"""What robots look like: the URDF of each kind, from the project around a recording."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Any

import numpy as np
import trimesh
import yourdfpy
from scipy.spatial.transform import Rotation

from twin.errors import TwinError
from twin.project.project import Project
from twin.project.robots import load_kind
from twin.recording.reader import Recording
from twin.state import F64


def find_models(recording: Recording) -> tuple[dict[str, Path], list[str]]:
    """Return the URDF of each group of robots with a body, and in words why some have none."""
    project = Project.around(recording.path.absolute().parent)
    entries = tomllib.loads(recording.scenario_text).get("robots", {})
    found: dict[str, Path] = {}
    missing: list[str] = []
    for node in recording.robots:
        if node.body < 0 or node.group in found or node.row:
            continue
        try:
            override = entries.get(node.group, {}).get("spec")
            body = load_kind(project.robot(node.kind), override).body
        except TwinError as error:
            missing.append(f"{node.group} is drawn as a ball: {error}")
        else:
            if body is not None:
                found[node.group] = body.urdf
    return found, missing


class Model:
    """The visible parts of a URDF, one mesh a link.

    Raises:
        TwinError: it can't be read.
    """

    def __init__(self, path: Path) -> None:
        try:
            self._urdf = yourdfpy.URDF.load(str(path), mesh_dir=str(path.parent))
        except (OSError, ValueError, TypeError, KeyError, AttributeError) as error:
            raise TwinError(f"{path}: can't be shown: {error}") from error
        scene = self._urdf.scene
        parts: dict[str, list[trimesh.Trimesh]] = {}
        for node in scene.graph.nodes_geometry:
            link = scene.graph.transforms.parents[node]
            pose, name = scene.graph.get(node, frame_from=link)
            parts.setdefault(link, []).append(scene.geometry[name].copy().apply_transform(pose))
        self.links: dict[str, Any] = {link: trimesh.util.concatenate(meshes) for link, meshes in parts.items()}
        self.size = float(np.max(scene.extents)) if parts else 0.5  # m

    def poses(self, joints: F64) -> dict[str, tuple[F64, F64]]:
        """Return position (3,) m and quaternion wxyz (4,) of each link, from the base's centre of mass.

        `joints` (J,) are in the order of the URDF; of too few or too many, as many are used as there are.
        """
        if len(joints):
            self._urdf.update_cfg(joints[: self._urdf.num_actuated_joints])
        found = {}
        for link in self.links:
            pose = self._urdf.get_transform(link)
            x, y, z, w = Rotation.from_matrix(pose[:3, :3]).as_quat()
            found[link] = (pose[:3, 3] - self._centre_of_mass(), np.array([w, x, y, z]))
        return found

    def _centre_of_mass(self) -> F64:
        inertial = self._urdf.link_map[self._urdf.base_link].inertial
        origin = None if inertial is None else inertial.origin
        return np.zeros(3) if origin is None else np.asarray(origin, dtype=float)[:3, 3]
