"""`twin rare`: how likely an event is that hardly any run shows."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from twin.cli import TRUST, examples
from twin.cli.complete import SCENARIO
from twin.cli.many import UNPACED, YES, ask_first


@click.command(
    short_help="Find how likely a rare event is.",
    epilog=examples(
        "twin rare my.toml 'separation_min < 1 m' --trees 500 -j 2",
        "twin rare my.toml 'tracking_max > 3 m' --importance age --levels 0.2,0.5",
        "twin rare my.toml 'collisions > 0' --importance near.py:score",
    ),
)
@click.argument("scenario", type=SCENARIO)
@click.argument("event")
@click.option("--levels", default="auto", show_default=True, metavar="A,B,...",
              help="Scores at which a run is split; auto finds them by a pilot.")  # fmt: skip
@click.option("--copies", type=click.IntRange(1), default=5, show_default=True,
              help="How often a run that reaches a level goes on.")  # fmt: skip
@click.option("--trees", type=click.IntRange(2), default=500, show_default=True, help="Independent runs to start from.")
@click.option("--pilot", type=click.IntRange(10), default=100, show_default=True,
              help="Trees of each round of the pilot.")  # fmt: skip
@click.option("--importance", metavar="SCORE", default="predicted", show_default=True,
              help="What tells how near the event is: predicted, error, age or file.py:function.")  # fmt: skip
@click.option("--horizon", metavar="TIME", default="0.8 s", show_default=True, help="How far `predicted` looks ahead.")
@click.option("--set", "fixed", multiple=True, metavar="KEY=VALUE", help="Change a value in all runs; repeatable.")
@click.option("--worst", type=click.IntRange(0), default=3, show_default=True,
              help="Trajectories to run again with a recording.")  # fmt: skip
@click.option("--picture", type=click.Path(path_type=Path), help="Draw the trees: .png, .svg or .pdf.")
@click.option("--wall", metavar="TIME", help='End a tree that takes longer, such as "10 min".')
@click.option("--memory", type=click.IntRange(1), metavar="MB", help="End a tree whose root takes more than this.")
@click.option("-j", "--jobs", type=click.IntRange(1), default=1, show_default=True, help="Trees side by side.")
@click.option("-o", "--output", type=click.Path(path_type=Path, file_okay=False),
              help="Folder of the trees; sweeps/NAME-rare if not given.")  # fmt: skip
@click.option("--force", is_flag=True, help="Replace an existing picture.")
@YES
@UNPACED
@TRUST
@click.option("--json", "as_json", is_flag=True, help="Print probability and trees as JSON.")
def rare(scenario: str, event: str, **options: Any) -> int:
    """Find how likely EVENT is in SCENARIO, such as 'separation_min < 1 m'.

    Runs that come nearer to the event are split: each copy goes on by draws
    of its own, with less weight. The sum of the weights of those that meet
    the event tells its probability without bias, in far fewer steps than
    plain runs would take. Below 30 trees with a hit, no number is stated.
    Trees that are there are not grown again.

    Exit codes: 0 a number is stated, 2 wrong input, 6 more trees are needed.
    """
    from twin.cli.rares import execute

    ask_first(options["trees"], "trees", yes=options["yes"])
    return execute(scenario, event, options)
