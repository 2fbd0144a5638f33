"""Shows a recording in a page of the browser, also while it grows, or in a file that plays by itself."""

from __future__ import annotations

import time
from pathlib import Path

import numpy as np

from twin.analysis.tracks import sites, tracks
from twin.analysis.written import written
from twin.clock import NS
from twin.errors import TwinError
from twin.recording.files import is_being_written
from twin.recording.reader import Recording
from twin.state import F64, Frame
from twin.viewer.controls import Controls
from twin.viewer.heading import heading, legend, titled
from twin.viewer.models import find_models
from twin.viewer.player import Player
from twin.viewer.scene import Scene
from twin.viewer.sea import Elevation
from twin.viewer.server import Page, close_server
from twin.world.geometry import Geometry

TRAIL = 20.0
"""Seconds of the trails in a replay; a file shows the whole way."""
_REFRESH, _TELL, _LOOK = 0.04, 0.25, 0.5
"""Seconds between two pictures, between two tellings of numbers and trails, which keep a browser busy, while it plays,
and between two looks at a recording that grows."""
_MOST_SEGMENTS = 4000


class Replay:
    """A recording in a viser server; bound to loopback unless `host` says otherwise.

    Of a run that is still being recorded it shows the newest, until someone goes elsewhere. `sea` tells where
    the water's surface is.

    Raises:
        TwinError: nothing was recorded.
    """

    def __init__(
        self, recording: Recording, geometry: Geometry | None, *, host: str = "127.0.0.1", port: int = 8080,
        sea: Elevation | None = None,
    ) -> None:  # fmt: skip
        _await_frame(recording)
        self.recording, self._closed, self._told = recording, False, 0.0
        self._read()
        self.server = Page(recording.path.name, host, port)
        models, self.notes = find_models(recording)
        self.scene = Scene(self.server, recording.header, sites(recording), self._bounds(), geometry, models, sea)
        self.scene.slowest = self._slowest()
        self.player = Player(recording.duration / NS, recording.header.record_rate_hz)
        self.player.live = not recording.finished
        self._nodes = {robot.name: node for node, robot in enumerate(recording.robots)}

    def serve(self) -> None:
        """Answer browsers until Ctrl-C or `close`."""
        controls = Controls(self.server, self.recording, self.player, self.scene, self.tracks, self.time)
        shown, told, now = -1.0, -1.0, time.monotonic()
        looked = now
        while not self._closed:
            then, now = now, time.monotonic()
            if not self.recording.finished and now - looked > _LOOK:
                looked = now
                if self.recording.refresh():
                    self._grow(controls)
            self.player.advance(now - then)
            changed = controls.changed()
            if self.player.time != shown or changed or told != shown:
                moves, shown = self.player.time != shown, self.player.time
                tells = changed or not moves or now - self._told > _TELL
                frame = self.show(shown, trails=tells)
                controls.show(frame, shown, readings=tells)
                if tells:
                    told, self._told = shown, now
            time.sleep(max(0.0, _REFRESH - (time.monotonic() - now)))

    def show(self, at: float, *, trails: bool = True) -> Frame:
        """Draw the newest frame at a time [s]; return it."""
        frame = self.frame(at)
        self.scene.show(frame, self.round_trips(at))
        if trails:
            self.scene.show_trails(*self._trails(at - TRAIL, at))
        return frame

    def frame(self, at: float) -> Frame:
        """Return the newest frame at a time [s]."""
        row = int(np.searchsorted(self._times, round(at * NS), side="right")) - 1
        return next(self.recording.frames(int(self._times[max(row, 0)])))

    def round_trips(self, at: float) -> F64:
        """Return the round trip (R,) s of each robot's newest command; nan without one."""
        out = np.full(len(self.recording.robots), np.nan)
        point = max(int(np.searchsorted(self.time, at, side="right")) - 1, 0)
        for track in self.tracks:
            out[self._nodes[track.robot]] = track.round_trip[point]
        return out

    def export(self, path: Path, rate_hz: float = 15.0, *, force: bool = False) -> None:
        """Write a page that plays the run from a file, in space only.

        Raises:
            TwinError: the file exists and `force` is off, or can't be written.
        """
        with written(path, force=force) as file:
            self.scene.show_trails(*self._trails(0.0, self.player.duration))
            serializer = self.server.get_scene_serializer()
            for at in np.arange(0.0, self.player.duration + 1e-9, 1.0 / rate_hz).tolist():
                self.scene.show(self.frame(at), self.round_trips(at))
                serializer.insert_sleep(1.0 / rate_hz)
            file.write(titled(serializer.as_html(), heading(self.recording), legend(self.scene.slowest, packets=False)))

    def close(self) -> None:
        """Stop the server."""
        self._closed = True
        close_server(self.server)

    def _read(self) -> None:
        """Read what holds for the whole run."""
        self.tracks = tracks(self.recording)
        self._times = self.recording["state/time"][:]
        self.time = self._times[:: max(1, -(-len(self._times) // self._points()))] / NS

    def _grow(self, controls: Controls) -> None:
        """Take what was recorded since the last look."""
        self._read()
        self.player.duration = self.recording.duration / NS
        self.scene.slowest = self._slowest()
        controls.grow(self.tracks, self.time)

    def _points(self) -> int:
        return max(1, len(self.tracks[0].position)) if self.tracks else 1

    def _bounds(self) -> tuple[F64, F64]:
        places = [track.position for track in self.tracks]
        places += [np.array([site.position]) for site in sites(self.recording)]
        points = np.concatenate([*places, np.zeros((0 if places else 1, 3))])
        return points.min(axis=0) - 10.0, points.max(axis=0) + 10.0

    def _slowest(self) -> float:
        """Return the end of the colours: what 99 % of the round trips are below."""
        delays = np.concatenate([*(track.round_trip for track in self.tracks), np.zeros(1)])
        return max(float(np.nanquantile(delays, 0.99)), 1e-3)

    def _trails(self, start: float, stop: float) -> tuple[F64, F64]:
        """Return pieces (n, 2, 3) m of all tracks in a time, and the round trip (n,) s of each."""
        first, last = np.searchsorted(self.time, [start, stop], side="right")
        every = max(1, -(-(last - first) * max(len(self.tracks), 1) // _MOST_SEGMENTS))
        pieces, delays = [np.zeros((0, 2, 3))], [np.zeros(0)]
        for track in self.tracks:
            place = track.position[first:last:every]
            if len(place) > 1:
                pieces.append(np.stack([place[:-1], place[1:]], axis=1))
                delays.append(track.round_trip[first:last:every][1:])
        return np.concatenate(pieces), np.concatenate(delays)


def _await_frame(recording: Recording) -> None:
    """Wait for the first frame of a run that has just begun."""
    while not recording.rows["state"]:
        writing = not recording.finished and is_being_written(recording.path)  # before the look: none comes after it
        recording.refresh()
        if not writing and not recording.rows["state"]:
            raise TwinError(f"{recording.path}: holds no frame to show")
        time.sleep(_REFRESH)
