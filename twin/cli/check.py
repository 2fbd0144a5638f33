"""`twin check`: find mistakes before a run."""

from __future__ import annotations

from contextlib import closing

import click

from twin.cli import examples


@click.command(epilog=examples("twin check city/patrol", "twin check my.toml --set robots.patrol.count=8"))
@click.argument("scenario")
@click.option(
    "--set", "overrides", multiple=True, metavar="KEY.PATH=VALUE", help="Change a value; repeatable."
)
@click.option("--json", "as_json", is_flag=True, help="Print what was found as JSON.")
def check(scenario: str, overrides: tuple[str, ...], as_json: bool) -> int:
    """Find what is wrong with SCENARIO, without running it.

    All that it names is loaded, and bodies are placed. Every mistake is listed
    with file, key, what was found and what is allowed; the exit code is then 2.
    """
    from twin.assembly.build import build
    from twin.cli.compiling import told
    from twin.cli.console import out, print_json, say
    from twin.clock import NS
    from twin.errors import located
    from twin.project.project import find_scenario
    from twin.specs.scenario import load_scenario

    project, path = find_scenario(scenario)
    loaded, dropped = load_scenario(path, overrides)
    for line in dropped:
        say(f"dropped by --set: {line}", "yellow")
    with told(), located(file=path), closing(build(loaded, project)) as built:
        built.physics.reset()
    for note in built.notes:
        say(note, "yellow")
    facts = {
        "scenario": str(path),
        "world": built.world.name,
        "triangles": len(built.world.geometry.triangles),
        "duration": loaded.duration / NS,
        "network": loaded.network.kind,
        "robots": {c.name: {"kind": c.entry.kind, "count": len(c.specs)} for c in built.casts},
        "radios": len(built.radios),
    }
    if as_json:
        print_json(facts)
        return 0
    groups = ", ".join(f"{len(c.specs)} {c.entry.kind}" for c in built.casts)
    out.print(f"{path}: good")
    out.print(
        f"{groups} in {built.world.name}, {loaded.duration / NS:g} s over network {loaded.network.kind}"
    )
    return 0
