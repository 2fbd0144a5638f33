"""Plans, antenna patterns, traces, series, spectra and lists of sites: refused in words, or read."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from random import Random

import numpy as np

from fuzzing.harness import Target, Wrong
from fuzzing.mutations import bytes_changed, text_changed, tree_changed
from twin.channel.coverage import read_sites
from twin.channel.fields.msi import read_msi
from twin.network.trace import TraceNetwork
from twin.specs import MissionSpec, TraceSpec
from twin.specs.environment import SeriesSpec
from twin.tasks.make import make_task
from twin.tasks.site import TaskContext
from twin.world.builder import GeometryBuilder
from twin.world.georeference import GeoReference
from twin.world.measured_sea import read_spectra
from twin.world.series import make_series
from twin.world.world import World


def _plan() -> str:
    def simple(command: int, *params: object, frame: int = 3) -> dict[str, object]:
        return {"type": "SimpleItem", "command": command, "frame": frame, "params": list(params), "autoContinue": True}

    items = [
        simple(22, 0, 0, 0, None, 0, 0, 10), simple(16, 5, 2, 0, 90, 48.1003, 11.5, 10), simple(178, 1, 4, 0, 0, 0, 0, 0),
        simple(18, 2, 0, 8, 0, 48.1005, 11.5, 12), simple(19, 3, 0, 0, 0, 0, 0, 0), simple(93, 2, 0, 0, 0, 0, 0, 0),
        {"type": "ComplexItem", "complexItemType": "survey",
         "TransectStyleComplexItem": {"Items": [simple(16, 0, 0, 0, None, 48.1004, 11.5004, 15)]}},
        simple(20, 0, 0, 0, 0, 0, 0, 0, frame=2),
    ]  # fmt: skip
    mission = {"version": 2, "hoverSpeed": 5, "plannedHomePosition": [48.1, 11.5, 500], "items": items}
    return json.dumps(
        {"fileType": "Plan", "version": 1, "mission": mission, "geoFence": {"circles": [], "polygons": []}}
    )


def _read_plan(path: Path) -> None:
    builder = GeometryBuilder()
    builder.add_polygon([np.array([[-500.0, -500, 0], [500, -500, 0], [500, 500, 0], [-500, 500, 0]])], "concrete")
    world = World("field", builder.build(), GeoReference(11.5, 48.1, 500.0))
    task = make_task(
        MissionSpec(kind="mission", plans=(path.name,)), 1, None, TaskContext(world, lambda name: path.parent / name)
    )
    for time in (0.0, 10.0, 100.0, 1e5):
        if not np.isfinite(task.reference(0, time).position).all():
            raise Wrong(f"the plan leads nowhere at {time} s")
    figures = task.judge("nobody", []).figures()
    if any(figures.get(name) is not None for name in ("waypoints_reached", "completion_time")):
        raise Wrong(f"figures over no places: {figures}")


def _read_msi(path: Path) -> None:
    pattern = read_msi(path)
    if not (np.isfinite(pattern.cuts_db).all() and pattern.cuts_db.max() <= 1.0 and np.isfinite(pattern.gain_dbi)):
        raise Wrong(f"a gain of {pattern.cuts_db.max():g} dB over {pattern.gain_dbi:g} dBi")


def _read_trace(path: Path) -> None:
    network = TraceNetwork(TraceSpec(kind="trace", file=path), ["drone", "edge"], [True, False])
    if any(value < -1 for value in network.round_trips) or sorted(network.times) != network.times:
        raise Wrong("a negative round trip, or times that fall")


def _read_series(path: Path) -> None:
    series = make_series(SeriesSpec(file=Path(path.name), column="rain"), path.parent)
    if not np.isfinite([series.at(0), series.at(10**12), series.integral(10**10)]).all():
        raise Wrong("a series that is not finite")


def _read_spectra(path: Path) -> None:
    for spectrum in read_spectra(path):
        if not np.isfinite(spectrum.variance).all() or (spectrum.variance < 0).any():
            raise Wrong("a spectrum that can't be")


def _msi() -> str:
    cut = "".join(f"{k} {min(k, 360 - k) / 10}\n" for k in range(360))
    return f"NAME test\nFREQUENCY 3500\nGAIN 12.85 dBd\nHORIZONTAL 360\n{cut}VERTICAL 360\n{cut}"


_ROW = "2024 05 01 0{} 00 9.999 " + " ".join(f"{0.1 * k:.3f} ({0.03 + 0.01 * k:.3f})" for k in range(20)) + "\n"
SEEDS: dict[str, tuple[str, str, Callable[[Path], None]]] = {
    "plan": ("a.plan", _plan(), _read_plan),
    "antenna": ("a.msi", _msi(), _read_msi),
    "trace": (
        "a.csv",
        "time_s,round_trip_ms\n" + "".join(f"{0.1 * k:.1f},{20 + k}\n" for k in range(30)),
        _read_trace,
    ),
    "series": ("a.csv", "time,rain\n" + "".join(f"{k},{k / 10}\n" for k in range(10)), _read_series),
    "sites": (
        "a.csv",
        "name,x,y,z,azimuth,tilt,power\none,0,0,20,90,5,40\ntwo,9,9,20,0,0,43\n",
        lambda p: void(read_sites(p)),
    ),
    "spectra": ("a.data_spec", "#h\n" + _ROW.format(1) + _ROW.format(2), _read_spectra),
}


def void(value: object) -> None:
    """Drop a value."""


def _target(name: str) -> Target:
    file, text, read = SEEDS[name]

    def change(chance: Random, folder: Path) -> str:
        if chance.random() < 0.2:
            data, done = bytes_changed(text.encode(), chance)
            (folder / file).write_bytes(data)
            return done
        if file.endswith("plan") and chance.random() < 0.7:
            tree, done = tree_changed(json.loads(text), chance)
            (folder / file).write_text(json.dumps(tree))
            return done
        changed, done = text_changed(text, chance)
        (folder / file).write_text(changed, encoding="utf-8", errors="surrogatepass")
        return done

    def warm(folder: Path) -> None:
        (folder / file).write_text(text)
        read(folder / file)

    return Target(f"table-{name}", change, lambda folder: read(folder / file), 100, warm)


def targets() -> list[Target]:
    """Return the targets of tables."""
    return [_target(name) for name in SEEDS]
