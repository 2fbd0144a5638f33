"""`twin events`: what happened in a recorded run, and when."""

from __future__ import annotations

from pathlib import Path

import click

from twin.cli import examples


@click.command(epilog=examples("twin events run.h5", "twin events run.h5 --robot patrol-0 --kind failsafe --json"))
@click.argument("recording", type=click.Path(path_type=Path))
@click.option("--robot", metavar="NAME", help="Only of this robot.")
@click.option("--kind", metavar="KIND", help="Only of this kind.")
@click.option("--json", "as_json", is_flag=True, help="Print as JSON.")
def events(recording: Path, robot: str | None, kind: str | None, as_json: bool) -> int:
    """List the events in RECORDING in time order."""
    from dataclasses import asdict

    from rich.table import Table
    from rich.text import Text

    from twin.cli.console import out, print_json
    from twin.clock import NS
    from twin.errors import RecordingError, nearest
    from twin.recording.reader import Recording

    with Recording(recording) as run:
        names = [info.name for info in run.robots]
        found = sorted(run.events(), key=lambda event: event.time)
    if robot is not None and robot not in names:
        raise RecordingError(f"{recording}: has no robot {robot!r}{nearest(robot, names)}")
    found = [one for one in found if robot in (None, one.robot) and kind in (None, one.kind)]
    if as_json:
        print_json([asdict(event) | {"time": event.time / NS} for event in found])
        return 0
    table = Table(box=None, pad_edge=False, header_style="dim")
    table.add_column("time", justify="right")
    for name in ("kind", "robot", "detail"):
        table.add_column(name, overflow="fold")
    for one in found:
        table.add_row(*(Text(cell) for cell in (f"{one.time / NS:.3f} s", one.kind, one.robot, one.detail)))
    out.print(table if found else "no events", soft_wrap=False)
    return 0
