"""`twin sensing`: what base stations saw in a run."""

from __future__ import annotations

from pathlib import Path

import click

from twin.cli import examples


@click.command(
    epilog=examples(
        "twin sensing run.h5", "twin sensing run.h5 --cpi 12 -o rd.png", "twin sensing run.h5 --json",
    )  # fmt: skip
)
@click.argument("recording", type=click.Path(path_type=Path))
@click.option("--cpi", "number", type=click.IntRange(min=0), help="Draw this coherent processing interval, from 0.")
@click.option("-o", "--output", type=click.Path(path_type=Path), help="Picture: .png, .svg or .pdf.")
@click.option("--force", is_flag=True, help="Replace an existing picture.")
@click.option("--json", "as_json", is_flag=True, help="Print as JSON.")
def sensing(recording: Path, number: int | None, output: Path | None, force: bool, as_json: bool) -> int:
    """Show what base stations saw in RECORDING, and how well.

    With --cpi, draw range and rate of what one of their looks detected, and of
    what was there.
    """
    from twin.analysis.sensed import sensed
    from twin.cli.console import out, print_json
    from twin.cli.sensed import print_sensed
    from twin.recording.reader import Recording

    if (number is None) != (output is None):
        raise click.UsageError("a picture needs both: --cpi says of what, -o where it goes")
    with Recording(recording) as run:
        found = sensed(run)
        if number is not None and output is not None:
            from twin.analysis.picture import save
            from twin.viewer.range_doppler import draw_cpi

            save(draw_cpi(run, number), output, force=force)
    if as_json:
        print_json(found)
    elif output is not None:
        out.print(f"drawn in {output}", markup=False)
    else:
        print_sensed(found)
    return 0
