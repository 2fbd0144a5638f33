"""A recorded scenario once more: with changes, or as it was, to see whether it gives the same bits."""

from __future__ import annotations

import json
import tempfile
import tomllib
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from twin.analysis.diff import Comparison, compare
from twin.assembly.build import build
from twin.errors import RecordingError, located
from twin.project.project import Project
from twin.recording.reader import Recording
from twin.runs.run import Stopped, run
from twin.specs import RecordedTime
from twin.specs.overrides import Override, parse_override
from twin.specs.scenario import Scenario, parse_scenario
from twin.state import MEASURED


@dataclass(frozen=True, slots=True)
class Verification:
    """What a re-simulation gave: A is the recording, B the re-simulation."""

    comparison: Comparison
    stopped: str = ""  # why the re-simulation ended before the recording does

    @property
    def same(self) -> bool:
        """Whether every bit is the same; the header is not asked."""
        return self.comparison.same and not self.comparison.summary and not self.stopped


def recorded_scenario(recording: Recording, overrides: Sequence[Override] = ()) -> tuple[Scenario, list[str]]:
    """Return the scenario of a recording after overrides, and `key = value` of what a change of kind dropped.

    `network.kind=recorded` means the packets of this very recording, unless `network.recording` names another.

    Raises:
        ScenarioError: everything that is wrong with the overrides, or with the scenario by today's rules.
        RecordingError: the recording holds no scenario.
    """
    chosen = dict(parse_override(text) for text in overrides)
    if chosen.get(("network", "kind")) == "recorded" and ("network", "recording") not in chosen:
        overrides = [*overrides, f"network.recording={json.dumps(str(recording.path))}"]
    try:
        data = tomllib.loads(recording.scenario_text)
    except tomllib.TOMLDecodeError as error:
        raise RecordingError(f"{recording.path}: its scenario is not TOML: {error}") from error
    return parse_scenario(data, recording.scenario_text, f"scenario of {recording.path}", overrides)


def verify(recording: Recording, project: Project) -> Verification:
    """Simulate the scenario of a recording again and compare all streams bit for bit.

    Service times that were measured are played back from the recording. A run that ended early is compared as
    far as its last frame; what it recorded after that can't be.

    Raises:
        TwinError: the scenario can't be built here, there is no space for a second recording, or a signal came.
    """
    scenario, _ = recorded_scenario(recording)
    with located(file=f"scenario of {recording.path}"):
        built = build(_played_back(scenario, recording), project)
    until = None if recording.complete else recording.duration
    with tempfile.TemporaryDirectory(prefix="twin-verify-") as folder:
        again = Path(folder) / "again.h5"
        outcome = run(built, scenario, again, paths=recording.header.paths, until=until)
        if isinstance(outcome.error, Stopped):
            raise outcome.error
        with Recording(again) as second:
            found = compare(recording, second)
    as_then = outcome.error is None or str(outcome.error) == recording.reason
    stopped = "" if as_then else str(outcome.error)
    return Verification(found if recording.complete else _common(found), stopped)


def _played_back(scenario: Scenario, recording: Recording) -> Scenario:
    """Take service times that the run measured from its recording."""
    logs = recording.logs()
    nodes = np.unique(logs["node"][logs["name"] == MEASURED]).tolist()
    groups = {recording.robots[node].group for node in nodes}
    recorded = RecordedTime(kind="recorded", recording=recording.path.absolute())
    robots = {
        name: entry.model_copy(update={"service_time": recorded}) if name in groups else entry
        for name, entry in scenario.robots.items()
    }
    return scenario.model_copy(update={"robots": robots})


def _common(found: Comparison) -> Comparison:
    """Leave out what a run that ended early can't have: summaries, and rows other than frames beyond its last."""
    streams = [one for one in found.streams if one.differing or one.time is None or one.stream.startswith("state/")]
    return replace(found, streams=tuple(streams), summary={})
