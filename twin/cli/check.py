"""`twin check`: find mistakes before a run, and damage after one."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path

import click

from twin.cli import TRUST, examples
from twin.cli.complete import SCENARIO


@click.command(epilog=examples("twin check city/patrol", "twin check my.toml --set robots.patrol.count=8",
                              "twin check run.h5"))  # fmt: skip
@click.argument("scenario", type=SCENARIO)
@click.option(
    "--set", "overrides", multiple=True, metavar="KEY.PATH=VALUE", help="Change a value; repeatable."
)
@TRUST
@click.option("--json", "as_json", is_flag=True, help="Print what was found as JSON.")
def check(scenario: str, overrides: tuple[str, ...], trust: bool, as_json: bool) -> int:
    """Find mistakes in SCENARIO, or damage in a recording.

    Everything it names is loaded, and bodies are placed. A base station in the
    air or at a wall, and a course that can't be flown, are remarked on. Every mistake is listed
    with file, key, what was found and what is allowed; the exit code is then 2.

    In a recording, every row is compared with its checksum. If any is damaged,
    the exit code is 1.
    """
    from twin.assembly.build import build
    from twin.assembly.names import load_named
    from twin.assembly.remarks import remarks
    from twin.cli.compiling import told
    from twin.cli.consent import consent
    from twin.cli.console import out, print_json, say
    from twin.clock import NS
    from twin.errors import located
    from twin.project.project import find_scenario
    from twin.recording.files import is_recording

    if is_recording(Path(scenario)):
        return _check_recording(Path(scenario), as_json)
    project, path = find_scenario(scenario)
    loaded, dropped = load_named(path, project, overrides)
    for line in dropped:
        say(f"dropped by --set: {line}", "yellow")
    consent(loaded, project, path, trust=trust)
    with told(), located(file=path), closing(build(loaded, project)) as built:
        built.physics.reset()
    noticed = remarks(built.entries, built.world, loaded.duration)
    for note in (*built.notes, *noticed):
        say(note, "yellow")
    facts = {
        "scenario": str(path),
        "world": built.world.name,
        "triangles": len(built.world.geometry.triangles),
        "duration": loaded.duration / NS,
        "network": loaded.network.kind,
        "robots": {entry.name: {"kind": entry.stated.kind, "count": len(entry.specs)} for entry in built.entries},
        "radios": len(built.radios),
        "remarks": noticed,
    }
    if as_json:
        print_json(facts)
        return 0
    groups = ", ".join(f"{len(entry.specs)} {entry.stated.kind}" for entry in built.entries)
    out.print(f"{path}: good")
    out.print(
        f"{groups} in {built.world.name}, {loaded.duration / NS:g} s over network {loaded.network.kind}"
    )
    return 0


def _check_recording(path: Path, as_json: bool) -> int:
    """Read a whole recording and say what is damaged."""
    from rich.progress import Progress

    from twin.cli.console import err, out, print_json, say
    from twin.errors import EXIT_ERROR
    from twin.recording.integrity import check as check_recording
    from twin.recording.reader import Recording

    with Recording(path) as recording:
        with Progress(console=err, transient=True, disable=not err.is_terminal) as bar:
            task = bar.add_task("reading", total=None)
            found = check_recording(recording, lambda done, total: bar.update(task, completed=done, total=total))
        ending = "complete" if recording.complete else f"not complete: {recording.reason}"
    for line in found.damage:
        say(line, "red")
    if as_json:
        print_json({"recording": str(path), "damage": list(found.damage), "blocks": found.blocks,
                    "rows": dict(found.rows), "checksums": found.checksums, "ending": ending})  # fmt: skip
    elif not found.damage:
        how = "" if found.checksums else " (this version of the format has no checksums; all of it was read)"
        out.print(f"{path}: good: {sum(found.rows.values())} rows in {found.blocks} blocks{how}; {ending}",
                  markup=False)  # fmt: skip
    return EXIT_ERROR if found.damage else 0
