"""`twin replay`: look at a run in space."""

from __future__ import annotations

from pathlib import Path

import click

from twin.cli import examples
from twin.cli.pages import HOST, PORT, until_stopped


@click.command(
    epilog=examples(
        "twin replay run.h5", "twin replay run.h5 --export run.html", "twin replay run.h5 --video run.mp4"
    )
)
@click.argument("recording", type=click.Path(path_type=Path))
@click.option("--export", type=click.Path(path_type=Path), help="Write a page that plays from a file, .html.")
@click.option("--video", type=click.Path(path_type=Path), help="Write a video, .mp4.")
@click.option("--force", is_flag=True, help="Replace an existing file.")
@HOST
@PORT
def replay(recording: Path, export: Path | None, video: Path | None, force: bool, host: str, port: int) -> int:
    """Show RECORDING in the browser: world, robots, links, signals.

    A run that is still being recorded is shown as it comes. The page is served to
    this machine only, until Ctrl-C. The extra `view`
    (viser) must be installed; for --video, the extra `video` (PyAV) is enough.
    """
    if video is not None:
        _film(recording, video, force)
    if video is None or export is not None:
        _show(recording, export, force, host, port)
    return 0


def _film(recording: Path, video: Path, force: bool) -> None:
    from twin.cli.console import out
    from twin.extras import needed
    from twin.recording.reader import Recording
    from twin.runs.surroundings import world_of

    with needed("video", "av"):
        from twin.viewer.video import write_video
    with Recording(recording) as run:
        world = world_of(run)
        write_video(run, None if world is None else world.geometry, video, force=force)
    out.print(f"written to {video}", markup=False)


def _show(recording: Path, export: Path | None, force: bool, host: str, port: int) -> None:
    from twin.cli.console import out, say
    from twin.extras import needed
    from twin.recording.reader import Recording
    from twin.runs.surroundings import sea_of, world_of

    with needed("view", "viser"), needed("view", "yourdfpy"):
        from twin.viewer.replay import Replay
    with Recording(recording) as run:
        world = world_of(run)
        geometry = None if world is None else world.geometry
        shown = Replay(run, geometry, host=host, port=0 if export else port, sea=sea_of(run, world))
        for note in shown.notes:
            say(note, "yellow")
        with until_stopped(shown):
            if export is not None:
                shown.export(export, force=force)
                out.print(f"written to {export}", markup=False)
            else:
                out.print(f"open {shown.server.address} in a browser; Ctrl-C ends", markup=False)
                shown.serve()
