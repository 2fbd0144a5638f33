"""`twin sensitivity`: which parameter figures and verdicts hang on."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from twin.cli import TRUST, examples
from twin.cli.complete import SCENARIO
from twin.cli.many import UNPACED, YES


@click.command(
    short_help="Say which parameter figures hang on.",
    epilog=examples(
        'twin sensitivity my.toml --range "network.delay=1 ms:99 ms" -j 2',
        "twin sensitivity sweeps/my --figure tracking_max,rtt_p50",
        "twin sensitivity my.toml --range network.loss=0:0.3 --design saltelli:64",
    ),
)
@click.argument("what", metavar="SCENARIO|SWEEP", type=SCENARIO)
@click.option("--range", "ranges", multiple=True, metavar="KEY=A:B", help="What is anywhere in between; repeatable.")
@click.option("--figure", "figures", metavar="NAME,...", help="Figures to look at; those of requirements if not given.")
@click.option("--absent", type=float, metavar="VALUE", help="What a run counts as that has no such figure, SI.")
@click.option("--design", metavar="KIND:N",
              help="lhs:N (100 if not given), or saltelli:N for Sobol' indices: N (keys + 2) points.")  # fmt: skip
@click.option("--seeds", metavar="FIRST:LAST", help="Run each point with each of these seeds, and take the mean.")
@click.option("--set", "fixed", multiple=True, metavar="KEY=VALUE", help="Change a value in all runs; repeatable.")
@click.option("-j", "--jobs", type=click.IntRange(1), default=1, show_default=True, help="Runs side by side.")
@click.option("-o", "--output", type=click.Path(path_type=Path, file_okay=False),
              help="Folder of the runs; sweeps/NAME-sensitivity if not given.")  # fmt: skip
@click.option("--picture", type=click.Path(path_type=Path), help="Draw bars: .png, .svg or .pdf.")
@click.option("--force", is_flag=True, help="Replace an existing picture.")
@YES
@UNPACED
@TRUST
@click.option("--json", "as_json", is_flag=True, help="Print as JSON.")
def sensitivity(what: str, ranges: tuple[str, ...], output: Path | None, **options: Any) -> int:
    """Say which of several parameters a figure hangs on, and which one turns the verdict.

    Runs SCENARIO at points spread over all ranges, with the same seeds at each,
    and once as it is; or takes the runs of a SWEEP over ranges. Says of each
    parameter how monotonously figures go with it (rank correlation), which
    share of their variance is its own, and, of requirements, how often the
    answer is another than that of the scenario as it is. Runs that are done
    are not repeated.
    """
    from twin.cli.sensitivities import execute

    return execute(what, ranges, output, options)
