"""`twin world`: bring in a site, and look at what a world holds."""

from __future__ import annotations

from math import isfinite
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from twin.cli import examples
from twin.cli.complete import SCENARIO
from twin.cli.pages import HOST, PORT, until_stopped

if TYPE_CHECKING:
    from collections.abc import Sequence

    from twin.analysis.placed import Placed
    from twin.state import F64
    from twin.world.world import World

_KEYS = 3
"""Keys of tags that `info` names."""


def _finite(context: click.Context, option: click.Parameter, value: float | None) -> float | None:
    if value is not None and not isfinite(value):
        raise click.BadParameter(f"found {value}; allowed: a finite number of metres")
    return value


@click.group(epilog=examples(
    "twin world import buildings.geojson worlds/site", "twin world info city", "twin world show city -o map.png"
))
def world() -> None:
    """Import sites and look at worlds."""


@world.command("import", epilog=examples(
    "twin world import buildings.geojson worlds/site --origin auto",
    "twin world import buildings.geojson worlds/site --origin 11.59,48.15,563",
    "twin world import delft.city.json worlds/delft --geoid-height 43.5",
))  # fmt: skip
@click.argument("file", type=click.Path(path_type=Path))
@click.argument("folder", type=click.Path(path_type=Path))
@click.option("--origin", default="auto", show_default=True, metavar="auto|LON,LAT[,HEIGHT]",
              help="Where local coordinates begin: degrees, metres above the ellipsoid.")  # fmt: skip
@click.option("--name", metavar="NAME", help="Name of the world; the folder's if not given.")
@click.option("--crs", metavar="CRS", help="Coordinate system to read FILE in, such as EPSG:4326 or gcj02.")
@click.option("--ground", type=float, callback=_finite, metavar="METRES",
              help="Height of level ground above the ellipsoid.")  # fmt: skip
@click.option("--geoid-height", type=float, callback=_finite, metavar="METRES",
              help="Height of the vertical datum's zero above the ellipsoid.")  # fmt: skip
@click.option("--terrain", type=click.Path(path_type=Path), help="SRTM .hgt or GeoTIFF to stand on.")
@click.option("--latitude-first", is_flag=True, help="Degrees in FILE are latitude, longitude.")
@click.option("--visual", is_flag=True, help="Use the visual shapes of robot models, not collision shapes.")
@click.option("--json", "as_json", is_flag=True, help="Print the report as JSON.")
def import_(file: Path, folder: Path, origin: str, name: str | None, as_json: bool, **options: Any) -> int:
    """Import the site in FILE as a new world in FOLDER."""
    from twin.cli.console import out, print_json, say
    from twin.world.importers import import_to_folder

    say(f"importing {file}")
    report = import_to_folder(file, folder, origin, name=name, **options)
    for warning in report.warnings:
        say(f"warning: {warning}", "yellow")
    if as_json:
        print_json(report.as_dict())
        return 0
    used = f"{report.used} of {report.found} buildings and things from {report.format} ({report.crs})"
    out.print(f"{folder}: {used}", markup=False)
    for what in ("repaired", "skipped", "assumed"):
        for reason, count in getattr(report, what).items():
            out.print(f"  {what} {count}: {reason}", markup=False)
    _print_place(report.origin, report.extent)
    out.print(f"  {report.faces} faces, {report.triangles} triangles, {report.seconds:.1f} s, {report.peak_mb:.0f} MB")
    if report.lanes:
        out.print(f"  {report.lanes} lanes in lanes.csv")
    say(f"to see it: twin world show {folder} -o map.png")
    say(f"to fly there: twin new scenario round --world {folder} --masts 3 --drones 10")
    return 0


@world.command("info", epilog=examples("twin world info city", "twin world info worlds/site --json"))
@click.argument("reference", metavar="WORLD")
@click.option("--json", "as_json", is_flag=True, help="Print as JSON.")
def info(reference: str, as_json: bool) -> int:
    """Show what WORLD, a name or a folder, holds."""
    from twin.cli.console import out, print_json
    from twin.world.describe import describe
    from twin.world.opening import open_world

    facts = describe(open_world(find_world(reference)))
    if as_json:
        print_json(facts)
        return 0
    out.print(f"{facts['name']}: {facts['description'] or 'no description'}", markup=False)
    place = facts["origin"]
    _print_place(place and (place["longitude"], place["latitude"], place["height"]), facts["extent"])
    if facts["objects"]:
        tops = f"tops: median {facts['median_top']:.1f} m, highest {facts['highest_top']:.1f} m"
        out.print(f"  {facts['objects']} buildings and things; {tops}")
    out.print(f"  {facts['faces']} faces, {facts['triangles']} triangles, digest {facts['digest']}")
    for surface in facts["surfaces"]:
        metres = surface["thickness"]
        slab = "half-space" if metres is None else f"{1000 * metres:g} mm"
        out.print(f"  {surface['material']:20} {slab:>12} {surface['area']:12,.0f} m2")
    if facts["tags"]:
        keys = [f"{key} ({count})" for key, count in facts["tags"].items()]
        more = f", {len(keys) - _KEYS} more" if len(keys) > _KEYS else ""
        out.print(f"  tags: {', '.join(keys[:_KEYS])}{more}", markup=False)
    return 0


