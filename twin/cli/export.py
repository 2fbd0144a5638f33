"""`twin export`: a recording in another format."""

from __future__ import annotations

from pathlib import Path

import click

from twin.cli import examples


@click.command(epilog=examples("twin export run.h5", "twin export run.h5 --to csv -o tables"))
@click.argument("recording", type=click.Path(path_type=Path))
@click.option("--to", "kind", type=click.Choice(["csv"]), default="csv", show_default=True, help="Format.")
@click.option("-o", "--output", type=click.Path(path_type=Path), help="New folder; RECORDING without .h5 if not given.")
@click.option("--json", "as_json", is_flag=True, help="Print the names of the files as JSON.")
def export(recording: Path, kind: str, output: Path | None, as_json: bool) -> int:
    """Write RECORDING in another format: csv is a folder of tables."""
    from twin.cli.console import out, print_json
    from twin.recording.export import to_csv
    from twin.recording.reader import Recording

    with Recording(recording) as run:
        files = to_csv(run, output or recording.with_suffix(""))
    if as_json:
        print_json([str(file) for file in files])
    else:
        for file in files:
            out.print(str(file))
    return 0
