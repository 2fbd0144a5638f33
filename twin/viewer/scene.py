"""A run in space: world, sites, robots, links and trails, drawn by frames; the same for replay and live."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from viser import ViserServer

from twin.analysis.picture import DELAYS
from twin.analysis.tracks import RadioSite
from twin.recording.schema import Header
from twin.state import F64, I64, NOMINAL, Frame
from twin.viewer.models import Model
from twin.viewer.radio import Bytes, Chosen, Lines, LinkColour, as_light, best_link, colours, gain_colours, path_lines
from twin.viewer.sea import Elevation, SeaSurface
from twin.viewer.surfaces import surfaces
from twin.world.geometry import Geometry

_INK, _CABLE = (28, 33, 40), (150, 158, 166)
_BESIDE_PANEL = 0.09
"""How far right of the middle the camera looks, of the extent: the panel hides what is right."""
_SKY = (214, 228, 240)
_SERVER_ABOVE = 0.18
"""How far above all that happens a server without a place is drawn, of the extent of that."""
_ROBOT_OF_VIEW = 1 / 32  # a robot is drawn so large, of what is in view, if it would be smaller


class Scene:
    """Draws frames into a viser server; `bounds` are the corners (3,) m of where something happens."""

    def __init__(
        self, server: ViserServer, header: Header, sites: Sequence[RadioSite], bounds: tuple[F64, F64],
        geometry: Geometry | None, models: Mapping[str, Path], sea: Elevation | None = None,
    ) -> None:  # fmt: skip
        self._server, self._header = server, header
        self._robots = list(header.robots)
        self._owners = np.array([radio.owner for radio in header.radios], dtype=np.int64)
        self.selected = 0  # node
        self.links_of: Chosen = "best of each robot"
        self.paths_of: Chosen = "of the selected robot" if header.paths else "none"
        self.slowest = 0.1  # s, the end of the colours of round trips
        self.link_colour: LinkColour = "round trip"
        extent = float(np.linalg.norm(bounds[1] - bounds[0]))
        self.close = extent / 8  # from where to follow a robot, m
        self._thickness = extent / 500
        server.scene.set_up_direction("+z")
        server.scene.configure_default_lights(cast_shadow=False)
        server.scene.set_background_image(np.full((8, 8, 3), _SKY, np.uint8))
        aim(server, bounds, extent, geometry, right=_BESIDE_PANEL)
        self.sea = None if sea is None else SeaSurface(server, sea, bounds)
        if geometry is not None:
            add_world(server, geometry, 0.0 if self.sea is None else self.sea.lowest - 0.5)
        self._places: dict[int, F64] = {}  # of the nodes without a body
        self._add_sites(sites, extent)
        self._add_servers(bounds, extent)
        self.robots: dict[int, Any] = {}  # by node, those with a body
        self._parts: dict[int, dict[str, Any]] = {}  # of each robot, by link
        self._models: dict[str, Model] = {}  # by group
        self._add_robots(models, extent)
        self._pairs = self._links_shown()
        self._links = self._segments("/links", 1.2)
        self._paths = self._segments("/paths", 0.7)
        self._trail = self._segments("/trails", 1.0)
        self._packets: Any = server.scene.add_point_cloud(
            "/packets", np.zeros((1, 3), np.float32), _INK, point_size=4.5 * self._thickness, point_shape="circle",
            precision="float32", point_shading="flat", visible=False,
        )  # fmt: skip

    def show(self, frame: Frame, round_trip: F64) -> None:
        """Draw a frame; `round_trip` (R,) s of each robot's newest command, nan without one."""
        bodies = frame.bodies
        with self._server.atomic():
            for node, handle in self.robots.items():
                body = self._robots[node].body
                handle.position = bodies.position[body]
                handle.wxyz = bodies.orientation[body, [3, 0, 1, 2]]
                joints = bodies.joint_position[bodies.joint_offset[body] : bodies.joint_offset[body + 1]]
                if len(joints):
                    self._bend(node, joints)
            self._draw(self._links, self._links_of(frame, round_trip))
            self._draw(self._paths, self._paths_of(frame))
            if self.sea is not None:
                self.sea.show(frame.time)

    def show_trails(self, points: F64, round_trip: F64) -> None:
        """Draw pieces of trails (n, 2, 3) m, coloured by the round trip (n,) s flown with."""
        with self._server.atomic():
            of_pieces = np.repeat(self.delay_colours(round_trip)[:, None], 2, axis=1)
            self._draw(self._trail, (points.astype(np.float32), of_pieces))

    def show_packets(self, points: F64, of_points: Bytes) -> None:
        """Draw packets at points (n, 3) m in colours (n, 3); those at nan are nowhere."""
        there = np.isfinite(points).all(axis=1)
        self._packets.visible = bool(there.any())
        if there.any():
            self._packets.points, self._packets.colors = points[there].astype(np.float32), of_points[there]

    def best_site(self, node: int, frame: Frame) -> int | None:
        """Return the site that a robot hears best, None without one."""
        link = best_link(frame.links, self._pairs.get(node, np.zeros(0, np.int64)))
        if link is None:
            return None
        a, b = (int(self._owners[radio[link]]) for radio in (frame.links.a, frame.links.b))
        return b if a == node else a

    def place(self, node: int, frame: Frame) -> F64 | None:
        """Return where a robot is (3,) m, None if it has no place."""
        body = self._robots[node].body
        return frame.bodies.position[body] if body >= 0 else self._places.get(node)

    def delay_colours(self, round_trip: F64) -> Bytes:
        """Return colours (n, 3) bytes of round trips [s]; grey where there is none."""
        return colours(DELAYS, round_trip / self.slowest)

    def on_click(self, selected: Callable[[int], None]) -> None:
        """Call `selected` with the node of a robot that is clicked on."""
        for node, parts in self._parts.items():
            for part in parts.values():
                part.on_click(lambda _, node=node: selected(node))

    def scale(self, factor: float) -> None:
        """Draw all robots `factor` times as large as they are."""
        self._scale = factor
        for node, parts in self._parts.items():
            for part in parts.values():
                part.scale = factor
            self._bend(node, np.zeros(0))

    def _bend(self, node: int, joints: F64) -> None:
        """Put the links of a robot where its joints (J,) have them; without joints, where they were last."""
        model = self._models.get(self._robots[node].group)
        for link, (position, turn) in (model.poses(joints) if model else {}).items():
            self._parts[node][link].position = self._scale * position
            self._parts[node][link].wxyz = turn

    def _add_sites(self, sites: Sequence[RadioSite], extent: float) -> None:
        by_name = {robot.name: node for node, robot in enumerate(self._robots)}
        for i, site in enumerate(sites):
            self._places[by_name[site.robot]] = np.array(site.position)
            add_site(self._server, f"/sites/{i}", site.position, extent)
            self._label(f"/sites/{i}/name", site.robot)

    def _add_servers(self, bounds: tuple[F64, F64], extent: float) -> None:
        """Draw what has neither body nor site, an edge server say, above the middle, with a line to each site."""
        sites = list(self._places.values())
        nodes = [node for node, robot in enumerate(self._robots) if robot.body < 0 and node not in self._places]
        middle = (bounds[0] + bounds[1]) / 2
        for i, node in enumerate(nodes):
            place = np.array([middle[0] + 0.1 * extent * (i - (len(nodes) - 1) / 2), middle[1], bounds[1][2]])
            place[2] += _SERVER_ABOVE * extent
            self._places[node] = place
            self._server.scene.add_box(f"/servers/{i}", _INK, (extent / 60,) * 3, position=place, cast_shadow=False)
            self._label(f"/servers/{i}/name", self._robots[node].name)
            if sites:
                lines = np.array([[site, place] for site in sites], np.float32)
                self._server.scene.add_line_segments(f"/servers/{i}/cables", lines - place.astype(np.float32), _CABLE,
                                                     thickness=0.5 * self._thickness)  # fmt: skip

    def _add_robots(self, models: Mapping[str, Path], extent: float) -> None:
        self._models = {group: Model(path) for group, path in models.items()}
        size = max((model.size for model in self._models.values()), default=0.5)
        self.natural_scale = max(1.0, round(_ROBOT_OF_VIEW * extent / size))
        for node, robot in enumerate(self._robots):
            if robot.body < 0:
                continue
            root = f"/robots/{node}"  # names may hold anything, so they are no part of it
            self.robots[node] = self._server.scene.add_frame(root, show_axes=False)
            self._label(f"{root}/name", robot.name)
            if robot.group in self._models:
                links = self._models[robot.group].links
                self._parts[node] = {
                    link: self._server.scene.add_mesh_trimesh(f"{root}/{i}", mesh, cast_shadow=False)
                    for i, (link, mesh) in enumerate(links.items())
                }
            else:
                self._parts[node] = {"": self._server.scene.add_icosphere(f"{root}/ball", 0.25, _INK)}
        self.scale(self.natural_scale)

    def _label(self, path: str, text: str) -> None:
        self._server.scene.add_label(path, text, font_size_mode="screen", font_screen_scale=0.9, anchor="bottom-left",
                                     position=(0.0, 0.0, 0.0))  # fmt: skip

    def _segments(self, name: str, width: float) -> Any:
        return self._server.scene.add_line_segments(
            name, np.zeros((1, 2, 3), np.float32), np.zeros((1, 2, 3), np.uint8), thickness=width * self._thickness
        )

    def _draw(self, segments: Any, lines: Lines) -> None:
        """Give a handle other lines; there has to be one at least."""
        points, of_points = lines
        segments.points = points if len(points) else np.zeros((1, 2, 3), np.float32)
        segments.colors = as_light(of_points) if len(points) else np.zeros((1, 2, 3), np.uint8)

    def _links_shown(self) -> dict[int, I64]:
        """Return, for each robot with a body, the links that join it with a site."""
        pairs = self._owners[self._header.layout.pairs] if len(self._owners) else np.zeros((0, 2), np.int64)
        at_site = np.isin(pairs, [node for node in self._places if node in self._owners])
        return {node: np.flatnonzero((pairs == node).any(axis=1) & at_site.any(axis=1)) for node in self.robots}

    def _links_of(self, frame: Frame, round_trip: F64) -> Lines:
        """Return the links that are drawn: by gain, or by the round trip of their robot."""
        lines, of_lines = [np.zeros((0, 2, 3))], [np.zeros((0, 3), np.uint8)]
        for node, link in self._drawn(self.links_of, frame):
            lines.append(np.stack(self._ends(frame, link))[None])
            if self.link_colour == "path gain":
                of_lines.append(gain_colours(frame.links.path_gain_db[link : link + 1]))
            else:
                nominal = frame.modes[node] == NOMINAL
                of_lines.append(self.delay_colours(np.array([round_trip[node] if nominal else np.nan])))
        return np.concatenate(lines).astype(np.float32), np.repeat(np.concatenate(of_lines)[:, None], 2, axis=1)

    def _paths_of(self, frame: Frame) -> Lines:
        chosen = [link for _, link in self._drawn(self.paths_of, frame)]
        return path_lines(frame.links, chosen, [self._ends(frame, link) for link in chosen])

    def _drawn(self, which: Chosen, frame: Frame) -> list[tuple[int, int]]:
        """Return node and link of those links that have a path and are chosen."""
        if which == "of the selected robot":
            links = self._pairs.get(self.selected, np.zeros(0, np.int64))
            return [(self.selected, int(link)) for link in links if np.isfinite(frame.links.path_gain_db[link])]
        best = {node: best_link(frame.links, links) for node, links in self._pairs.items() if len(links)}
        return [(node, link) for node, link in best.items() if link is not None and which != "none"]

    def _ends(self, frame: Frame, link: int) -> tuple[F64, F64]:
        """Return where the owners of a link's radios are, (3,) m each."""
        a, b = (self.place(int(self._owners[radio[link]]), frame) for radio in (frame.links.a, frame.links.b))
        assert a is not None and b is not None  # one has a body, the other is a site
        return a, b


