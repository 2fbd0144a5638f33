"""`twin margin`: how far one value can go before a requirement breaks."""

from __future__ import annotations

from pathlib import Path

import click

from twin.cli import TRUST, examples
from twin.cli.complete import SCENARIO
from twin.cli.many import UNPACED, YES


@click.command(
    epilog=examples(
        'twin margin my.toml network.delay --between "20 ms" "200 ms"',
        "twin margin my.toml network.loss --between 0 0.9 --seeds 1:4 -j 2",
        "twin margin my.toml network.loss --between 0 0.9 --probability 0.05 -j 2",
    )
)
@click.argument("scenario", type=SCENARIO)
@click.argument("key")
@click.option("--between", nargs=2, required=True, metavar="A B", help="Where to look.")
@click.option("--within", metavar="SIZE", help="How narrow the answer is to be, in the unit of A and B; 1 % of A to B.")
@click.option("--requirement", "requirements", multiple=True, metavar="TEXT",
              help="What must hold; else all that the scenario asks.")  # fmt: skip
@click.option("--set", "fixed", multiple=True, metavar="KEY=VALUE", help="Change a value in all runs; repeatable.")
@click.option("--probability", type=click.FloatRange(0, 1, min_open=True, max_open=True), metavar="SHARE",
              help="Find the value at which this share of all runs breaks.")  # fmt: skip
@click.option("--seeds", metavar="FIRST:LAST",
              help="The worst of these counts (1:1 if not given); one a run with --probability, 1:100.")  # fmt: skip
@click.option("-j", "--jobs", type=click.IntRange(1), default=1, show_default=True, help="Runs side by side.")
@click.option("-o", "--output", type=click.Path(path_type=Path, file_okay=False),
              help="Folder of the runs; sweeps/NAME-margin if not given.")  # fmt: skip
@click.option("--picture", type=click.Path(path_type=Path), help="Draw the border: .png, .svg or .pdf.")
@click.option("--force", is_flag=True, help="Replace an existing picture.")
@YES
@UNPACED
@TRUST
@click.option("--json", "as_json", is_flag=True, help="Print the border as JSON.")
def margin(
    scenario: str,
    key: str,
    between: tuple[str, str],
    within: str | None,
    requirements: tuple[str, ...],
    fixed: tuple[str, ...],
    output: Path | None,
    **options: object,
) -> int:
    """Find how far KEY can go in SCENARIO before a requirement breaks.

    Looks first whether requirements break once between A and B: if not, or
    more than once, that is said instead. Then closes in by how far figures
    are from their limits. All values are run with the same seeds, and the
    worst run counts. Runs that are done are not repeated.

    With --probability, each run has a seed of its own, and the value is stated
    at which this share of them breaks, with its interval.

    Exit codes: 0 found, 2 wrong input or no border, 6 the interval of the value
    is not all between A and B.
    """
    from twin.cli.margins import Wanted, execute

    return execute(Wanted(scenario, key, between, within, requirements, fixed, output), options)
