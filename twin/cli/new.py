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
        "twin new scenario round --world city --masts 3 --drones 10",
    )
)
@click.argument("folder", metavar="FOLDER", type=click.Path(path_type=Path))
@click.argument("name", required=False)
@click.option("--for", "robot", metavar="ROBOT", help="With `controller NAME`: the robot that it is for.")
@click.option("--world", metavar="WORLD", help="With `scenario NAME`: the world that it is in.")
@click.option("--masts", type=int, metavar="N", default=3, show_default=True, help="Of a scenario: base stations.")
@click.option("--drones", type=int, metavar="N", default=4, show_default=True, help="Of a scenario: drones.")
def new(folder: Path, name: str | None, robot: str | None, world: str | None, masts: int, drones: int) -> int:
    """Make a project in FOLDER, which must be new or empty.

    It holds a world, a scenario and a controller, each with comments, and runs
    at once. In a project, `twin new controller NAME --for ROBOT` adds a controller
    for a kind of robot, and a test of it; `twin new scenario NAME --world WORLD`
    adds a scenario: masts on roofs, drones above them, ray-traced 5G.
    """
    if name is None and robot is None and world is None:
        return _project(folder)
    if str(folder) == "controller" and name is not None and robot is not None:
        return _controller(name, robot)
    if str(folder) == "scenario" and name is not None and world is not None:
        return _scenario(name, world, masts, drones)
    raise click.UsageError("expected `twin new FOLDER`, `twin new controller NAME --for ROBOT` or "
                           "`twin new scenario NAME --world WORLD`")  # fmt: skip


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
    from twin.project.starter_controller import class_name, flown_by, start_controller

    here = Path.cwd()
    project = Project.around(here)
    written = start_controller(name, robot, project)
    file, test = (path.relative_to(here) if path.is_relative_to(here) else path for path in written)
    out.print(f"{file}\n{test}", markup=False)
    out.print(f"\nTry: python -m pytest {test}", markup=False)
    reference = f"{written[0].relative_to(project.folder).as_posix()}:{class_name(name)}"
    for scenario, group in flown_by(robot, project):
        out.print(f"then twin run {scenario} --set robots.{group}.controller={reference}", markup=False)
        break
    return 0


def _scenario(name: str, world: str, masts: int, drones: int) -> int:
    from twin.assembly.starter_scenario import start_scenario
    from twin.cli.console import out
    from twin.cli.world import find_world

    folder = find_world(world)
    path = start_scenario(name, folder, masts, drones)
    out.print(str(path), markup=False)
    out.print(f"\nTry: twin run {path}\nor a controller of your own: twin new controller chase --for drone",
              markup=False)  # fmt: skip
    return 0
