"""The panel of a replay: time, speed, what to follow, what to plot."""

from __future__ import annotations

from collections.abc import Callable, Coroutine, Sequence
from html import escape
from typing import Any, cast, get_args

import numpy as np
from viser import ViserServer

from twin.analysis.tracks import Track
from twin.recording.reader import Recording
from twin.specs.figures import FIGURES
from twin.state import F64, Frame
from twin.viewer.heading import event_texts, heading, legend, marks
from twin.viewer.player import SPEEDS, Player
from twin.viewer.plot import SignalPlot
from twin.viewer.radio import Chosen, LinkColour
from twin.viewer.scene import Scene
from twin.viewer.traffic import Traffic

_NOBODY, _NO_EVENT = "no robot", "choose one"


class Controls:
    """Widgets that move the player, and readings that follow it."""

    def __init__(
        self, server: ViserServer, recording: Recording, player: Player, scene: Scene, tracks: Sequence[Track],
        time: F64,
    ) -> None:  # fmt: skip
        self._server, self._recording, self._player, self._scene = server, recording, player, scene
        self._tracks = {track.robot: track for track in tracks}
        self._time = time
        self._nodes = {robot.name: node for node, robot in enumerate(recording.robots)}
        self._dirty = True
        self._followed: F64 | None = None
        self._events = recording.events()
        server.gui.configure_theme(control_width="large", show_logo=False, show_share_button=False)
        self._heading: Any = server.gui.add_html(heading(recording))
        self._add_time()
        self._add_keys()
        self._add_signals()
        self._add_view()
        self._traffic = Traffic(server, recording, player, scene, self._touch)
        server.on_client_connect(lambda _: self._touch())

    def changed(self) -> bool:
        """Tell, once, whether something other than the time has changed."""
        changed, self._dirty = self._dirty, False
        return changed

    def grow(self, tracks: Sequence[Track], time: F64) -> None:
        """Take what was recorded since."""
        self._tracks = {track.robot: track for track in tracks}
        self._time = time
        self._slider.max = self._player.duration
        self._heading.content = heading(self._recording)
        self._legend.content = legend(self._scene.slowest)
        self._traffic.grow()
        for plot in self._plots:
            plot.load()

    def show(self, frame: Frame, now: float, *, readings: bool = True) -> None:
        """Follow the player: packets, camera, and `readings`: slider, numbers, plots."""
        self._traffic.show(frame, now, listed=readings)
        self._follow_robot(frame)
        if not readings:
            return
        self._slider.value = round(now, 3)
        self._play.label = "pause" if self._player.playing or self._player.live else "play"
        self._speed.value = f"{self._player.speed:g} x"
        self._live.value = self._player.live
        self._live.visible = not self._recording.finished
        self._readings.content = self._reading(frame)
        for plot in self._plots:
            plot.show(now)

    def _add_time(self) -> None:
        gui, player = self._server.gui, self._player
        frame = 1.0 / player.rate_hz
        end = max(player.duration, frame)
        self._slider: Any = gui.add_slider("time (s)", 0.0, end, frame, 0.0, marks=marks(self._events, end),
                                           hint="marks are events; in it, arrow keys go one frame")  # fmt: skip
        self._play = gui.add_button("play", hint="space")
        steps = gui.add_button_group("step", ("-1 s", "-1", "+1", "+1 s"), hint="keys J and L: one frame")
        self._speed: Any = gui.add_dropdown("speed", SPEEDS, initial_value="1 x", hint="page up and page down")
        moments = event_texts(self._events)
        event: Any = gui.add_dropdown("go to event", (_NO_EVENT, *moments), visible=bool(moments))
        loop = gui.add_checkbox("loop", False)
        self._live: Any = gui.add_checkbox("live", player.live, visible=not self._recording.finished)
        frames = {"-1 s": -player.rate_hz, "-1": -1, "+1": 1, "+1 s": player.rate_hz}

        async def sought(event: Any) -> None:
            if event.client is not None:  # else it is this panel that follows the player
                player.seek(round(self._slider.value * player.rate_hz) / player.rate_hz)

        self._slider.on_update(sought)
        event.on_update(lambda _: self._do(lambda: player.seek(moments.get(event.value, player.time))))
        self._play.on_click(lambda _: self._toggle())
        steps.on_click(lambda _: self._step(frames[steps.value]))
        self._speed.on_update(lambda _: setattr(player, "speed", float(self._speed.value.split()[0])))
        loop.on_update(lambda _: setattr(player, "loop", loop.value))
        self._live.on_update(lambda _: setattr(player, "live", self._live.value))

    def _add_keys(self) -> None:
        """Bind keys; of those that move a slider, where it has the focus, only the two that agree with it."""
        player = self._player
        keys: dict[str, tuple[Any, Callable[[], object]]] = {
            "play or pause": ("space", self._toggle),
            "one frame on": ("L", lambda: self._step(1)),
            "one frame back": ("J", lambda: self._step(-1)),
            "faster": ("pageup", lambda: player.faster(1)),
            "slower": ("pagedown", lambda: player.faster(-1)),
            "to the start": ("home", lambda: player.seek(0.0)),
            "to the end": ("end", lambda: player.seek(player.duration)),
        }
        for label, (key, action) in keys.items():
            self._server.gui.add_command(label, hotkey=key).on_trigger(self._doing(action))

    def _add_view(self) -> None:
        gui, scene = self._server.gui, self._scene
        self._follow = gui.add_dropdown("camera follows", (_NOBODY, *self._tracks), initial_value=_NOBODY)
        links = gui.add_dropdown("radio links", get_args(Chosen), initial_value=scene.links_of)
        colours = gui.add_dropdown("coloured by", get_args(LinkColour), initial_value=scene.link_colour)
        paths = gui.add_dropdown("radio paths", get_args(Chosen), initial_value=scene.paths_of,
                                 visible=self._recording.header.paths, hint="coloured by path gain")  # fmt: skip
        most = max(20.0, 2 * scene.natural_scale)
        size = gui.add_slider("robots enlarged", 1.0, most, 1.0, scene.natural_scale, hint="1: as large as they are")
        self._legend: Any = gui.add_html(legend(scene.slowest))

        def chosen(_: Any) -> None:
            scene.link_colour, scene.links_of = cast(LinkColour, colours.value), cast(Chosen, links.value)
            scene.paths_of = cast(Chosen, paths.value)
            self._touch()

        self._follow.on_update(lambda _: self._refollow())
        for choice in (colours, links, paths):
            choice.on_update(chosen)
        size.on_update(lambda _: scene.scale(float(size.value)))

    def _add_signals(self) -> None:
        gui = self._server.gui
        names = tuple(self._tracks) or tuple(self._nodes)
        self._robot: Any = gui.add_dropdown("robot", names, initial_value=names[0], hint="or click on one")
        self._scene.selected = self._nodes[names[0]]
        self._readings = gui.add_html("")
        self._plots = [
            SignalPlot(self._server, self._recording, names[0], label, colour, first, self._touch)
            for label, colour, first in (("signal", "#0072B2", "latency"), ("and", "#D55E00", None))
        ]
        self._robot.on_update(lambda _: self._select())
        self._scene.on_click(lambda node: setattr(self._robot, "value", self._recording.robots[node].name))

    def _select(self) -> None:
        self._scene.selected = self._nodes[self._robot.value]
        for plot in self._plots:
            plot.select(self._robot.value)

    def _reading(self, frame: Frame) -> str:
        """Return what is known of the selected robot now."""
        node = self._nodes[self._robot.value]
        rows = [("mode", frame.modes[node])]
        body = self._recording.robots[node].body
        if body >= 0:
            x, y, z = frame.bodies.position[body]
            speed = float(np.linalg.norm(frame.bodies.velocity[body]))
            rows += [("place", f"{x:.1f}, {y:.1f}, {z:.1f} m"), ("speed", f"{speed:.2f} m/s")]
        if self._robot.value in self._tracks:
            point = max(int(np.searchsorted(self._time, frame.time / 1e9, side="right")) - 1, 0)
            delay = float(self._tracks[self._robot.value].round_trip[point])
            rows.append(("round trip", "-" if np.isnan(delay) else FIGURES["rtt_p50"].shown(delay)))
        cells = "".join(f"<tr><td style='padding-right:1em;opacity:.7'>{escape(name)}</td><td>{escape(value)}</td></tr>"
                        for name, value in rows)  # fmt: skip
        return f"<table style='margin:0 1em;font-size:.9em'>{cells}</table>"

    def _refollow(self) -> None:
        self._followed = None
        self._touch()

    def _follow_robot(self, frame: Frame) -> None:
        """Move all cameras by as much as the followed robot has moved; look at it when that begins."""
        if self._follow.value == _NOBODY:
            return
        place = self._scene.place(self._nodes[self._follow.value], frame)
        if place is None:
            return
        begins, moved = self._followed is None, place - (place if self._followed is None else self._followed)
        self._followed = place.copy()
        for client in self._server.get_clients().values():
            with client.atomic():
                client.camera.position = (
                    place + self._scene.close * np.array([0.0, -1.0, 0.6]) if begins else client.camera.position + moved
                )
                client.camera.look_at = place

    def _toggle(self) -> None:
        self._do(self._player.toggle)

    def _step(self, frames: int) -> None:
        self._do(lambda: self._player.step(frames))

    def _doing(self, action: Callable[[], object]) -> Callable[[object], Coroutine[Any, Any, None]]:
        """Return a callback that does it in the order of what was pressed: others run in threads of their own."""

        async def do(_: object) -> None:
            self._do(action)

        return do

    def _do(self, action: Callable[[], object]) -> None:
        action()
        self._touch()

    def _touch(self) -> None:
        self._dirty = True
