"""`twin new`: begin a project."""

from __future__ import annotations

from pathlib import Path

import click

from twin.cli import examples


@click.command(epilog=examples("twin new my-site", "twin run my-site/worlds/yard/scenarios/tour.toml"))
@click.argument("folder", type=click.Path(path_type=Path))
def new(folder: Path) -> int:
    """Make a project in FOLDER, which must be new or empty.

    It holds a world, a scenario and a controller, each with comments, and runs
    at once.
    """
    from twin.cli.console import out
    from twin.starter import start_project

    for path in start_project(folder):
        out.print(str(path), markup=False)
    out.print(f"\nTry: twin run {folder}/worlds/yard/scenarios/tour.toml", markup=False)
    return 0
