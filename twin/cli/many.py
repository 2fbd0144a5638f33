"""What commands that make many runs have in common."""

from __future__ import annotations

import click

ASK = 10_000
"""Runs from which on it is asked first."""


def _refuse(context: click.Context, option: click.Parameter, given: bool) -> None:
    if given:
        raise click.UsageError("many runs share a clock on the wall, so none is paced by it: `twin run --real-time` is")


UNPACED = click.option("--real-time", is_flag=True, hidden=True, expose_value=False, callback=_refuse,
                       help="Refused: none of many runs is paced.")  # fmt: skip
YES = click.option("--yes", is_flag=True, help=f"Don't ask before more than {ASK} runs.")


def ask_first(count: int, what: str = "runs", *, yes: bool) -> None:
    """Ask before more than `ASK` runs.

    Raises:
        click.Abort: the answer is no, or there is nobody to ask.
    """
    if count > ASK and not yes:
        click.confirm(f"{count:,} {what}: go on?", abort=True, err=True)
