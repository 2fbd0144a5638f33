"""`twin schema`: what editors need to complete and check scenario and robot files."""

from __future__ import annotations

import json
from math import isinf
from pathlib import Path
from typing import Any

import click

from twin.cli import examples
from twin.errors import TwinError


@click.command(epilog=examples("twin schema scenario -o scenario.schema.json", "twin schema robot"))
@click.argument("what", type=click.Choice(["scenario", "robot"]))
@click.option("-o", "--output", type=click.Path(path_type=Path), help="Write it here instead; an old one is replaced.")
def schema(what: str, output: Path | None) -> int:
    """Print the JSON schema of scenario files, or of robot.toml.

    Editors complete and check a TOML file whose first line names a schema:
    `#:schema ./scenario.schema.json` (Even Better TOML, taplo).
    """
    from twin.cli.console import print_json

    found: dict[str, Any]
    if what == "robot":
        from twin.specs.robot import RobotKind

        found = RobotKind.model_json_schema()
    else:
        from twin.specs.scenario import scenario_schema

        found = scenario_schema()
    if output is None:
        print_json(_finite(found))
        return 0
    try:
        output.write_text(json.dumps(_finite(found), indent=2) + "\n")
    except OSError as error:
        raise TwinError(f"{output}: can't be written: {error.strerror}") from error
    return 0


def _finite(value: Any) -> Any:
    """Leave out defaults that are infinite: JSON has no such number."""
    if isinstance(value, dict):
        return {key: _finite(item) for key, item in value.items() if not (isinstance(item, float) and isinf(item))}
    return [_finite(item) for item in value] if isinstance(value, list) else value
