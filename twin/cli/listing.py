"""`twin list`: what a scenario can name."""

from __future__ import annotations

from pathlib import Path

import click

from twin.cli import examples

KINDS = ("worlds", "scenarios", "robots", "controllers", "networks", "profiles")


@click.command("list", epilog=examples("twin list", "twin list scenarios", "twin list robots --json"))
@click.argument("what", required=False, type=click.Choice(KINDS), metavar="[WHAT]")
@click.option("--json", "as_json", is_flag=True, help="Print as JSON, with files and folders.")
def list_(what: str | None, as_json: bool) -> int:
    """List what is built in and what the project around here holds.

    WHAT is worlds, scenarios, robots, controllers, networks or profiles; all of
    them if not given.
    """
    from dataclasses import asdict

    from rich.table import Table
    from rich.text import Text

    from twin.cli.console import out, print_json
    from twin.project.catalogue import CATALOGUE
    from twin.project.project import Project

    project = Project.around(Path.cwd())
    found = {kind: CATALOGUE[kind](project) for kind in (KINDS if what is None else (what,))}
    if as_json:
        print_json({kind: [asdict(entry) for entry in entries] for kind, entries in found.items()})
        return 0
    for kind, entries in found.items():
        out.print(Text(kind, "bold"))
        table = Table(box=None, show_header=False, padding=(0, 2))
        table.add_column(no_wrap=True)
        table.add_column(style="dim")
        for entry in entries:
            name = f"{entry.name} ({entry.robot})" if entry.robot else entry.name
            table.add_row(Text(name), Text(entry.fault, "red") if entry.fault else Text(entry.description))
        out.print(table, soft_wrap=False)
    return 0
