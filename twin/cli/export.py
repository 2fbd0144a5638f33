"""`twin export`: a recording in another format."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from twin.cli import examples
from twin.recording.export import FORMATS

if TYPE_CHECKING:
    from twin.recording.reader import Recording
    from twin.world.georeference import GeoReference


@click.command(epilog=examples("twin export run.h5", "twin export run.h5 --to pcap -o run.pcapng"))
@click.argument("recording", type=click.Path(path_type=Path))
@click.option("--to", "kind", type=click.Choice(list(FORMATS)), default="csv", show_default=True, help="Format.")
@click.option("-o", "--output", type=click.Path(path_type=Path), help="File or folder; beside RECORDING by default.")
@click.option("--force", is_flag=True, help="Replace an existing file.")
@click.option("--json", "as_json", is_flag=True, help="Print the names of the files as JSON.")
def export(recording: Path, kind: str, output: Path | None, force: bool, as_json: bool) -> int:
    """Write RECORDING in another format.

    csv and parquet are folders of tables; mcap is for Foxglove, pcap for
    Wireshark, kml for Google Earth, czml for Cesium, rrd for Rerun.
    """
    from importlib import import_module

    from twin.cli.console import out, print_json
    from twin.errors import RecordingError
    from twin.extras import needed
    from twin.recording.reader import Recording

    chosen = FORMATS[kind]
    module, _, name = chosen.function.partition(":")
    target = output or recording.with_suffix(chosen.ending)
    with Recording(recording) as run:
        if chosen.ending and target.exists() and not force:
            raise RecordingError(f"{target}: exists already; --force replaces it")
        with needed(chosen.extra, chosen.package):
            write = getattr(import_module(f"twin.recording.export.{module}"), name)
        try:
            files = write(run, target, _origin(run)) if chosen.places else write(run, target)
        except OSError as error:
            raise RecordingError(f"{target}: can't be written: {error.strerror or error}") from error
    if as_json:
        print_json([str(file) for file in files])
    else:
        for file in files:
            out.print(str(file), markup=False)
    return 0


def _origin(run: Recording) -> GeoReference:
    """Return where on the earth the world of a run lies."""
    from twin.errors import RecordingError
    from twin.project.project import Project
    from twin.world.opening import open_world

    world = open_world(Project.of(run.path).world(run.header.world))
    if world.georeference is None:
        raise RecordingError(f"{run.path}: the world {world.name} has no [origin] in its world.toml")
    return world.georeference
