"""Cost of the ray-traced channel, as CPU time of one core: python benchmarks/channel.py [case ...]

Each case prints its cost and, where two things are compared, their ratio within this run. Cases named after munich
need the scenes of sionna-rt: its wheel unpacked, and SIONNA_SCENES=.../sionna/rt/scenes.
"""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np

from twin.channel.coverage import Grid, Transmitter, coverage
from twin.channel.search.hulls import box
from twin.channel.tracer import RayTracer
from twin.link import Radio
from twin.specs import AntennaSpec, RayTracingSpec
from twin.state import BodyState
from twin.world.opening import open_world
from twin.world.world import World, save_world

CITY = Path(__file__).resolve().parents[1] / "worlds" / "city"
SITES = 4
STEP = 0.01  # m that a receiver moves in a step
WALK = 700  # steps of a walk
DRONES, SPEED, RATE = 100, 10.0, 100  # m/s, traces a second


def bodies(position):
    n = len(position)
    zero, none = np.zeros((n, 3)), np.zeros(0)
    turn = np.tile([0.0, 0.0, 0.0, 1.0], (n, 1))
    return BodyState(position, turn, zero, zero, none, none, np.zeros(n + 1, dtype=np.int64))


def places(world: World, count: int, rng, low: float, high: float, above: float):
    """Return points `above` surfaces between `low` and `high`, in the middle 300 m of the city."""
    found = np.zeros((0, 3))
    while len(found) < count:
        points = np.column_stack([rng.uniform(-150, 150, (count, 2)), np.full(count, 200.0)])
        points[:, 2] = world.height_below(points)
        good = (points[:, 2] > low) & (points[:, 2] < high)
        found = np.vstack([found, points[good]])
    return found[:count] + [0.0, 0.0, above]


def munich_world() -> World:
    """Return the scene munich of sionna-rt."""
    from twin.world.importers import import_world  # not in the cold start of a world that was imported before

    scenes = os.environ.get("SIONNA_SCENES")
    if not scenes:
        raise SystemExit("set SIONNA_SCENES to the folder sionna/rt/scenes of sionna-rt's wheel, unpacked")
    return import_world(Path(scenes) / "munich" / "munich.xml")[0]


class Case:
    """Sites on roofs, walkers in the streets, lorries."""

    step = STEP

    def __init__(
        self, walkers: int, *, lorries: int = 0, moving_site: bool = False, world: World | None = None, **spec
    ) -> None:
        rng = np.random.default_rng(5)
        self.world = world or open_world(CITY)
        sites = places(self.world, SITES, rng, 10.0, 40.0, 5.0)
        self.position = np.vstack(
            [places(self.world, walkers, rng, -9.0, 3.0, 1.5), places(self.world, 10, rng, -9.0, 3.0, 2.0)]
        )
        way = rng.normal(size=(len(self.position), 2))
        self.way = np.column_stack([way / np.linalg.norm(way, axis=1)[:, None], np.zeros(len(way))])
        radios = [Radio(i, 0, None, tuple(p), 3.5e9, role="cell") for i, p in enumerate(sites)]
        if moving_site:
            radios = [Radio(0, 0, len(self.position), (0.0, 0.0, 0.0), 3.5e9, role="cell")]
            self.position = np.vstack([self.position, sites[:1]])
            self.way = np.vstack([self.way, [1.0, 0.0, 0.0]])
        radios += [Radio(len(radios) + i, 1, i, (0.0, 0.0, 0.0), 3.5e9) for i in range(walkers)]
        hulls = [box(walkers + i, (8.0, 2.5, 3.5)) for i in range(lorries)]
        start = time.process_time()
        self.tracer = RayTracer(self.world.geometry, radios, RayTracingSpec(**spec), hulls)
        self.links = self.tracer.trace(0, bodies(self.position))
        self.first = time.process_time() - start

    def run(self, steps: int, walks: int = 3) -> float:
        """Return CPU seconds a step: of a few walks the quickest, since other programs only ever add."""
        costs = []
        for _ in range(walks):
            start = time.process_time()
            for step in range(steps):
                self.position = self.position + self.step * self.way
                self.links = self.tracer.trace(step + 1, bodies(self.position))
            costs.append((time.process_time() - start) / steps)
        return min(costs)


class Fleet(Case):
    """Drones on straight lines, each an obstacle to the others, and sites of two carriers with arrays."""

    step = SPEED / RATE

    def __init__(self) -> None:
        rng = np.random.default_rng(5)
        self.world = open_world(CITY)
        sites = places(self.world, SITES, rng, 10.0, 40.0, 5.0)
        self.position = np.column_stack([rng.uniform(-150, 150, (DRONES, 2)), np.full(DRONES, 300.0)])
        height = self.world.height_below(self.position)
        self.position[:, 2] = np.maximum(rng.uniform(30.0, 80.0, DRONES), height + 5.0)
        way = rng.normal(size=(DRONES, 2))
        self.way = np.column_stack([way / np.linalg.norm(way, axis=1)[:, None], np.zeros(DRONES)])
        array, radios = AntennaSpec(rows=8, columns=8, beam="dft", pattern="tr38901"), []
        for carrier in (28e9, 3.5e9):
            for place in sites:
                radios.append(Radio(len(radios), DRONES, None, tuple(place), carrier, antenna=array, role="cell"))
            radios += [Radio(len(radios) + i, i, i, (0.0, 0.0, 0.0), carrier) for i in range(DRONES)]
        hulls = [box(i, (0.45, 0.45, 0.1)) for i in range(DRONES)]
        self.tracer = RayTracer(self.world.geometry, radios, RayTracingSpec(), hulls)
        self.links = self.tracer.trace(0, bodies(self.position))


