"""`twin report`: a page about a run."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from twin.cli import examples

if TYPE_CHECKING:
    from twin.analysis.report_run import Run


@click.command(
    short_help="Write a page on a run, or on many.",
    epilog=examples("twin report run.h5 -o report.html", "twin report sweeps/patrol -o patrol.html"),
)
@click.argument("recording", type=click.Path(path_type=Path), metavar="RUN|STUDY")
@click.option("-o", "--output", required=True, type=click.Path(path_type=Path), help="Page, .html.")
@click.option("--probability", type=click.FloatRange(0, 1, min_open=True, max_open=True), default=0.05,
              show_default=True, help="Of a sweep: fewer runs than this share may violate a requirement.")  # fmt: skip
@click.option("--confidence", type=click.FloatRange(0.5, 1, max_open=True), default=0.95, show_default=True,
              help="Of a sweep: how surely that is to be shown.")  # fmt: skip
@click.option("--force", is_flag=True, help="Replace an existing page.")
def report(recording: Path, output: Path, force: bool, **shares: float) -> int:
    """Write a page on a recorded RUN: verdict, events, latency, links.

    A single self-contained HTML file; `twin compare a.h5 b.h5 -o page.html`
    makes one on two runs. The extra `report` (plotly) must be installed.

    Of a STUDY, the folder of a sweep, a margin, a sensitivity or a rare event,
    or its name below sweeps/: what all its runs show, with pictures.
    """
    from twin.cli.console import out
    from twin.cli.rows import study_folder

    if recording.is_dir() or study_folder(recording) is not None:
        from twin.cli.studies import opened
        from twin.studies.pages import page

        page.write_page(opened(recording, shares), output, force=force)
    else:
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
