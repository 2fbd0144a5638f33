"""Shared fixtures: scenarios of the test project and of the built-in worlds, ready to step."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import settings

from twin import cli
from twin.build import build
from twin.built import Built
from twin.project import Project
from twin.scenario import load_scenario

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
def command(monkeypatch, capsys, tmp_path):
    """Run a `twin` command in an empty folder; return its exit code, stdout and stderr."""
    monkeypatch.chdir(tmp_path)

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
