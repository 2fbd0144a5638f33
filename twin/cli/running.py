"""What `twin run` shows: progress while it runs, a table at its end."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import count
from pathlib import Path
from textwrap import wrap
from typing import Any

from pydantic import BaseModel
from pydantic.fields import FieldInfo
from rich.table import Table

import twin.twin  # noqa: F401 - first of all: mesa looks through whatever is loaded when it comes
from twin.analysis.held import held_by, joined
from twin.assembly.build import build
from twin.assembly.built import Built
from twin.assembly.names import load_named
from twin.cli.consent import consent
from twin.cli.console import out, print_json, report, say
from twin.cli.progress import RunProgress
from twin.cli.verdicts import print_verdicts, verdict_code
from twin.clock import NS
from twin.errors import EXIT_INCOMPLETE, RecordingError, located
from twin.numerics import kernels
from twin.project.project import Project, find_scenario
from twin.recording.reader import Recording
from twin.runs.pacing import RealTime
from twin.runs.profiling import Profile
from twin.runs.rerun import recorded_scenario
from twin.runs.run import Onlookers, Outcome, Stopped
from twin.runs.run import run as run_built
from twin.runs.warming import expected_kernels, second_core
from twin.specs import RayTracingSpec
from twin.specs.figures import FIGURES
from twin.specs.scenario import Scenario
from twin.state import Frame

STOPPING = "stopping: the recording is being closed"
NETWORK_WORDS = {
    "ideal": "ideal, without delay",
    "fixed": "a fixed delay",
    "trace": "measured round trips",
    "simple": "simple, one queue a radio link",
    "recorded": "as in the recording",
}
RADIO_EVENTS = ("handover", "handover failure", "radio link failure")
"""Kinds of events that are counted below the network's own figures."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """What `twin run` was asked for; `seen` is told the recording each time that there is a frame in it."""

    reference: str | None
    recorded: Path | None
    output: Path | None
    overrides: Sequence[str]
    paths: bool
    force: bool
    profile: bool
    trust: bool
    as_json: bool
    quiet: bool
    strict: bool
    speed: float | None  # times real time; None: as fast as it goes
    seen: Callable[[Path], None] = lambda path: None


def execute(request: Request) -> int:
    """Run a scenario, or that of a recording, and print its figures; return the exit code."""
    project, path, scenario, dropped = _load(request.reference, request.recorded, request.overrides)
    for line in dropped:
        say(f"dropped by --set: {line}", "yellow")
    consent(scenario, project, path, trust=request.trust, recorded=request.recorded is not None)
    output = request.output or _new_recording(project, path)
    if output.exists() and not request.force:
        raise RecordingError(f"{output}: exists already; --force replaces it")
    progress = RunProgress(scenario.duration, expected_kernels(scenario), quiet=request.quiet)
    with second_core(scenario), progress:
        with located(file=path):
            built = build(scenario, project, real_time=request.speed is not None)
        for note in built.notes:
            say(note, "yellow")
        if not (request.as_json or request.quiet):
            cells = sum(radio.role == "cell" for radio in built.radios)
            out.print(headline(path, scenario, cells=cells, resolved=request.recorded is not None))
        outcome, figures = _simulate(request, built, scenario, output, progress)
    if outcome.error is not None:
        report(outcome.error)
    else:
        kernels.tidy()
    if figures["requirements"] and output.exists():
        with Recording(output) as recording:
            figures = joined(figures, held_by(recording))
    if request.as_json:
        print_json(figures)
    elif not request.quiet:
        print_table(figures)
        if request.profile:
            print_profile(figures["profile"])
        if output.exists():
            out.print(f"recorded in {output}; to look at it: twin report {output} -o report.html", markup=False)
    return _exit_code(outcome, strict=request.strict)


def _simulate(
    request: Request, built: Built, scenario: Scenario, output: Path, shown: RunProgress
) -> tuple[Outcome, dict[str, Any]]:
    """Run it, showing how far it is; return how it ended, and its figures."""
    pacing = None if request.speed is None else RealTime(request.speed, lambda text: say(text, "yellow"))

    def progress(frame: Frame) -> None:
        request.seen(output)
        shown.show(frame)

    watch = Profile(progress) if request.profile else None
    outcome = run_built(
        built,
        scenario,
        output,
        force=request.force,
        paths=request.paths,
        real_time=pacing,
        onlookers=Onlookers(
            profile=watch,
            progress=progress if watch is None else watch.take,
            stopping=lambda: say(STOPPING, "yellow"),
        ),
    )
    return outcome, {
        "recording": str(output),
        "complete": outcome.error is None,
        "real_time_factor": outcome.real_time_factor,
        **outcome.summary,
        **({} if pacing is None else pacing.figures()),
        **({} if watch is None else {"profile": watch.figures()}),
    }


def _load(
    reference: str | None, recorded: Path | None, overrides: Sequence[str]
) -> tuple[Project, Path, Scenario, list[str]]:
    """Return project, file, scenario and what overrides dropped."""
    if recorded is None:
        project, path = find_scenario(reference or "")
        return project, path, *load_named(path, project, overrides)
    with Recording(recorded) as recording:
        return Project.of(recorded), recorded, *recorded_scenario(recording, overrides)


