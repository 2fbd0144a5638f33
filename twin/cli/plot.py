"""`twin plot`: a picture of a run."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from twin.cli import examples

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from twin.recording.reader import Recording


@click.command(
    epilog=examples(
        "twin plot run.h5 -o paths.png",
        "twin plot run.h5 --robot patrol-0 --signal position.z,latency -o z.png",
    )
)
@click.argument("recording", type=click.Path(path_type=Path))
@click.option("-o", "--output", required=True, type=click.Path(path_type=Path), help="Picture: .png, .svg or .pdf.")
@click.option(
    "--robot", "robots", metavar="NAME,...", help="Whose signals; all robots that have them if not given."
)
@click.option("--signal", "signals", metavar="NAME,...", help="Draw these signals over time.")
@click.option("--force", is_flag=True, help="Replace an existing picture.")
def plot(recording: Path, output: Path, robots: str | None, signals: str | None, force: bool) -> int:
    """Draw the paths flown in RECORDING, or signals over time.

    Paths are drawn over the plan of the world, which is looked for in the
    project around the recording. Colours show the round-trip time: from a sensor
    sample to the arrival of the command that answers it.
    """
    from twin.analysis.picture import save
    from twin.cli.console import out
    from twin.recording.reader import Recording

    if robots is not None and signals is None:
        raise click.UsageError("--robot chooses whose --signal is drawn; name a signal")
    with Recording(recording) as run:
        figure = _map(run) if signals is None else _signals(run, robots, signals)
        save(figure, output, force=force)
    out.print(f"drawn in {output}", markup=False)
    return 0


def _signals(run: Recording, robots: str | None, signals: str) -> Figure:
    from twin.analysis.signal_picture import draw_signals, having

    names = [name.strip() for name in signals.split(",")]
    if robots is None:
        return draw_signals(run, having(run, names), names)
    return draw_signals(run, [name.strip() for name in robots.split(",")], names)


def _map(run: Recording) -> Figure:
    from twin.analysis.picture import draw
    from twin.runs.surroundings import WORLDLESS, world_of

    world = world_of(run)
    return draw(run, None, WORLDLESS) if world is None else draw(run, world.geometry)
