"""`twin compare`: runs side by side."""

from __future__ import annotations

from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING

import click

from twin.cli import examples

if TYPE_CHECKING:
    from collections.abc import Sequence

    from twin.analysis.side_by_side import Row, Table
    from twin.recording.reader import Recording


@click.command(
    short_help="Compare runs, or the settings of sweeps.",
    epilog=examples(
        "twin compare ideal.h5 slow.h5",
        "twin compare ideal.h5 slow.h5 -o both.html",
        "twin compare recordings/*.h5 -o all.png",
        "twin compare sweeps/patrol --by robots.patrol.controller -o forest.png",
        "twin compare sweeps/before sweeps/after",
    )
)
@click.argument("recordings", nargs=-1, required=True, type=click.Path(path_type=Path), metavar="RUN...|SWEEP...")
@click.option("--by", default="", metavar="KEY", help="What to compare in a sweep; the rest is paired.")
@click.option("-o", "--output", type=click.Path(path_type=Path),
              help="Overlaid curves or a forest plot, .png, .svg or .pdf; or a page on two runs, .html.")  # fmt: skip
@click.option("--all", "everything", is_flag=True,
              help="Also defaults that come with a setting, and figures that are the same.")  # fmt: skip
@click.option("--force", is_flag=True, help="Replace an existing picture or page.")
@click.option("--json", "as_json", is_flag=True, help="Print the table as JSON.")
def compare(
    recordings: tuple[Path, ...], by: str, output: Path | None, everything: bool, force: bool, as_json: bool
) -> int:
    """Compare recordings RUN..., two or more: settings, figures, verdicts.

    Runs that differ only in their seed become one column, of means; of two such
    columns, a third has the differences, seed by seed, with their 95 % interval.
    `twin diff` compares two runs bit for bit.

    Of a SWEEP, compares what it varied, or two sweeps with each other, pair by
    pair of runs that share their seed and all else: mean differences with
    intervals, the sign test, and McNemar's test of verdicts.
    """
    from dataclasses import asdict

    from twin.analysis.side_by_side import side_by_side
    from twin.cli.console import print_json
    from twin.cli.rows import sweep_folder
    from twin.recording.reader import Recording

    folders = [folder for path in recordings if (folder := sweep_folder(path)) is not None]
    if len(folders) == len(recordings):
        from twin.cli.comparing import compare_sweeps

        return compare_sweeps(folders, by, output, everything=everything, force=force, as_json=as_json)
    if by or folders:
        raise click.UsageError("--by is of one sweep" if by else "name recordings or sweeps, not both")
    if len(recordings) < 2:
        raise click.UsageError("name two recordings or more")
    with ExitStack() as opened:
        runs = [opened.enter_context(Recording(path)) for path in recordings]
        table = side_by_side(runs)
        if as_json:
            print_json(asdict(table))
        else:
            _print(table, everything)
        if output is not None:
            _write(runs, output, force)
    return 0


def _print(table: Table, everything: bool) -> None:
    from rich import box
    from rich.table import Table as Shown
    from rich.text import Text

    from twin.cli.console import out

    shown = Shown(box=box.SIMPLE_HEAD, show_edge=False, pad_edge=False, header_style="dim")
    shown.add_column("")
    for name in table.columns:
        shown.add_column(Text(name), justify="right")

    def add(rows: Sequence[Row], style: str = "") -> None:
        for row in rows:
            shown.add_row(Text(row.label, "dim"), *(Text(cell, style or _colour(cell)) for cell in row.cells))
        if rows:
            shown.add_section()

    same = [row for row in table.figures if not row.differs]
    add([*table.settings, *(table.defaults if everything else ())], "bold")
    add([row for row in table.figures if everything or row.differs])
    add(table.verdicts)
    out.print(shown, soft_wrap=False)
    if everything:
        return
    folded = [f"{len(table.defaults)} defaults come with the settings"] if table.defaults else []
    folded += [f"{len(same)} figures are the same everywhere"] if same else []
    if folded:
        out.print(f"{', '.join(folded)}; --all shows them")


def _colour(cell: str) -> str:
    return {"passed": "green", "failed": "bold red", "inconclusive": "yellow"}.get(cell, "")


def _write(runs: Sequence[Recording], output: Path, force: bool) -> None:
    from twin.cli.console import say

    if output.suffix.lower() == ".html":
        from twin.cli.report import write_page

        if len(runs) != 2:
            raise click.BadParameter(f"found {len(runs)} recordings; a page compares two", param_hint="--output")
        write_page([run.path for run in runs], output, force)
    else:
        from twin.analysis.overlay import draw_overlay
        from twin.analysis.picture import save

        save(draw_overlay(runs, [run.path.stem for run in runs]), output, force=force)
    say(f"written to {output}")
