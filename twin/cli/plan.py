"""`twin plan`: where base stations go, on which spectrum and for what money, so that control holds."""

from __future__ import annotations

from pathlib import Path

import click

from twin.cli import TRUST, examples
from twin.cli.complete import SCENARIO


@click.command(
    short_help="Find where base stations go so that control holds.",
    epilog=examples(
        "twin plan city/patrol plan.toml --budget 300000 -j 2",
        "twin plan harbour/array --no-run --json",
    )
)
@click.argument("scenario", type=SCENARIO)
@click.argument("plan", type=click.Path(path_type=Path), required=False)
@click.option("--budget", type=click.FloatRange(min=0), metavar="MONEY",
              help="Instead of the plan's; in its currency, over all its years.")  # fmt: skip
@click.option("--plans", type=click.IntRange(1, 50), metavar="N", help="How many different plans; else as PLAN says.")
@click.option("--simulate", type=click.IntRange(0), metavar="N",
              help="Simulate so many of the best plans and what they are compared with; all if not given.")  # fmt: skip
@click.option("--no-run", is_flag=True, help="Simulate none.")
@click.option("-j", "--jobs", type=click.IntRange(1), default=1, show_default=True, help="Runs side by side.")
@click.option("-o", "--output", type=click.Path(path_type=Path, file_okay=False),
              help="Folder of the plans; plans/NAME if not given.")  # fmt: skip
@click.option("--force", is_flag=True, help="Replace other plans in this folder.")
@TRUST
@click.option("--json", "as_json", is_flag=True, help="Print plans.json.")
def plan(scenario: str, plan: Path | None, **options: object) -> int:
    """Find where base stations of SCENARIO go, as the plan.toml PLAN asks.

    Without PLAN, it is the file of the scenario's name in its world's folder
    siting.

    Candidates come from roofs, streets and lists. What each would deliver to
    each robot is traced once and kept. A programme finds the sites that keep
    robots longest under control for the budget or, without one, the cheapest
    with which nobody is lost. The best few plans, the best coverage for the
    same money and what stands already are simulated and ranked by the
    scenario's requirements.

    Exit codes: 0 a plan loses nobody and, where simulated, passed; 2 wrong
    input; 5 none does.
    """
    from twin.cli.planning import Wanted, execute

    return execute(Wanted(scenario, plan), options)