def headline(path: Path, scenario: Scenario, *, cells: int = 0, resolved: bool = False) -> str:
    """Return what is run: channel and network in words, then what was stated of them, in lines of up to 80 characters.

    `cells` are those that radios may be served by. A resolved scenario, such as a recorded one, states everything:
    there it is what differs from the defaults.
    """
    channel, network = scenario.channel, scenario.network
    lines = [f"{scenario.name or path.stem} in {scenario.world}, {scenario.duration / NS:g} s, seed {scenario.seed}"]
    for slot, words, spec in (
        ("channel", _channel_words(channel), channel),
        ("network", _network_words(network.kind, cells), network),
    ):
        said = "; ".join(filter(None, (words, _stated(spec, resolved))))
        lines += wrap(f"{slot}: {said}", 80, subsequent_indent="  ", break_on_hyphens=False)
    return "\n".join(lines)


def _channel_words(channel: BaseModel) -> str:
    if isinstance(channel, RayTracingSpec):
        return f"ray-traced, up to {channel.order} reflections{' and diffraction' * channel.diffraction}"
    return {"freespace": "free space"}.get(kind := str(getattr(channel, "kind", "")), kind)


def _network_words(kind: str, cells: int) -> str:
    if kind == "nr":
        served = {0: "", 1: ", one cell"}.get(cells, f", {cells} cells with handover")
        return f"5G NR slot by slot{served}"
    return NETWORK_WORDS.get(kind, kind)


def _stated(spec: BaseModel, resolved: bool) -> str:
    """Return the settings of a table that were stated, with their units, in the order of its fields."""
    return ", ".join(
        _shown(spec, name, field, resolved)
        for name, field in type(spec).model_fields.items()
        if name in spec.model_fields_set - {"kind"} and not (resolved and getattr(spec, name) == field.default)
    )


def _shown(spec: BaseModel, name: str, field: FieldInfo, resolved: bool) -> str:
    """Return one setting in words: what a table states, only the names of several tables, how long a list is."""
    value, extra = getattr(spec, name), field.json_schema_extra
    if isinstance(value, BaseModel):
        inside = ", ".join(filter(None, (getattr(value, "kind", ""), _stated(value, resolved))))
        return f"{name} ({inside})" if inside else name
    if isinstance(value, dict):
        return f"{name} {' and '.join(value)}"
    if isinstance(value, tuple):
        return f"{name} ({len(value)} entries)"
    plain = spec.model_dump(mode="json", include={name})[name]
    word = f"{plain:g}" if isinstance(plain, float) else str(plain).lower() if isinstance(plain, bool) else str(plain)
    return f"{name} {word} {extra.get('unit', '') if isinstance(extra, dict) else ''}".rstrip()


def _exit_code(outcome: Outcome, *, strict: bool) -> int:
    if isinstance(outcome.error, Stopped):
        return outcome.error.exit_code
    if outcome.error is not None:
        return EXIT_INCOMPLETE
    return verdict_code(outcome.summary, strict=strict)


def _new_recording(project: Project, scenario: Path) -> Path:
    try:
        project.recordings.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise RecordingError(f"{project.recordings}: can't be made: {error.strerror}; name a file by -o") from error
    stamp = datetime.now().strftime("%Y%m%d-%H%M%S")
    names = (f"{scenario.stem}-{stamp}{'' if n == 1 else f'-{n}'}.h5" for n in count(1))
    return next(path for name in names if not (path := project.recordings / name).exists())


def print_table(figures: dict[str, Any]) -> None:
    """Print those figures of a run that are there, one a line, and what its requirements made of them."""
    table = Table(show_header=False, box=None, pad_edge=False)
    table.add_column(style="dim")
    table.add_column(justify="right")
    for name, figure in FIGURES.items():
        if name in figures:
            table.add_row(figure.label, figure.shown(figures[name]))
    for name, number in (figures.get("network", {}) | figures.get("channel", {})).items():
        table.add_row(f"  {name.removeprefix('packets_').replace('_', ' ')}", str(number))
    for kind in RADIO_EVENTS:
        if kind in figures.get("events", {}):
            table.add_row(f"{kind}s", str(figures["events"][kind]))
    if "real_time_factor" in figures:
        table.add_row("real-time factor", f"{figures['real_time_factor']:.1f}")
    if "deadline_misses" in figures:
        missed, ticks, worst = (figures[name] for name in ("deadline_misses", "ticks_paced", "lateness_max"))
        table.add_row("deadlines missed", f"{missed} of {ticks}, by {worst * 1e3:.1f} ms at most")
    out.print(table)
    if figures.get("requirements"):
        _print_verdicts(figures)


def print_profile(profile: dict[str, Any]) -> None:
    """Print where the time of a run went, one part a line."""
    spent, total = profile["seconds_per_second"], sum(profile["seconds_per_second"].values())
    table = Table(box=None, pad_edge=False, header_style="dim")
    for column, justify in (("part", "left"), ("CPU ms per s", "right"), ("share", "right"), ("calls per s", "right")):
        table.add_column(column, justify=justify)  # type: ignore[arg-type]
    for part, seconds in spent.items():
        calls = profile["calls_per_second"][part]
        table.add_row(part, f"{seconds * 1e3:.1f}", f"{seconds / total:.0%}", f"{calls:.0f}" if calls else "")
    table.add_row("all", f"{total * 1e3:.1f}", f"{1 / total:.1f} x real time", "")
    out.print()
    out.print(table)
    start, memory = profile["cpu_to_first_step"], profile["memory_mb"]
    out.print(f"{start:.1f} s of CPU to the first step, {memory:.0f} MB at most\n")


def _print_verdicts(figures: dict[str, Any]) -> None:
    print_verdicts(figures)
    if not figures["complete"]:
        out.print("The run is incomplete: these are the figures of the part that was simulated.")
