"""`twin channel`: coverage of a world, and the paths of one link of a scenario."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from math import inf
from pathlib import Path
from typing import TYPE_CHECKING

import click

from twin.cli import TRUST, examples
from twin.cli.complete import SCENARIO, WORLD

if TYPE_CHECKING:
    from rich.progress import Progress, TaskID

    from twin.channel.coverage import Transmitter
    from twin.specs import RayTracingSpec

_MAPS = (".png", ".svg", ".pdf", ".npz")
_FREQUENCY = click.option("--carrier", metavar="HZ", default="3.5 GHz", show_default=True,
                          help="Carrier frequency, such as '28 GHz'.")  # fmt: skip
_SCATTERING = click.option("--scattering", type=click.FloatRange(0.0, 1.0), metavar="S",
                           help="Include diffuse scattering, with this coefficient for all surfaces.")  # fmt: skip
_order = partial(click.option, "--order", metavar="N", type=click.IntRange(0, 8), help="Reflections at most.")
_diffraction = partial(click.option, help="Include paths diffracted at edges.")
_tile = partial(click.option, "--tile", metavar="METRES", type=click.FloatRange(min=0.01),
                help="Longest edge of a scattering tile.")  # fmt: skip


@click.group(epilog=examples(
    "twin channel map city --site 100,0,40 -o map.png", "twin channel link city/patrol --from site-0 --to patrol-0",
))  # fmt: skip
def channel() -> None:
    """Draw the coverage of a world, and the paths of one link."""


@channel.command("map", epilog=examples(
    "twin channel map city --site 100,0,40 -o map.png",
    "twin channel map city --sites sites.csv --quantity sinr -o sinr.png",
    "twin channel map city --sites sites.csv --step 2 -o map.npz",
))  # fmt: skip
@click.argument("world", type=WORLD)
@click.option("--site", multiple=True, metavar="X,Y,Z",
              help="Isotropic transmitter of 43 dBm, Z above the ground; may be repeated.")  # fmt: skip
@click.option("--sites", type=click.Path(path_type=Path),
              help="CSV: name, x, y, z, azimuth, tilt, power and, if wanted, pattern.")  # fmt: skip
@click.option("--height", "heights", multiple=True, type=float, metavar="METRES",
              help="Height above the ground; repeatable; 1.5 if not given.")  # fmt: skip
@click.option("--step", default=5.0, show_default=True, type=click.FloatRange(min=0.01), metavar="METRES",
              help="Distance between points.")  # fmt: skip
@click.option("--area", metavar="X0,Y0,X1,Y1", help="Area to cover; all of the world if not given.")
@click.option("--bandwidth", metavar="HZ", default="20 MHz", show_default=True, help="For the noise in the SINR.")
@click.option("--quantity", default="gain", show_default=True,
              type=click.Choice(["gain", "rss", "sinr", "server", "uncertainty"]),
              help="What a picture shows; a .npz holds all.")  # fmt: skip
@click.option("-o", "--output", required=True, type=click.Path(path_type=Path), help="A .png, .svg, .pdf or .npz.")
@_FREQUENCY
@_order(default=3, show_default=True)
@_diffraction("--diffraction", is_flag=True)
@_SCATTERING
@_tile(default=5.0, show_default=True)
def map_(world: str, site: tuple[str, ...], sites: Path | None, heights: tuple[float, ...], step: float,
         area: str | None, bandwidth: str, quantity: str, output: Path, carrier: str, order: int,
         diffraction: bool, scattering: float | None, tile: float) -> int:  # fmt: skip
    """Compute the coverage of WORLD, a name or a folder."""
    import numpy as np
    from rich.progress import Progress

    from twin.analysis.rays import draw_map
    from twin.channel.coverage import QUANTITIES, Grid, Receiver, coverage, on_ground, save_npz
    from twin.cli.compiling import told
    from twin.cli.console import err, out
    from twin.cli.world import find_world
    from twin.specs import RayTracingSpec
    from twin.world.opening import open_world

    if output.suffix not in _MAPS:
        raise click.BadParameter(f"found {output.name!r}, allowed: {', '.join(_MAPS)}", param_hint="--output")
    transmitters = _transmitters(site, sites)
    here = open_world(find_world(world))
    transmitters = on_ground(here.geometry, transmitters)
    low, high = here.geometry.bounds()
    x0, y0, x1, y1 = _numbers(area, 4, "--area") if area else (low[0], low[1], high[0], high[1])
    x, y = np.arange(x0 + step / 2, x1, step), np.arange(y0 + step / 2, y1, step)
    if not len(x) or not len(y):
        raise click.BadParameter(f"found {area!r}, which holds no point at --step {step:g}", param_hint="--area")
    for height in heights or (1.5,):
        with told(), Progress(console=err, transient=True) as bar:
            task = bar.add_task(f"{len(x) * len(y)} points at {height:g} m", total=None)
            found = coverage(
                here.geometry, transmitters, Grid(x, y, height), _frequency(carrier, "--carrier"),
                _spec(RayTracingSpec(), here.geometry.materials, order, diffraction, scattering, tile),
                receiver=Receiver(bandwidth=_frequency(bandwidth, "--bandwidth")),
                outdoors=lambda points: np.array([thing is None for thing in here.inside(points)]),
                progress=partial(_show, bar, task),
            )  # fmt: skip
        path = output if len(heights) < 2 else output.with_stem(f"{output.stem}-{height:g}m")
        if output.suffix == ".npz":
            save_npz(found, path)
        else:
            marks = [(t.name, np.array(t.position)) for t in transmitters]
            draw_map(x, y, found.quantity(quantity), QUANTITIES[quantity], marks, here.geometry, path,
                     _title(here.name, transmitters, carrier, height, order, diffraction))  # fmt: skip
        covered = np.isfinite(found.rss_dbm)
        outdoors = ~np.isnan(found.rss_dbm)
        out.print(f"{path}: {covered.sum()} of {outdoors.sum()} points outdoors have a path", markup=False)
    return 0


@channel.command("link", epilog=examples("twin channel link city/patrol --from site-0 --to patrol-0 -o paths.png"))
@click.argument("scenario", type=SCENARIO)
@click.option("--from", "source", required=True, metavar="NAME", help="A robot or node with a radio.")
@click.option("--to", "target", required=True, metavar="NAME", help="Another one.")
@click.option("-o", "--output", type=click.Path(path_type=Path), help="Picture of the paths from above.")
@click.option("--json", "as_json", is_flag=True, help="Print as JSON.")
@_order()
@_diffraction("--diffraction/--no-diffraction", default=None)
@_SCATTERING
@_tile()
@TRUST
def link(scenario: str, source: str, target: str, output: Path | None, as_json: bool, order: int | None,
         diffraction: bool | None, scattering: float | None, tile: float | None, trust: bool) -> int:  # fmt: skip
    """Show the paths between two robots of SCENARIO at its start.

    Rays are traced as its [channel] says, unless options say otherwise; by the defaults of ray tracing if that is
    of another kind.
    """
    from contextlib import closing

    from twin.analysis.rays import draw_paths
    from twin.assembly.build import build
    from twin.assembly.channel import make_channel
    from twin.channel.describe import ends_of, rows_of
    from twin.channel.radios import Radios
    from twin.cli.compiling import told
    from twin.cli.consent import consent
    from twin.cli.console import out, print_json
    from twin.project.project import find_scenario
    from twin.specs import RayTracingSpec
    from twin.specs.scenario import load_scenario
    from twin.state import TracedLinks

    project, path = find_scenario(scenario)
    loaded, _ = load_scenario(path)
    consent(loaded, project, path, trust=trust)
    own = loaded.channel if isinstance(loaded.channel, RayTracingSpec) else RayTracingSpec()
    with told(), closing(build(loaded, project)) as built:
        geometry = built.world.geometry
        radios = ends_of(built.radios, [node.name for node in built.nodes], source, target)
        spec = _spec(own, geometry.materials, order, diffraction, scattering, tile).model_copy(update={"peers": True})
        bodies = built.physics.reset()
        links = make_channel(spec, built.world, radios, built.entries, built.sea).trace(0, bodies)
        position, _ = Radios(radios).motion(0, bodies)
    assert isinstance(links, TracedLinks)
    rows = rows_of(links, 0, geometry)
    if as_json:
        print_json({"from": source, "to": target, "path_gain_db": _finite(links.path_gain_db[0]), "paths": rows})
    else:
        _print_table(rows)
        weaker = f"; weaker ones left out, {links.dropped_db[0]:.2f} dB" if links.dropped_db[0] > -inf else ""
        count = "1 path" if len(rows) == 1 else f"{len(rows)} paths"
        out.print(f"{count}, {links.path_gain_db[0]:.2f} dB together{weaker}", markup=False)
    if output is not None:
        draw_paths(links, 0, (position[0], position[1]), (source, target), geometry, output)
        out.print(f"drawn in {output}", markup=False)
    return 0


def _spec(
    own: RayTracingSpec, materials: Sequence[str], order: int | None, diffraction: bool | None,
    scattering: float | None, tile: float | None,
) -> RayTracingSpec:  # fmt: skip
    """Return `own` with what was asked for in place of what it says; all `materials` scatter alike."""
    from twin.specs import SurfaceSpec

    given: dict[str, object] = {"order": order, "diffraction": diffraction, "tile": tile}
    if scattering is not None:
        rough = {name: own.surfaces.get(name, SurfaceSpec()) for name in materials}
        scattered = {name: s.model_copy(update={"scattering": scattering}) for name, s in rough.items()}
        given["surfaces"] = {**own.surfaces, **scattered}
    return own.model_copy(update={name: value for name, value in given.items() if value is not None})


def _title(
    world: str, transmitters: Sequence[Transmitter], carrier: str, height: float, order: int, diffraction: bool
) -> list[str]:
    """Return what a map of coverage shows, in two lines."""
    powers = sorted({one.power_dbm for one in transmitters})
    power = f"{powers[0]:g} dBm" if len(powers) == 1 else f"{powers[0]:g} to {powers[-1]:g} dBm"
    search = f"up to {order} reflections{' and diffraction' * diffraction}"
    sites = f"{len(transmitters)} site{'s' * (len(transmitters) > 1)} of {power}"
    return [f"Coverage of {world}", f"{carrier}  ·  {height:g} m above ground  ·  {sites}  ·  {search}"]


def _show(bar: Progress, task: TaskID, done: int, total: int) -> None:
    bar.update(task, completed=done, total=total)


def _finite(value: float) -> float | None:
    return float(value) if abs(value) < float("inf") else None


def _print_table(rows: list[dict[str, object]]) -> None:
    from rich.table import Table
    from rich.text import Text

    from twin.cli.console import out

    table = Table(box=None, pad_edge=False, header_style="dim")
    for name in ("path", "gain", "delay", "Doppler"):
        table.add_column(name, justify="right", no_wrap=True)
    table.add_column("by way of")
    for number, row in enumerate(rows):
        cells = (f"{row['gain_db']:.2f} dB", f"{row['delay_ns']:.3f} ns", f"{row['doppler_hz']:.3f} Hz")
        table.add_row(str(number), *cells, Text(str(row["way"])))
    out.print(table)


def _transmitters(site: tuple[str, ...], sites: Path | None) -> list[Transmitter]:
    from twin.channel.coverage import Transmitter, read_sites

    found = read_sites(sites) if sites is not None else []
    for number, text in enumerate(site):
        x, y, z = _numbers(text, 3, "--site")
        found.append(Transmitter(f"site{number}", (x, y, z)))
    if not found:
        raise click.UsageError("no transmitter: give --site X,Y,Z or --sites FILE")
    return found


def _frequency(text: str, option: str) -> float:
    from twin.units import parse_quantity

    try:
        return float(parse_quantity(text, "frequency"))
    except ValueError as error:
        raise click.BadParameter(str(error), param_hint=option) from None


def _numbers(text: str, count: int, option: str) -> list[float]:
    from math import isfinite

    try:
        numbers = [float(part) for part in text.split(",")]
    except ValueError:
        numbers = []
    if len(numbers) != count or not all(isfinite(number) for number in numbers):
        raise click.BadParameter(f"found {text!r}, expected {count} numbers with commas between", param_hint=option)
    return numbers
