"""`twin plot`: a picture of a run."""

from __future__ import annotations

from pathlib import Path

import click

from twin.cli import examples


@click.command(epilog=examples("twin plot run.h5 -o paths.png", "twin plot run.h5 -o paths.svg"))
@click.argument("recording", type=click.Path(path_type=Path))
@click.option(
    "-o", "--output", required=True, type=click.Path(path_type=Path), help="Picture: .png, .svg or .pdf."
)
@click.option("--force", is_flag=True, help="Replace an existing picture.")
def plot(recording: Path, output: Path, force: bool) -> int:
    """Draw the paths flown in RECORDING over the plan of its world.

    Colours show the round-trip time: from a sensor sample to the arrival of the
    command that answers it. The world is looked for in the project around the
    recording.
    """
    from twin.analysis.picture import draw, save
    from twin.cli.console import out, say
    from twin.errors import TwinError
    from twin.project import Project
    from twin.recording.reader import Recording
    from twin.world.world import open_world

    with Recording(recording) as run:
        geometry, note = None, ""
        try:
            world = open_world(Project.around(recording.absolute().parent).world(run.header.world))
        except TwinError as error:
            note = "drawn without its world"
            say(f"{note}: {error}", "yellow")
        else:
            geometry = world.geometry
            if world.digest != run.header.world_hash:
                note = f"world {run.header.world} has changed since this run"
                say(f"{note}: {run.header.world_hash} then, {world.digest} now", "yellow")
        save(draw(run, geometry, note), output, force=force)
    out.print(f"drawn in {output}", markup=False)
    return 0
