"""`twin sweep`: run a scenario many times, and say what all runs show together."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from twin.cli import TRUST, examples
from twin.cli.complete import SCENARIO
from twin.cli.many import UNPACED, YES, ask_first

_MOST = 1_000


@click.command(
    short_help="Run a scenario many times, and say what holds.",
    epilog=examples(
        "twin sweep city/patrol --seeds 1:20 -j 2",
        'twin sweep slow.toml --grid "network.delay=20 ms,120 ms" --seeds 1:10',
        'twin sweep slow.toml --range "network.delay=1 ms:99 ms" --design lhs:50',
        "twin sweep sweep.toml -j 4 -o sweeps/delays",
        "twin sweep sweeps/delays --cluster tcp://head:8786",
        "twin sweep city/patrol --until-decided --max-runs 500 -j 2",
    )
)
@click.argument("what", metavar="SCENARIO", type=SCENARIO)
@click.option("--set", "fixed", multiple=True, metavar="KEY=VALUE", help="Change a value in all runs; repeatable.")
@click.option("--grid", multiple=True, metavar="KEY=A,B,...", help="Run with each of these values; repeatable.")
@click.option("--range", "ranges", multiple=True, metavar="KEY=A:B", help="Sample between two values; repeatable.")
@click.option("--design", metavar="KIND:N", help="How ranges are sampled: lhs:N, sobol:N or saltelli:N.")
@click.option("--seeds", metavar="FIRST:LAST", help="Run each point with each of these seeds.")
@click.option("--record", type=click.Choice(["none", "failed", "all"]), help="Which runs keep their recordings.")
@click.option("--wall", metavar="TIME", help='End a run that takes longer, such as "10 min".')
@click.option("--memory", type=click.IntRange(1), metavar="MB", help="End a run that takes more than this.")
@click.option("--cluster", metavar="WHERE",
              help="Run on a Dask scheduler at tcp://HOST:PORT, on one of a cluster.toml, or local.")  # fmt: skip
@click.option("--good", type=click.FloatRange(0, 1, min_open=True, max_open=True), metavar="SHARE",
              help="Decide by Wald's test of this share against --probability.")  # fmt: skip
@click.option("--until-decided", is_flag=True, help="Go on, seed by seed, until all requirements are decided.")
@click.option("--max-runs", type=click.IntRange(1), default=_MOST, show_default=True, metavar="N",
              help="With --until-decided: at most so many runs of each point.")  # fmt: skip
@click.option("-j", "--jobs", type=click.IntRange(1), default=1, show_default=True, help="Runs side by side.")
@click.option("-o", "--output", type=click.Path(path_type=Path, file_okay=False),
              help="Folder of the sweep; sweeps/NAME if not given.")  # fmt: skip
@click.option("--dry-run", is_flag=True, help="Say what would run, and stop.")
@YES
@UNPACED
@click.option("--probability", type=click.FloatRange(0, 1, min_open=True, max_open=True), default=0.05,
              show_default=True, help="A requirement holds if fewer runs than this share violate it.")  # fmt: skip
@TRUST
@click.option("--json", "as_json", is_flag=True, help="Print rows and statements as JSON.")
def sweep(what: str, output: Path | None, jobs: int, yes: bool, **options: Any) -> int:
    """Run SCENARIO many times: a scenario, a sweep.toml, or the folder of a sweep.

    Runs that are done are not repeated: a folder goes on where it stopped.
    A run that crashes, hangs or eats memory costs only itself, and counts as
    one that has not met its requirements. The table is written to table.csv.

    Exit codes: 0 all requirements hold, 2 wrong input, 5 one does not,
    6 more runs are needed to tell.
    """
    from twin.cli.sweeping import Asked, execute, further, plan_of

    plan, folder = plan_of(what, output, options)
    if options["until_decided"]:
        plan = further(plan, options["max_runs"])
    if not options["dry_run"]:
        ask_first(plan.size, yes=yes)
    names = ("dry_run", "probability", "trust", "as_json", "cluster", "until_decided", "good")
    shown = {name: options[name] for name in names}
    return execute(plan, folder, Asked(jobs=jobs, **shown))
