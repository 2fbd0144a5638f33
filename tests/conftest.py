"""Shared fixtures: scenarios of the test project and of the built-in worlds, ready to step."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
from hypothesis import settings

from twin import cli
from twin.analysis.metrics import Metrics
from twin.assembly.build import build
from twin.assembly.built import Built
from twin.clock import NS
from twin.physics.bullet.physics import BulletPhysics
from twin.project.project import Project
from twin.recording.reader import Recording
from twin.runs.run import run
from twin.specs.scenario import load_scenario
from twin.state import Frame

# A change is judged by the same examples each time; at home each run looks for new ones.
settings.register_profile("ci", derandomize=True)
if os.environ.get("CI"):
    settings.load_profile("ci")

ROOT = Path(__file__).resolve().parent.parent
SHARED = ROOT.parent / "shared"
Stage = Callable[..., Built]


@pytest.fixture
def stage() -> Stage:
    """Build a scenario file with overrides: `stage("height", "network.kind=fixed")`; a path works too."""

    def make(scenario: str, *overrides: str) -> Built:
        path = ROOT / "tests/project/worlds/void/scenarios" / f"{scenario}.toml"
        path = path if path.is_file() else ROOT / scenario
        loaded, _ = load_scenario(path, overrides)
        return build(loaded, Project.around(path.parent))

    return make


@pytest.fixture
def bullet() -> Iterator[Callable[..., BulletPhysics]]:
    """Physics of groups of bodies, at its start: `bullet(rate, groups, ...)`."""
    with ExitStack() as made:

        def make(*arguments: Any, **options: Any) -> BulletPhysics:
            physics = BulletPhysics(*arguments, **options)
            made.callback(physics.close)
            physics.reset()
            return physics

        yield make


@pytest.fixture
def figures() -> Callable[[Built, float], tuple[dict[str, Any], Frame]]:
    """Run for some seconds: `figures(built, 13)`; returns the figures and the last frame."""

    def take(built: Built, seconds: float) -> tuple[dict[str, Any], Frame]:
        metrics = Metrics(built.nodes, built.tasks, 0)
        for frame in built.twin.frames(round(seconds * NS)):
            metrics.take(frame)
        return metrics.summary(), frame

    return take


@pytest.fixture
def second(stage: Stage, tmp_path: Path) -> Iterator[Recording]:
    """The opened recording of two balls that are told for a second how to move, over 20 ms each way."""
    changes = ("network.kind=fixed", "network.delay=20 ms", "duration=1 s", "robots.ball.kind=mass")
    built = stage("height", *changes)
    scenario, _ = load_scenario(built.world.folder / "scenarios/height.toml", changes)
    run(built, scenario, tmp_path / "run.h5")
    with Recording(tmp_path / "run.h5") as opened:
        yield opened


@pytest.fixture
def command(monkeypatch, capsys, tmp_path):
    """Run a `twin` command in an empty folder; return its exit code, stdout and stderr."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / ".config"))  # answers about trust

    def run(*arguments: object) -> tuple[int, str, str]:
        monkeypatch.setattr(sys, "argv", ["twin", *map(str, arguments)])
        with pytest.raises(SystemExit) as ended:
            cli.main()
        said = capsys.readouterr()
        return ended.value.code, said.out, said.err

    return run


@pytest.fixture
def shared_data() -> Path:
    """Folder of real inputs beside the project; tests skip where it is absent."""
    if not (SHARED / "data").is_dir():
        pytest.skip("real inputs (../shared/data) are not on this machine")
    return SHARED / "data"
