"""`twin new`: begin a project, or a controller in one."""

from __future__ import annotations

from pathlib import Path

import click

from twin.cli import examples


@click.command(
    epilog=examples(
        "twin new my-site",
        "twin run my-site/worlds/yard/scenarios/tour.toml",
        "twin new controller chase --for drone",
    )
)
@click.argument("folder", metavar="FOLDER", type=click.Path(path_type=Path))
@click.argument("name", required=False)
@click.option("--for", "robot", metavar="ROBOT", help="With `controller NAME`: the robot that it is for.")
def new(folder: Path, name: str | None, robot: str | None) -> int:
    """Make a project in FOLDER, which must be new or empty.

    It holds a world, a scenario and a controller, each with comments, and runs
    at once. In a project, `twin new controller NAME --for ROBOT` adds a controller
    for a kind of robot, and a test of it.
    """
    if name is None and robot is None:
        return _project(folder)
    if str(folder) != "controller" or name is None or robot is None:
        raise click.UsageError("expected `twin new FOLDER` or `twin new controller NAME --for ROBOT`")
    return _controller(name, robot)


def _project(folder: Path) -> int:
    from twin.cli.consent import trust_own
    from twin.cli.console import out
    from twin.project.project import Project
    from twin.project.starter import start_project

    for path in start_project(folder):
        out.print(str(path), markup=False)
    tour = folder / "worlds/yard/scenarios/tour.toml"
    trust_own(tour, Project(folder.resolve()))
    out.print(f"\nTry: twin run {tour}", markup=False)
    return 0


def _controller(name: str, robot: str) -> int:
    from twin.cli.console import out
    from twin.project.project import Project
    from twin.project.starter_controller import start_controller

    here = Path.cwd()
    written = start_controller(name, robot, Project.around(here))
    file, test = (path.relative_to(here) if path.is_relative_to(here) else path for path in written)
    out.print(f"{file}\n{test}", markup=False)
    out.print(f"\nTry: python -m pytest {test}", markup=False)
    return 0