@world.command("show", epilog=examples(
    "twin world show city -o map.png", "twin world show city --scenario city/patrol -o placed.png",
    'twin world show factory -o map.png --below "5 m"', "twin world show city --open",
    "twin world show city -o city.html",
))  # fmt: skip
@click.argument("reference", metavar="WORLD")
@click.option("-o", "--output", type=click.Path(path_type=Path),
              help="Map: .png, .svg or .pdf; .html is a 3-D page.")  # fmt: skip
@click.option("--open", "opened", is_flag=True, help="Serve a 3-D page until Ctrl-C.")
@click.option("--below", metavar="HEIGHT",
              help="Hide what starts above this height; maps leave out a roof over most of it anyway.")  # fmt: skip
@click.option("--scenario", type=SCENARIO, help="Also draw its base stations, robots and their courses.")
@click.option("--force", is_flag=True, help="Replace an existing file.")
@HOST
@PORT
def show(
    reference: str, output: Path | None, opened: bool, below: str | None, scenario: str | None, force: bool,
    host: str, port: int,
) -> int:  # fmt: skip
    """Draw a map of WORLD, or show it in 3-D.

    The map has coordinates, heights, materials and sites. A click in a page that
    is served says where that is, ready to paste. Pages need the extra `view` (viser).
    """
    from twin.analysis.map import radio_sites
    from twin.analysis.placed import placed
    from twin.project.project import find_scenario
    from twin.specs.scenario import load_scenario
    from twin.units import parse_quantity
    from twin.world.opening import open_world

    if output is None and not opened:
        raise click.UsageError("say where: -o FILE for a map or a page, or --open for the browser")
    try:
        height = None if below is None else float(parse_quantity(below, "length"))
    except ValueError as error:
        raise click.BadParameter(str(error), param_hint="--below") from error
    shown = open_world(find_world(reference))
    page = output is not None and output.suffix.lower() == ".html"
    there = [] if scenario is None else placed(load_scenario(find_scenario(scenario)[1])[0])
    sites = radio_sites(shown.folder) if scenario is None else []
    if output is not None and not page:
        _draw(shown, height, sites, there, output, force)
    if page or opened:
        _show_in_space(shown, height, (sites, there), output if page else None, force, (host, port) if opened else None)
    return 0


def _draw(
    world: World, below: float | None, sites: Sequence[F64], there: Sequence[Placed], output: Path, force: bool
) -> None:
    from twin.analysis.map import draw_map
    from twin.analysis.picture import save
    from twin.cli.console import say

    save(draw_map(world, below, sites, there), output, force=force)
    say(f"map in {output}")


def _show_in_space(
    world: World, below: float | None, marks: tuple[Sequence[F64], Sequence[Placed]], output: Path | None, force: bool,
    serve: tuple[str, int] | None,
) -> None:  # fmt: skip
    from twin.analysis.map import begins_below
    from twin.cli.console import out, say
    from twin.extras import needed
    from twin.world.geometry import with_faces

    with needed("view", "viser"):
        from twin.viewer.site import SitePage
    geometry = world.geometry if below is None else with_faces(world.geometry, begins_below(world.geometry, below))
    host, port = serve or ("127.0.0.1", 0)
    page = SitePage(world.name, geometry, *marks, host=host, port=port)
    with until_stopped(page):
        if output is not None:
            page.export(output, force=force)
            say(f"page in {output}")
        if serve is not None:
            out.print(f"open {page.server.address} in a browser; Ctrl-C ends", markup=False)
            page.serve()


def find_world(reference: str) -> Path:
    """Return the folder of a world: a folder as it is, else a name of the project."""
    from twin.project.project import Project

    folder = Path(reference)
    return folder if folder.is_dir() else Project.around(Path.cwd()).world(reference)


def _print_place(origin: Any, extent: Any) -> None:
    from twin.cli.console import out

    low, high = extent
    size = " x ".join(f"{b - a:.0f}" for a, b in zip(low, high, strict=True))
    where = "local metres without a place on the earth"
    if origin is not None:
        where = f"origin {origin[0]:.6f}, {origin[1]:.6f} (lon, lat), {origin[2]:.1f} m above WGS 84"
    out.print(f"  {size} m; {where}")
