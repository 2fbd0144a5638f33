"""Imports every real site that is here and prints the table of the README: python benchmarks/worlds.py [--json].

Sites: ../shared/data (or TWIN_DATA), the scenes of an installed or unpacked sionna-rt (SIONNA_SCENES), and Suzhou
tiled to more than 10,000 buildings. Each import runs in a process of its own, so that its memory is its own; seconds
are from the file to a world in memory, after a first import that loads libraries and compiles.
"""

import copy
import json
import multiprocessing
import os
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
DATA = Path(os.environ.get("TWIN_DATA", ROOT.parent / "shared" / "data"))
SCENES = ("simple_street_canyon", "etoile", "munich", "florence", "san_francisco")
SITES = (
    ("city/suzhou_buildings.geojson", {}),
    ("city/manhattan_buildings.json", {}),
    ("city/helsinki.osm.pbf", {}),
    ("city/delft.city.json", {"geoid_height": 43.5}),
    ("factory/small_warehouse/worlds/small_warehouse.world", {}),
    ("factory/small_warehouse/worlds/small_warehouse.world", {"visual": True}),
    ("factory/small_warehouse/worlds/no_roof_small_warehouse.world", {}),
)
CUBE = "v 0 0 0\nv 1 0 0\nv 0 1 0\nv 0 0 1\nf 1 3 2\nf 1 2 4\nf 2 3 4\nf 1 4 3\n"


def sites():
    """Yield the label, file and options of every site that is here."""
    for name, options in SITES:
        if (DATA / name).is_file():
            yield Path(name).name + (" (visual)" if options.get("visual") else ""), DATA / name, options
    scenes = scene_folder()
    for name in SCENES if scenes else ():
        yield f"{name}.xml", scenes / name / f"{name}.xml", {}


def scene_folder():
    """Return the folder of sionna-rt's scenes, or None; the package itself is not imported (it needs LLVM)."""
    if folder := os.environ.get("SIONNA_SCENES"):
        return Path(folder)
    found = [Path(entry) / "sionna/rt/scenes" for entry in sys.path]
    return next((folder for folder in found if folder.is_dir()), None)


def tiled(folder, copies=4):
    """Write Suzhou side by side `copies` times; return the file."""
    document = json.loads((DATA / "city/suzhou_buildings.geojson").read_text())
    features = []
    for i in range(copies):
        for feature in copy.deepcopy(document["features"]):
            shift(feature["geometry"]["coordinates"], 0.03 * i)
            features.append(feature)
    path = Path(folder) / "suzhou_tiled.geojson"
    path.write_text(json.dumps({"type": "FeatureCollection", "features": features}))
    return path


def shift(coordinates, east):
    """Move nested coordinates east, in place [degrees]."""
    if coordinates and isinstance(coordinates[0], (int, float)):
        coordinates[0] += east
    else:
        for inner in coordinates:
            shift(inner, east)


def measure(path, options, folder):
    """Import a site into a folder; return its report and the seconds that opening it takes."""
    sys.path.insert(0, str(ROOT))
    from twin.world.importers import import_to_folder, import_world
    from twin.world.opening import open_world

    warm = Path(folder) / "warm.obj"
    warm.write_text(CUBE)
    import_world(warm)
    report = import_to_folder(path, Path(folder) / "world", **options)
    started = time.perf_counter()
    open_world(Path(folder) / "world")
    return {**report.as_dict(), "opening": time.perf_counter() - started}


def main():
    """Print the table, or the reports as JSON."""
    rows = []
    with tempfile.TemporaryDirectory() as scratch:
        jobs = list(sites())
        if (DATA / "city/suzhou_buildings.geojson").is_file():
            jobs.append(("suzhou, tiled 4 x", tiled(scratch), {}))
        for i, (label, path, options) in enumerate(jobs):
            folder = Path(scratch) / str(i)
            folder.mkdir()
            with multiprocessing.get_context("spawn").Pool(1) as pool:
                rows.append((label, pool.apply(measure, (path, options, str(folder)))))
    if "--json" in sys.argv:
        print(json.dumps(dict(rows), indent=1))
        return
    print("| site | found | used | faces | triangles | import s | open s | MB |")
    print("|---|--:|--:|--:|--:|--:|--:|--:|")
    for label, report in rows:
        counts = " | ".join(f"{report[key]:,}" for key in ("found", "used", "faces", "triangles"))
        print(f"| {label} | {counts} | {report['seconds']:.1f} | {report['opening']:.2f} | {report['peak_mb']:.0f} |")


if __name__ == "__main__":
    main()