def specular(world: World | None = None) -> None:
    for walkers in (50, 200):
        case = Case(walkers, world=world)
        seconds = case.run(WALK)
        links = len(case.links.a)
        print(
            f"{SITES} x {walkers}, order 3: {seconds / links * 1e6:.1f} us a link-step, {1 / seconds:.0f} steps/s, "
            f"{len(case.links.path_delay) / links:.1f} paths a link"
        )


def munich() -> None:
    specular(munich_world())


def kinetic() -> None:
    """Kinetic against full search of the same trees."""
    quick, full = Case(50), Case(50, mode="exhaustive")
    a, b = quick.run(WALK), full.run(10)
    print(f"kinetic {a * 1e3:.2f} ms a step, exhaustive {b * 1e3:.2f} ms: {b / a:.0f} times")


def lorries() -> None:
    without, loaded = Case(50), Case(50, lorries=10)
    a, b = without.run(WALK), loaded.run(WALK)
    paths = [len(case.links.path_delay) for case in (without, loaded)]
    print(
        f"10 moving hulls: {b * 1e3:.2f} ms a step instead of {a * 1e3:.2f} ms; {paths[1]} paths instead of {paths[0]}"
    )


def moving() -> None:
    case = Case(50, moving_site=True)
    print(f"both ends moving: {case.run(WALK) * 1e3:.2f} ms a step and transmitter, 50 links")


def fleet() -> None:
    case = Fleet()
    seconds, links = case.run(200), len(case.links.a)
    print(
        f"{DRONES} drones at {SPEED:.0f} m/s, {links} links, {RATE} Hz: {RATE * seconds * 1e3:.0f} ms a "
        f"simulated second, {seconds / links * 1e6:.1f} us a link-step"
    )


def maps() -> None:
    """A map of the whole city, 5 m between points, for four sites: what follows the first search from the sites."""
    world, rng = open_world(CITY), np.random.default_rng(5)
    low, high = world.geometry.bounds()
    grid = Grid(np.arange(low[0] + 2.5, high[0], 5.0), np.arange(low[1] + 2.5, high[1], 5.0), 1.5)
    sites = [Transmitter(f"site-{i}", tuple(p)) for i, p in enumerate(places(world, SITES, rng, 10.0, 40.0, 5.0))]
    coverage(world.geometry, sites, Grid(grid.x[:5], grid.y[:5], 1.5), 3.5e9)  # searches, and compiles if need be
    start = time.process_time()
    found = coverage(world.geometry, sites, grid, 3.5e9)
    seconds, links = time.process_time() - start, found.path_gain_db.size
    print(f"map of {links // SITES} points and {SITES} sites: {seconds:.2f} s, {seconds / links * 1e6:.0f} us a link")


def diffraction() -> None:
    """Paths by way of edges, alone and with a reflection, beside reflections up to the third order."""
    plain, bent = Case(50), Case(50, order=1, diffraction=True)
    a, b = plain.run(200), bent.run(100)
    paths = [len(c.links.path_delay) / len(c.links.a) for c in (plain, bent)]
    print(
        f"diffraction: {b / len(bent.links.a) * 1e6:.0f} us a link-step, {b / a:.0f} times that of reflections; "
        f"{paths[1]:.1f} paths a link instead of {paths[0]:.1f}"
    )


def recall() -> None:
    """Paths found with the rays of a usual first search, of those found with ten times as many."""
    few, many = Case(50), Case(50, rays=3_000_000)
    keys = []
    for case in (few, many):
        link = np.repeat(np.arange(len(case.links.a)), np.diff(case.links.path_offset))
        keys.append(set(zip(link.tolist(), np.round(case.links.path_delay * 1e12).tolist(), strict=True)))
    power = [10 * np.log10((10 ** (c.links.path_gain_db / 10)).sum()) for c in (few, many)]
    print(f"recall {100 * len(keys[0] & keys[1]) / len(keys[1]):.2f} % of {len(keys[1])}, {power[0] - power[1]:.4f} dB")


def cold(world: str = "") -> None:
    """A new process with compiled kernels in the cache: imports, discovery, first links."""
    code = (
        "import runpy, time, resource; m = runpy.run_path('benchmarks/channel.py')\n"
        f"world = m['open_world'](m['Path']({world!r})) if {world!r} else None\n"
        "case = m['Case'](50, world=world)\n"
        "used = resource.getrusage(resource.RUSAGE_SELF)\n"
        "print(f'cold start: {used.ru_utime + used.ru_stime:.2f} s, of which {case.first:.2f} s for discovery from '\n"
        "      f\"{m['SITES']} sites\")"
    )
    for _ in range(2):  # the first may compile
        shown = subprocess.run([sys.executable, "-c", code], check=True, cwd=CITY.parents[1], stdout=subprocess.PIPE)
    print(shown.stdout.decode(), end="")


def munich_cold() -> None:
    with TemporaryDirectory() as folder:
        save_world(munich_world(), Path(folder) / "munich")
        cold(str(Path(folder) / "munich"))


CASES: dict[str, Callable[[], None]] = {
    case.__name__: case for case in (specular, fleet, kinetic, lorries, moving, maps, diffraction, recall, cold)
}
MUNICH: dict[str, Callable[[], None]] = {case.__name__: case for case in (munich, munich_cold)}

if __name__ == "__main__":
    for name in sys.argv[1:] or CASES:
        (CASES | MUNICH)[name]()
