"""`twin follow`: watch a run while it is being recorded."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from twin.cli import examples

if TYPE_CHECKING:
    from twin.analysis.follow import News


@click.command(epilog=examples("twin follow run.h5", "twin follow run.h5 --every 5 --json"))
@click.argument("recording", type=click.Path(path_type=Path))
@click.option("--every", metavar="SECONDS", type=click.FloatRange(min=0.1), default=1.0, show_default=True,
              help="Time between updates.")  # fmt: skip
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object per line.")
def follow(recording: Path, every: float, as_json: bool) -> int:
    """Show a run while it is being recorded, until it ends.

    One line per update: what happened since the one before. Exit codes: 0 the run came
    to its end, 3 it did not.
    """
    from time import sleep

    from twin.analysis.follow import Follower
    from twin.cli.console import out
    from twin.errors import EXIT_INCOMPLETE
    from twin.recording.files import is_being_written
    from twin.recording.reader import Recording

    with Recording(recording) as run:
        follower = Follower(run)
        writing = True
        while writing:
            writing = is_being_written(recording)  # before the look: nothing comes after the writer has gone
            news = follower.look()
            if news is not None:
                _show(news, as_json)
            if writing:
                sleep(every)
        if not as_json:
            out.print("complete" if run.complete else f"incomplete: {run.reason}", markup=False)
        return 0 if run.complete else EXIT_INCOMPLETE


def _show(news: News, as_json: bool) -> None:
    import json

    from twin.cli.console import out
    from twin.clock import NS

    if as_json:
        out.print(json.dumps(news.to_dict(), allow_nan=False), markup=False)
        return
    for event in news.events:
        out.print(f"  {event.time / NS:.3f} s  {event.kind}  {event.robot}  {event.detail}", markup=False)
    trip = "-" if news.round_trip is None else f"{news.round_trip * 1e3:.1f} ms"
    astray = f"  not nominal: {', '.join(news.astray)}" if news.astray else ""
    line = f"{news.time:8.2f} s  {news.delivered} packets, {news.lost} lost  round trip up to {trip}{astray}"
    out.print(line, markup=False)
