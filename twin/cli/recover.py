"""`twin recover`: a clean recording from what a killed run left behind."""

from __future__ import annotations

from pathlib import Path

import click

from twin.cli import examples


@click.command(epilog=examples("twin recover run.h5", "twin recover run.h5 -o clean.h5"))
@click.argument("recording", type=click.Path(path_type=Path))
@click.option("-o", "--output", type=click.Path(path_type=Path), help="Write here; RECORDING stays as it is.")
@click.option("--force", is_flag=True, help="Replace an existing output.")
@click.option("--json", "as_json", is_flag=True, help="Print as JSON.")
def recover(recording: Path, output: Path | None, force: bool, as_json: bool) -> int:
    """Recover a RECORDING whose run was killed.

    Exit code 3: recovered; the run is and stays incomplete.
    """
    from twin.cli.console import out, print_json
    from twin.clock import NS
    from twin.errors import EXIT_INCOMPLETE
    from twin.recording.recover import recover as recover_file

    found = recover_file(recording, output, force=force)
    if as_json:
        print_json({"recording": str(found.path), "recorded": found.duration / NS, "rows": found.rows})
    else:
        rows = found.rows
        out.print(f"{found.path}: recovered up to {found.duration / NS:g} s")
        out.print(f"{rows['state']} frames, {rows['packets']} packets, {rows['events']} events")
    return EXIT_INCOMPLETE
