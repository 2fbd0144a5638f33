"""`twin warmup`: compile before the first run."""

from __future__ import annotations

import click

from twin.cli import TRUST, examples
from twin.cli.complete import SCENARIO


@click.command(epilog=examples("twin warmup", "twin warmup factory/line harbour/array"))
@click.argument("scenarios", nargs=-1, type=SCENARIO)
@TRUST
def warmup(scenarios: tuple[str, ...], trust: bool) -> int:
    """Compile for SCENARIOS, or city/patrol, before the first run.

    A moment of each is run, and not recorded. Kernels are kept in the cache
    folder (TWIN_CACHE, else ~/.cache/twin) for all runs of this machine.
    """
    from time import monotonic

    from twin.assembly.names import load_named
    from twin.cli.consent import consent
    from twin.cli.console import out
    from twin.cli.progress import RunProgress
    from twin.project.project import find_scenario
    from twin.runs.warming import EXAMPLE, compile_for, expected_kernels, momentary, second_core

    for reference in scenarios or (EXAMPLE,):
        project, path = find_scenario(reference)
        scenario, _ = load_named(path, project, momentary())
        consent(scenario, project, path, trust=trust)
        start = monotonic()
        progress = RunProgress(scenario.duration, expected_kernels(scenario), quiet=False)
        with second_core(scenario), progress:
            compile_for(scenario, project, progress.show)
        out.print(f"{reference}: ready after {monotonic() - start:.0f} s", markup=False)
    return 0
