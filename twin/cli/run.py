"""`twin run`: simulate a scenario, record it, and say how it went."""

from __future__ import annotations

from pathlib import Path

import click

from twin.cli import examples


@click.command(
    epilog=examples(
        "twin run city/patrol",
        "twin run city/patrol --set network.kind=fixed --set 'network.delay=120 ms'",
        'twin run my.toml -o run.h5 --duration "10 s" --json',
    )
)
@click.argument("scenario")
@click.option(
    "-o",
    "--output",
    type=click.Path(path_type=Path),
    help="Recording; a new name in recordings/ if not given.",
)
@click.option("--force", is_flag=True, help="Replace an existing recording.")
@click.option("--duration", help='Simulated time, such as "10 s".')
@click.option("--seed", type=int, help="Seed of all random draws.")
@click.option(
    "--set", "overrides", multiple=True, metavar="KEY.PATH=VALUE", help="Change a value; repeatable."
)
@click.option("--json", "as_json", is_flag=True, help="Print the figures as JSON.")
@click.option("-q", "--quiet", is_flag=True, help="No progress and no table.")
def run(
    scenario: str,
    output: Path | None,
    force: bool,
    duration: str | None,
    seed: int | None,
    overrides: tuple[str, ...],
    as_json: bool,
    quiet: bool,
) -> int:
    """Run SCENARIO: WORLD/NAME, or the path of a .toml file.

    Exit codes: 0 good, 1 error, 2 wrong input, 3 stopped early, 5 a
    requirement of the scenario failed.
    """
    from twin.cli.running import execute

    changes = list(overrides)
    if duration is not None:
        changes.append(f"duration={duration}")
    if seed is not None:
        changes.append(f"seed={seed}")
    return execute(scenario, output, changes, force=force, as_json=as_json, quiet=quiet)
