"""`twin verdict`: what many runs show together."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from twin.cli import examples


@click.command(
    short_help="Say what many runs show of each requirement.",
    epilog=examples(
        "twin verdict sweeps/patrol",
        "twin verdict patrol --probability 0.01 --confidence 0.99",
        "twin verdict recordings/patrol-*.h5",
        "twin verdict sweeps/delays --picture delays.png",
    ),
)
@click.argument("what", nargs=-1, required=True, type=click.Path(path_type=Path), metavar="SWEEP|RUN...")
@click.option("--probability", type=click.FloatRange(0, 1, min_open=True, max_open=True), default=0.05,
              show_default=True, help="A requirement holds if fewer runs than this share violate it.")  # fmt: skip
@click.option("--confidence", type=click.FloatRange(0.5, 1, max_open=True), default=0.95, show_default=True,
              help="How surely that is to be shown.")  # fmt: skip
@click.option("--looked", is_flag=True, help="Allow for having looked at the runs before all were done.")
@click.option("--good", type=click.FloatRange(0, 1, min_open=True, max_open=True), metavar="SHARE",
              help="Decide by Wald's test of this share against --probability; takes fewer runs.")  # fmt: skip
@click.option("--each", is_flag=True, help="Let each line hold by itself, not all of them together.")
@click.option("--strict", is_flag=True, help="Treat inconclusive requirements as failed.")
@click.option("--picture", type=click.Path(path_type=Path),
              help="Draw figures over what a sweep varied: .png, .svg or .pdf.")  # fmt: skip
@click.option("--force", is_flag=True, help="Replace an existing picture.")
@click.option("--json", "as_json", is_flag=True, help="Print as JSON.")
def verdict(
    what: tuple[Path, ...], looked: bool, each: bool, strict: bool, as_json: bool, picture: Path | None, force: bool,
    **options: Any,
) -> int:  # fmt: skip
    """Say of each requirement whether it holds in nearly all runs.

    Of a SWEEP, its folder or its name below sweeps/, or of recordings RUN... that
    differ in their seeds. Runs that were cut short or died have not met their
    requirements. All lines together hold with the confidence stated.

    Exit codes: 0 all requirements hold, 5 one does not, 6 more runs are needed
    to tell.
    """
    from dataclasses import asdict, replace

    from twin.cli.console import print_json, say
    from twin.cli.rows import rows_of
    from twin.cli.statements import print_ends, print_statements, statement_code
    from twin.studies.statements import Wanted, overall, statements

    wanted = Wanted(together=not each, sequential=looked, **options)
    runs = rows_of(what)
    wanted = replace(wanted, sequential=looked or runs.missing > 0)
    found = statements(runs.rows, wanted)
    if picture is not None:
        from twin.analysis.picture import save
        from twin.studies.surface import draw_surface

        save(draw_surface(runs.rows), picture, force=force)
        say(f"drawn in {picture}", "dim")
    if as_json:
        plain = [asdict(one) for one in found]
        print_json({"runs": len(runs.rows), "missing": runs.missing, **asdict(wanted), "answer": overall(found),
                    "statements": plain})  # fmt: skip
        return statement_code(found, strict=strict)
    print_ends(runs.rows)
    if runs.missing:
        say(runs.open, "yellow")
    print_statements(found, wanted)
    return statement_code(found, strict=strict)