def aim(
    server: ViserServer, bounds: tuple[F64, F64], extent: float, geometry: Geometry | None, *, right: float = 0.0
) -> None:
    """Look at the middle, or `right` of it by that part of the extent, from the south.

    It sees as far as the whole world reaches, since viser hides what is farther.
    """
    camera, middle = server.initial_camera, (bounds[0] + bounds[1]) / 2
    middle = middle + [right * extent, 0.0, 0.0]
    camera.look_at = tuple(middle)
    camera.position = tuple(middle + extent * np.array([0.08, -0.58, 0.48]))
    whole = 0.0 if geometry is None else float(np.linalg.norm(np.subtract(*geometry.bounds())))
    camera.near, camera.far = extent / 2000, 4.0 * (extent + whole)


def add_world(server: ViserServer, geometry: Geometry, water: float = 0.0) -> None:
    """Add all surfaces of a world, those of water moved by so much [m] upwards."""
    for i, surface in enumerate(surfaces(geometry)):
        up = water if "water" in surface.name else 0.0
        server.scene.add_mesh_simple(
            f"/world/{i}", surface.vertices.astype(np.float32), surface.triangles, color=surface.colour,
            flat_shading=True, side="double", cast_shadow=False, receive_shadow=False, position=(0.0, 0.0, up),
        )  # fmt: skip


def add_site(server: ViserServer, path: str, place: Sequence[float] | F64, extent: float) -> None:
    """Add a radio site at `place` (3,) m to a scene of `extent` [m]."""
    server.scene.add_icosphere(path, extent / 150, _INK, position=tuple(place))
