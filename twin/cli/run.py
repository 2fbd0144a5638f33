"""`twin run`: simulate a scenario, record it, and say how it went."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import click

from twin.cli import TRUST, examples
from twin.cli.complete import SCENARIO


@click.command(
    epilog=examples(
        "twin run city/patrol",
        "twin run city/patrol --set network.kind=fixed --set 'network.delay=120 ms'",
        'twin run my.toml -o run.h5 --duration "10 s" --json',
        "twin run --from run.h5 --set network.kind=ideal -o ideal.h5",
    )
)
@click.argument("scenario", required=False, type=SCENARIO)
@click.option("--from", "recorded", type=click.Path(path_type=Path), help="Run the scenario of a recording again.")
@click.option(
    "-o",
    "--output",
    type=click.Path(path_type=Path),
    help="Recording; a new name in recordings/ if not given.",
)
@click.option("--force", is_flag=True, help="Replace an existing recording.")
@click.option("--duration", metavar="TIME", help='Simulated time, such as "10 s".')
@click.option("--seed", type=int, metavar="N", help="Seed of all random draws.")
@click.option(
    "--set", "overrides", multiple=True, metavar="KEY.PATH=VALUE", help="Change a value; repeatable."
)
@click.option("--paths", is_flag=True, help="Also record every radio path of every link.")
@click.option("--real-time", is_flag=True, help="Keep pace with the wall clock, and count missed deadlines.")
@click.option("--speed", metavar="X", type=click.FloatRange(min=0, min_open=True),
              help="With --real-time: speed-up over the wall clock.")  # fmt: skip
@click.option("--profile", is_flag=True, help="Also say where the time went, part by part.")
@click.option("--view", is_flag=True, help="Show the run in the browser while it is simulated.")
@TRUST
@click.option("--json", "as_json", is_flag=True, help="Print the figures as JSON.")
@click.option("--strict", is_flag=True, help="Treat inconclusive requirements as failed.")
@click.option("-q", "--quiet", is_flag=True, help="No progress and no table.")
def run(
    scenario: str | None,
    recorded: Path | None,
    duration: str | None,
    seed: int | None,
    overrides: tuple[str, ...],
    real_time: bool,
    speed: float | None,
    view: bool,
    **options: Any,
) -> int:
    """Run SCENARIO: WORLD/NAME, or the path of a .toml file.

    With --from, the scenario is that of a recording, with what --set changes:
    `--set network.kind=recorded` plays back what became of its packets.

    Exit codes: 0 good, 1 error, 2 wrong input, 3 stopped early, 5 a
    requirement of the scenario failed, 6 a requirement is inconclusive.
    """
    if (scenario is None) == (recorded is None):
        raise click.UsageError("name a SCENARIO, or a recording with --from, and not both")
    if speed is not None and not real_time:
        raise click.UsageError("--speed needs --real-time")
    from twin.cli.live import LivePage
    from twin.cli.running import Request, execute

    stated = {"duration": duration, "seed": seed}
    changes = [*overrides, *(f"{key}={value}" for key, value in stated.items() if value is not None)]
    pace = (speed or 1.0) if real_time else None
    asked = Request(reference=scenario, recorded=recorded, overrides=changes, speed=pace, **options)
    if not view:
        return execute(asked)
    with LivePage() as page:
        code = execute(replace(asked, seen=page.show))
        page.wait()
    return code
