"""The panel of packets under way, and the points that they are in space."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from html import escape
from typing import Any

import numpy as np
from viser import ViserServer

from twin.clock import NS
from twin.recording.reader import Recording
from twin.state import Frame, Packet
from twin.viewer.packets import Place, Serving, UnderWay, colour, points, whereabouts
from twin.viewer.player import SPEEDS, Player
from twin.viewer.scene import Scene

MOST_ROWS = 8
"""Packets that the panel lists; of the selected robot first."""
WATCHED = 8.0
"""Seconds of the viewer that a slow round trip should take to be watched."""


class Traffic:
    """Shows where packets are, robot by mast by edge and back; `touched` is called when the time was changed."""

    def __init__(
        self, server: ViserServer, recording: Recording, player: Player, scene: Scene, touched: Callable[[], None]
    ) -> None:
        self._recording, self._player, self._scene, self._touched = recording, player, scene, touched
        self._under_way = UnderWay(recording, scene.slowest)
        self._frame: Frame | None = None
        self._serving = Serving(recording, self._best)
        panel = server.gui.add_panel()
        with panel.add_tab("packets under way"):
            self._table: Any = server.gui.add_html("")
            watch = server.gui.add_button("watch the next packet", hint="of the selected robot, in slow motion")
        panel.float(x=15, y=-15, width=390)
        watch.on_click(lambda _: self._watch())

    def grow(self) -> None:
        """Take what was recorded since."""
        self._serving = Serving(self._recording, self._best)

    def show(self, frame: Frame, now: float, *, listed: bool = True) -> None:
        """Draw the packets under way at `now` [s], and list them."""
        at, self._frame = round(now * NS), frame
        found = self._under_way.at(at)
        places = [whereabouts(packet, at, lambda node: self._serving(node, at)) for packet in found]
        drawn = points(places, lambda node: self._scene.place(node, frame))
        self._scene.show_packets(drawn, np.array([colour(packet) for packet in found], np.uint8).reshape(-1, 3))
        if listed:
            self._table.content = self._listed(found, places, at)

    def _listed(self, found: list[Packet], places: list[Place], at: int) -> str:
        """Return the packets of the selected robot, then others, as HTML."""
        names, chosen = [robot.name for robot in self._recording.robots], self._scene.selected
        mine = [chosen not in (packet.source, packet.destination) for packet in found]
        order = np.argsort(np.array(mine, bool), kind="stable")[:MOST_ROWS]
        counts = Counter(place.words for place in places)
        total = ", ".join(f"{n} {words}" for words, n in sorted(counts.items())) or "none right now"
        rows = "".join(
            f"<tr><td>{escape(f'{found[i].kind} {found[i].sequence}')}</td>"
            f"<td>{escape(names[found[i].source])} → {escape(names[found[i].destination])}</td>"
            f"<td>{escape(self._words(found[i], places[i], names))}</td>"
            f"<td style='text-align:right'>{(at - found[i].created) / 1e6:.2f} ms</td></tr>"
            for i in order
        )
        table = f"<table style='width:100%;font-size:.95em'>{rows}</table>"
        return f"<div style='padding:0 1em;font-size:.82em;min-height:7em'>{escape(total)}{table}</div>"

    def _words(self, packet: Packet, place: Place, names: list[str]) -> str:
        where = f"at {names[place.start]}, " if place.part == 0.0 else ""
        return f"{where}{place.words}{', gets lost' if packet.fate != 'delivered' else ''}"

    def _best(self, node: int) -> int | None:
        return None if self._frame is None else self._scene.best_site(node, self._frame)

    def _watch(self) -> None:
        """Go to the next packet of the selected robot, and play so slowly that one can see it fly."""
        now = round(self._player.time * NS)
        sent = self._under_way.next_of(self._scene.selected, now)
        if sent is not None:
            self._player.seek(sent / NS)
            self._player.speed = slow_motion(self._scene.slowest)
            self._player.playing = True
            self._touched()


def slow_motion(slowest: float) -> float:
    """Return the speed at which a round trip of `slowest` [s] takes about `WATCHED` seconds."""
    speeds = [float(text.split()[0]) for text in SPEEDS]
    return min(speeds, key=lambda speed: abs(np.log(speed / (slowest / WATCHED))))
