"""`twin verify`: does a recorded run come out the same, bit for bit?"""

from __future__ import annotations

from pathlib import Path

import click

from twin.cli import TRUST, examples


@click.command(epilog=examples("twin verify run.h5", "twin verify run.h5 --json"))
@click.argument("recording", type=click.Path(path_type=Path))
@TRUST
@click.option("--json", "as_json", is_flag=True, help="Print as JSON.")
def verify(recording: Path, trust: bool, as_json: bool) -> int:
    """Simulate RECORDING again and compare bit for bit.

    World and robots come from the project around RECORDING, or else from the
    one here. A run that ended early is compared up to its last frame. Exit
    codes: 0 same, 4 different.
    """
    from twin.cli.compiling import told
    from twin.cli.consent import consent
    from twin.cli.console import out, print_json, say
    from twin.cli.diff import changes, finite, print_streams
    from twin.errors import EXIT_DIFFERS
    from twin.project.project import Project
    from twin.recording.reader import Recording
    from twin.runs.rerun import recorded_scenario
    from twin.runs.rerun import verify as verify_run

    with Recording(recording) as run:
        project = Project.of(recording)
        consent(recorded_scenario(run)[0], project, recording, trust=trust, recorded=True)
        with told():
            found = verify_run(run, project)
    for name, then, now in changes(found.comparison):
        then, now = ("absent" if value is None else value for value in (then, now))
        say(f"not as it was: {name}: {then} then, {now} now", "yellow")
    if as_json:
        print_json(finite(found.comparison.to_dict() | {"same": found.same, "stopped": found.stopped}))
        return 0 if found.same else EXIT_DIFFERS
    if found.stopped:
        out.print(f"the simulation stopped this time: {found.stopped}", markup=False)
    for name, (x, y) in found.comparison.summary.items():
        out.print(f"summary {name}: {x} -> {y}", markup=False)
    print_streams(found.comparison)
    return 0 if found.same else EXIT_DIFFERS
