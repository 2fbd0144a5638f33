"""`twin report`: a page about a run."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from twin.cli import examples

if TYPE_CHECKING:
    from twin.analysis.report_run import Run


@click.command(epilog=examples("twin report run.h5 -o report.html", "twin report a.h5 --compare b.h5 -o report.html"))
@click.argument("recording", type=click.Path(path_type=Path))
@click.option("-o", "--output", required=True, type=click.Path(path_type=Path), help="Page, .html.")
@click.option("--compare", type=click.Path(path_type=Path), help="A second recording, beside the first.")
@click.option("--force", is_flag=True, help="Replace an existing page.")
def report(recording: Path, output: Path, compare: Path | None, force: bool) -> int:
    """Write a page on RECORDING: verdict, events, latency, links.

    A single self-contained HTML file. The extra `report` (plotly) must be
    installed.
    """
    from twin.cli.console import out
    from twin.extras import needed

    with needed("report", "plotly"):
        from twin.analysis.report import write_report
    runs = [_run(recording, "A" if compare else "")]
    if compare is not None:
        runs.append(_run(compare, "B"))
    write_report(runs, output, force=force)
    out.print(f"written to {output}", markup=False)
    return 0


def _run(path: Path, label: str) -> Run:
    from twin.analysis.report_run import take_apart
    from twin.recording.reader import Recording
    from twin.runs.surroundings import place_of, world_of

    with Recording(path) as recording:
        world = world_of(recording)
        geometry = None if world is None else world.geometry
        return take_apart(recording, geometry, label, place_of(recording, world))
