"""The panel of a replay: time, speed, what to follow, what to plot."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape
from typing import Any, cast, get_args

import numpy as np
from matplotlib.colors import to_hex
from viser import ViserServer, uplot

from twin.analysis.figures import FIGURES
from twin.analysis.picture import DELAYS
from twin.analysis.signals import Signal, signal, signal_names
from twin.analysis.tracks import Track
from twin.recording.reader import Recording
from twin.state import F64, Frame
from twin.viewer.player import SPEEDS, Player
from twin.viewer.scene import LinkColour, Scene

WINDOW = 10.0
"""Seconds of a signal before now that the plot shows."""
_NOBODY = "nobody"
_POINTS = 400
_LINE = "#0072B2"


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
        server.gui.configure_theme(control_width="large", show_logo=False, show_share_button=False)
        self._add_time()
        self._add_view()
        self._add_signal()
        server.on_client_connect(lambda _: self._touch())

    def changed(self) -> bool:
        """Tell, once, whether something other than the time has changed."""
        changed, self._dirty = self._dirty, False
        return changed

    def show(self, frame: Frame, now: float) -> None:
        """Follow the player: slider, readings, plot, camera."""
        self._slider.value = round(now, 3)
        self._play.label = "pause" if self._player.playing else "play"
        self._readings.content = self._reading(frame)
        self._plot.data = self._window(now)
        self._follow_robot(frame)

    def _add_time(self) -> None:
        gui, player = self._server.gui, self._player
        step = 1.0 / player.rate_hz
        self._slider: Any = gui.add_slider("time (s)", 0.0, max(player.duration, step), step, 0.0)
        self._play = gui.add_button("play", hint="key P")
        steps = gui.add_button_group("step", ("-1 s", "-1", "+1", "+1 s"), hint="keys B and N: one frame")
        speed = gui.add_dropdown("speed", SPEEDS, initial_value="1 x")
        loop = gui.add_checkbox("loop", False)
        frames = {"-1 s": -player.rate_hz, "-1": -1, "+1": 1, "+1 s": player.rate_hz}

        def sought(event: Any) -> None:
            if event.client is not None:  # else it is this panel that follows the player
                player.seek(float(self._slider.value))

        self._slider.on_update(sought)
        self._play.on_click(lambda _: self._toggle())
        steps.on_click(lambda _: self._step(frames[steps.value]))
        speed.on_update(lambda _: setattr(player, "speed", float(speed.value.split()[0])))
        loop.on_update(lambda _: setattr(player, "loop", loop.value))
        gui.add_command("play or pause", hotkey="P").on_trigger(lambda _: self._toggle())
        gui.add_command("one frame on", hotkey="N").on_trigger(lambda _: self._step(1))
        gui.add_command("one frame back", hotkey="B").on_trigger(lambda _: self._step(-1))

    def _add_view(self) -> None:
        gui, scene = self._server.gui, self._scene
        self._follow = gui.add_dropdown("follow", (_NOBODY, *self._tracks), initial_value=_NOBODY)
        colours = gui.add_dropdown("links show", get_args(LinkColour), initial_value=scene.link_colour)
        most = max(20.0, 2 * scene.natural_scale)
        size = gui.add_slider("robots drawn x", 1.0, most, 1.0, scene.natural_scale)
        gui.add_html(f"<div style='padding:0 1em;font-size:.85em'>Trails and links: {_key(scene.slowest)}</div>")

        def coloured(_: Any) -> None:
            scene.link_colour = cast(LinkColour, colours.value)
            self._touch()

        self._follow.on_update(lambda _: self._refollow())
        colours.on_update(coloured)
        size.on_update(lambda _: scene.scale(float(size.value)))

    def _add_signal(self) -> None:
        gui = self._server.gui
        names = tuple(self._tracks) or tuple(self._nodes)
        self._robot = gui.add_dropdown("robot", names, initial_value=names[0])
        self._readings = gui.add_html("")
        self._name: Any = gui.add_dropdown("signal", self._names(), initial_value=self._names()[0])
        self._load()
        self._plot = gui.add_uplot(
            self._window(0.0),
            (uplot.Series(label="t (s)"), uplot.Series(label=self._title(), stroke=_LINE, width=2)),
            scales={"x": uplot.Scale(time=False)}, aspect=1.6,
        )  # fmt: skip
        self._robot.on_update(lambda _: self._reselect())
        self._name.on_update(lambda _: self._reload())

    def _names(self) -> tuple[str, ...]:
        return tuple(signal_names(self._recording, self._robot.value))

    def _reselect(self) -> None:
        """Offer the signals of another robot; keep the chosen one if it has it."""
        names = self._names()
        chosen = self._name.value if self._name.value in names else names[0]
        self._name.options = names
        self._name.value = chosen
        self._reload()

    def _reload(self) -> None:
        self._load()
        self._plot.series = (uplot.Series(label="t (s)"), uplot.Series(label=self._title(), stroke=_LINE, width=2))
        self._touch()

    def _load(self) -> None:
        found = signal(self._recording, self._robot.value, self._name.value)
        known = np.isfinite(found.value)  # one value that is none blanks the whole plot
        self._signal = Signal(found.name, found.robot, found.unit, found.time[known], found.value[known])

    def _title(self) -> str:
        return f"{self._signal.name} ({self._signal.unit})" if self._signal.unit else self._signal.name

    def _window(self, now: float) -> tuple[F64, F64]:
        """Return times and values of the signal up to now; at least two, since a plot needs them."""
        time, value = self._signal.time, self._signal.value
        first, last = np.searchsorted(time, [now - WINDOW, now], side="right")
        chosen = slice(first, last, max(1, (last - first) // _POINTS))
        x, y = time[chosen], value[chosen]
        if len(x) < 2:
            y = np.full(2, value[max(last - 1, 0)] if len(value) else 0.0)
            x = np.array([now - 1.0, now])
        return x, y

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
        self._player.toggle()
        self._touch()

    def _step(self, frames: int) -> None:
        self._player.step(frames)
        self._touch()

    def _touch(self) -> None:
        self._dirty = True


def _key(slowest: float) -> str:
    """Return the key of colours of round trips."""
    stops = ", ".join(to_hex(DELAYS(i / 8)) for i in range(9))
    bar = f"display:inline-block;width:8em;height:.7em;background:linear-gradient(90deg,{stops})"
    return f"round trip 0 <span style='{bar}'></span> {1e3 * slowest:.0f} ms, grey: none or on failsafe"
