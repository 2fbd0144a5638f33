"""`twin describe`: what a controller of a robot sees and commands, or what a profile asks for."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from twin.cli import examples
from twin.cli.complete import ROBOT


@click.command(
    epilog=examples("twin describe drone", "twin describe ./agents/rover --json", "twin describe profile:uav-c2")
)
@click.argument("robot", metavar="ROBOT|profile:NAME", type=ROBOT)
@click.option("--json", "as_json", is_flag=True, help="Print as JSON.")
def describe(robot: str, as_json: bool) -> int:
    """Show what ROBOT (a name or a folder) senses and obeys.

    Fields with shapes, units, rates and noise; controllers, failsafe and radios
    with their parameters. A number without a unit has none, or is SI.
    For profile:NAME: what it asks for, and where that is written.
    """
    from twin.cli.console import print_json
    from twin.project.catalogue import describe_robot
    from twin.project.project import Project

    if robot.startswith("profile:"):
        from twin.project.profiles import describe_profile

        facts, show = describe_profile(robot, Project.around(Path.cwd())), _print_profile
    else:
        facts, show = describe_robot(robot, Project.around(Path.cwd())), _print
    if as_json:
        print_json(facts)
    else:
        show(facts)
    return 0


def _print_profile(facts: dict[str, Any]) -> None:
    from twin.analysis.verdicts import CHECKED

    _line(f"profile {facts['profile']}: {facts['title']}")
    _line(f"{facts['document']}, version {facts['version']}; {CHECKED[facts['verified']]}")
    if facts["source"]:
        _line(facts["source"], 0, "dim")
    for name, part in facts["parts"].items():
        _heading(f"{name}{' (default)' if name in facts['default'] else ''}: {part['title']}")
        _line(f"{part['document']}, {part['clause']}; {CHECKED[part['verified']]}", 2, "dim")
        for text in part["requirements"]:
            _line(text, 2)
        for word in ("traffic", "note"):
            if part[word]:
                _line(f"{word}: {part[word]}", 2, "dim")
    if facts["unjudged"]:
        _heading("asked for besides, and not measured by a run")
        for text in facts["unjudged"]:
            _line(text, 2)


def _print(facts: dict[str, Any]) -> None:
    _line(f"{facts['robot']}: {facts['description']}")
    rate, up, down = facts["control_hz"], facts["telemetry_bytes"], facts["command_bytes"]
    if facts["command"]:
        _line(f"control at {rate} Hz; telemetry {up} B, command {down} B")
    _table("observation.sensed[...]", ("field", "shape", "unit", "noise", "what"), [
        (f["field"], f"({f['shape'][0]},)", f["unit"], _noise(f), f["description"])
        for f in facts["observation"]
    ])  # fmt: skip
    for sensor, beat, delay in dict.fromkeys((f["sensor"], f["rate_hz"], f["delay_ns"]) for f in facts["observation"]):
        _line(f"{sensor}: read {beat} times per second, there {delay / 1e6:g} ms after the fact", 2)
    _table("command", ("field", "place", "unit", "allowed", "what"), [
        (f["field"], _place(*f["index"]), f["unit"], _allowed(f["lower"], f["upper"]),
         f["description"] + ("; each joint has its own limits" if f["of_each_joint"] else ""))
        for f in facts["command"]
    ])  # fmt: skip
    for controller in facts["controllers"]:
        _print_controller(controller)
    if (failsafe := facts["failsafe"]) is not None:
        _heading(f"failsafe {failsafe['name']}")
        _line(failsafe["description"], 2, "dim")
        _print_parameters(failsafe)
    _table("radios", ("role", "carrier", "power", "gain", "noise figure", "antenna"), [
        (r["role"], f"{r['carrier'] / 1e9:g} GHz", f"{r['power']:g} dBm", f"{r['gain']:g} dBi",
         f"{r['noise_figure']:g} dB", str(r["antenna"]["pattern"]))
        for r in facts["radios"]
    ])  # fmt: skip
    if facts["server"] is not None:
        _heading("server")
        _line(f"{facts['server']['servers']} at work at once on one queue, first come first served", 2)


def _print_controller(controller: dict[str, Any]) -> None:
    _heading(f"controller {controller['name']}{' (default)' if controller['default'] else ''}")
    _line(controller["description"], 2, "dim")
    facts = f"runs on: {controller['runs_on']}, trigger: {controller['trigger']}"
    _line(f"{facts}, service time: {controller['service_time']}", 2)
    _print_parameters(controller)


def _print_parameters(facts: dict[str, Any]) -> None:
    for name, value in facts["parameters"].items():
        written = f"{value:.4g}" if isinstance(value, float) else str(value)
        written = written.lower() if isinstance(value, bool) else written  # as TOML has it
        _line(f"{name} = {written} {facts['units'].get(name, '')}".rstrip(), 2)


def _heading(text: str) -> None:
    _line(" ")
    _line(text, style="bold")


def _line(text: str, indent: int = 0, style: str = "") -> None:
    from rich.padding import Padding
    from rich.text import Text

    from twin.cli.console import out

    out.print(Padding(Text(text, style), (0, 0, 0, indent), expand=False), soft_wrap=False)


def _table(title: str, header: tuple[str, ...], rows: list[tuple[str, ...]]) -> None:
    from rich.table import Table
    from rich.text import Text

    from twin.cli.console import out

    if not rows:
        return
    _heading(title)
    table = Table(box=None, header_style="dim", padding=(0, 2))
    for name in header:
        table.add_column(name, no_wrap=name != "what")
    for row in rows:
        table.add_row(*(Text(cell) for cell in row))
    out.print(table, soft_wrap=False)


def _noise(field: dict[str, Any]) -> str:
    return f"{field['noise']:.3g} {field['noise_unit']}" if field["noise"] else "-"


def _place(start: int, stop: int) -> str:
    return f"[{start}]" if stop == start + 1 else f"[{start}:{stop}]"


def _allowed(lower: float | None, upper: float | None) -> str:
    if lower is None and upper is None:
        return "any"
    return f"{'-inf' if lower is None else f'{lower:g}'} to {'inf' if upper is None else f'{upper:g}'}"
