"""`twin sensing`: what base stations saw in a run."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from twin.cli import examples

if TYPE_CHECKING:
    from twin.recording.reader import Recording


@click.command(
    epilog=examples(
        "twin sensing run.h5", "twin sensing run.h5 -o map.png", "twin sensing run.h5 --cpi 12 -o rd.png",
    )  # fmt: skip
)
@click.argument("recording", type=click.Path(path_type=Path))
@click.option("--cpi", "number", type=click.IntRange(min=0), help="Draw this coherent processing interval, from 0.")
@click.option("-o", "--output", type=click.Path(path_type=Path), help="Picture: .png, .svg or .pdf.")
@click.option("--force", is_flag=True, help="Replace an existing picture.")
@click.option("--json", "as_json", is_flag=True, help="Print as JSON.")
def sensing(recording: Path, number: int | None, output: Path | None, force: bool, as_json: bool) -> int:
    """Show what base stations saw in RECORDING, and how well.

    With -o, draw detections and tracks over the plan of the world; with --cpi
    range and rate of what one look detected, and of what was there.
    """
    from twin.analysis.sensed import sensed
    from twin.cli.console import out, print_json
    from twin.cli.sensed import print_sensed
    from twin.recording.reader import Recording

    if number is not None and output is None:
        raise click.UsageError("--cpi says what is drawn; -o says where it goes")
    with Recording(recording) as run:
        found = sensed(run)
        if output is not None:
            _draw(run, number, output, force)
    if as_json:
        print_json(found)
    elif output is not None:
        out.print(f"drawn in {output}", markup=False)
    else:
        print_sensed(found)
    return 0


def _draw(run: Recording, number: int | None, output: Path, force: bool) -> None:
    from twin.analysis.picture import save
    from twin.runs.surroundings import world_of
    from twin.viewer.range_doppler import draw_cpi
    from twin.viewer.seen_map import draw_seen

    if number is not None:
        figure = draw_cpi(run, number)
    else:
        world = world_of(run)
        figure = draw_seen(run, None if world is None else world.geometry)
    save(figure, output, force=force)
