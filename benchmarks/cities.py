"""Recall in five cities nobody tuned on, beside sionna-rt: python benchmarks/cities.py [scene ...]

For each scene of sionna-rt's wheel: reflections up to the third order from four roofs to 30 places in the streets, at
the start and after a walk of 20 m in steps of 25 cm, in % of all paths that either finds, and by how much the gains of
common paths differ. Needs SIONNA_SCENES, and
SIONNA_PYTHON for sionna-rt's side (see against_sionna.py); without it twin is compared with ten times its rays.
"""

from __future__ import annotations

import os
import runpy
import sys
from pathlib import Path

import numpy as np

from twin.channel.coverage import ground_below
from twin.channel.tracer import RayTracer
from twin.link import Radio
from twin.specs import RayTracingSpec, SurfaceSpec
from twin.world.importers import import_world

HERE = Path(__file__).resolve().parent
SCENES = ("munich", "etoile", "florence", "san_francisco", "simple_street_canyon")
SITES, WALKERS, STEPS, STEP = 4, 30, 80, 0.25
SLAB = 0.1  # m, sionna-rt's default


def places(world, count, rng, low, high, above):
    """Return points `above` what is `low` to `high` metres over the ground, in the middle 400 m of the world."""
    found, (least, most) = np.zeros((0, 3)), world.geometry.bounds()
    half = np.minimum(200.0, 0.5 * (most - least)[:2] - 5.0)
    middle = 0.5 * (least + most)[:2]
    while len(found) < count:
        points = np.column_stack([rng.uniform(middle - half, middle + half, (count, 2)), np.full(count, 1e3)])
        points[:, 2] = world.height_below(points)
        over = points[:, 2] - ground_below(world.geometry, points)
        found = np.vstack([found, points[(over > low) & (over < high)]])
    return found[:count] + [0.0, 0.0, above]


def keys(links):
    link = np.repeat(np.arange(len(links.a)), np.diff(links.path_offset))
    return set(zip(link.tolist(), np.round(links.path_delay * 1e11).tolist(), strict=True))


def compare(name: str) -> None:
    bench = runpy.run_path(str(HERE / "channel.py"))
    file = Path(os.environ["SIONNA_SCENES"]) / name / f"{name}.xml"
    world, rng = import_world(file)[0], np.random.default_rng(7)
    sites, position = places(world, SITES, rng, 8.0, 45.0, 5.0), places(world, WALKERS, rng, -1.0, 1.0, 1.5)
    way = rng.normal(size=(WALKERS, 2))
    way = np.column_stack([way / np.linalg.norm(way, axis=1)[:, None], np.zeros(WALKERS)])
    radios = [Radio(i, 0, None, tuple(p), 3.5e9, role="cell") for i, p in enumerate(sites)]
    radios += [Radio(SITES + i, 1, i, (0.0, 0.0, 0.0), 3.5e9) for i in range(WALKERS)]
    slab = {material: SurfaceSpec(thickness=SLAB) for material in dict.fromkeys(world.geometry.materials)}
    tracer = RayTracer(world.geometry, radios, RayTracingSpec(surfaces=slab, max_paths=10_000))
    for series in ("start", "after walking"):
        links = tracer.trace(0, bench["bodies"](position))
        line = f"{name}, {series}: {len(links.path_delay)} paths, "
        if os.environ.get("SIONNA_PYTHON"):
            line += beside_sionna(file, sites, position, links)
        else:
            many = RayTracingSpec(surfaces=slab, max_paths=10_000, rays=10 * tracer.rays)
            more = RayTracer(world.geometry, radios, many).trace(0, bench["bodies"](position))
            found, all_ = keys(links), keys(more) | keys(links)
            line += f"{100 * len(found) / max(1, len(all_)):.1f} % of those with ten times the rays"
        print(line, flush=True)
        for step in range(STEPS if series == "start" else 0):
            position = position + STEP * way
            tracer.trace(step + 1, bench["bodies"](position))


def beside_sionna(file, sites, position, links) -> str:
    other_bench = runpy.run_path(str(HERE / "against_sionna.py"))
    other = other_bench["theirs"](file, sites, position.copy())
    both, difference = 0, []
    for i, (a, b) in enumerate(zip(links.a.tolist(), links.b.tolist(), strict=True)):
        mine = slice(links.path_offset[i], links.path_offset[i + 1])
        its = (other["transmitter"] == a) & (other["receiver"] == b - SITES)
        for p, q in other_bench["common"](links.path_delay[mine], other["delay"][its]):
            both += 1
            difference.append(20 * np.log10(np.abs(links.path_amplitude[mine][p]) / other["gain"][its][q]))
    union = len(links.path_delay) + len(other["delay"]) - both
    recall = [100 * count / max(1, union) for count in (len(links.path_delay), len(other["delay"]))]
    return (
        f"twin {recall[0]:.1f} % of {union}, sionna-rt {recall[1]:.1f} %, gains differ by "
        f"{np.median(np.abs(difference)):.4f} dB (median)"
    )


if __name__ == "__main__":
    for scene in sys.argv[1:] or SCENES:
        compare(scene)
