"""`twin info`: what a recording holds."""

from __future__ import annotations

from pathlib import Path

import click

from twin.cli import examples


@click.command(epilog=examples("twin info run.h5", "twin info run.h5 --json"))
@click.argument("recording", type=click.Path(path_type=Path))
@click.option("--json", "as_json", is_flag=True, help="Print as JSON.")
def info(recording: Path, as_json: bool) -> int:
    """Show how the run in RECORDING went and what it was made of."""
    from twin.analysis.census import census
    from twin.analysis.held import held_by, joined
    from twin.cli.console import out, print_json
    from twin.cli.flows import print_flows
    from twin.cli.running import print_table
    from twin.clock import NS
    from twin.recording.reader import Recording

    with Recording(recording) as run:
        header = run.header
        facts = {
            "recording": str(recording),
            "complete": run.complete,
            "reason": run.reason,
            "recorded": run.duration / NS,
            "world": header.world,
            "seed": header.seed,
            "robots": [robot.name for robot in run.robots],
            "rates": {"physics": header.physics_rate_hz, "channel": header.channel_rate_hz,
                      "record": header.record_rate_hz},
            "code_version": header.code_version,
            "packages": dict(header.packages),
            "plugins": dict(header.plugins),
            **joined(run.summary, held_by(run)),
        }  # fmt: skip
    if as_json:
        print_json(facts)
        return 0
    state = "complete" if facts["complete"] else f"incomplete: {facts['reason'] or 'it was cut off'}"
    out.print(f"{recording}: {state}")
    out.print(f"{census(header)} in {header.world}, seed {header.seed}, twin {header.code_version}")
    print_table(facts)
    print_flows(facts.get("flows", {}))
    return 0
