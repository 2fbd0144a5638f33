"""`twin report`: a page about a run."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from twin.cli import examples

if TYPE_CHECKING:
    from twin.analysis.report_run import Run


@click.command(epilog=examples("twin report run.h5 -o report.html"))
@click.argument("recording", type=click.Path(path_type=Path))
@click.option("-o", "--output", required=True, type=click.Path(path_type=Path), help="Page, .html.")
@click.option("--force", is_flag=True, help="Replace an existing page.")
def report(recording: Path, output: Path, force: bool) -> int:
    """Write a page on RECORDING: verdict, events, latency, links.

    A single self-contained HTML file; `twin compare a.h5 b.h5 -o page.html`
    makes one on two runs. The extra `report` (plotly) must be installed.
    """
    from twin.cli.console import out

    write_page([recording], output, force)
    out.print(f"written to {output}", markup=False)
    return 0


def write_page(recordings: Sequence[Path], output: Path, force: bool) -> None:
    """Write a page on one recording, or on two beside each other."""
    from twin.extras import needed

    with needed("report", "plotly"):
        from twin.analysis.report import write_report
    labels = [""] if len(recordings) == 1 else ["A", "B"]
    runs = [_run(path, label) for path, label in zip(recordings, labels, strict=True)]
    write_report(runs, output, force=force)


def _run(path: Path, label: str) -> Run:
    from twin.analysis.report_run import take_apart
    from twin.recording.reader import Recording
    from twin.runs.surroundings import place_of, world_of

    with Recording(path) as recording:
        world = world_of(recording)
        geometry = None if world is None else world.geometry
        return take_apart(recording, geometry, label, place_of(recording, world))
