"""Any built-in scenario can be run again over any kind of network, for comparison."""

from pathlib import Path

import pytest

from twin.assembly.build import build
from twin.errors import ScenarioError
from twin.project.project import Project, find_scenario
from twin.runs.run import run
from twin.specs.scenario import load_scenario

ROOT = Path(__file__).resolve().parents[2]
SCENARIOS = sorted(Project(ROOT).scenarios())
KINDS = ("ideal", "fixed", "trace", "simple", "nr", "recorded")


SENSES = "city/intruder"  # by the signal of a carrier, which nr alone has


@pytest.mark.parametrize("scenario", [name for name in SCENARIOS if name != SENSES])
def test_every_scenario_runs_over_every_kind_of_network(scenario, tmp_path):
    """And each packet is accounted for."""
    project, path = find_scenario(scenario)
    (tmp_path / "trace.csv").write_text("time_s,round_trip_ms\n0,20\n")
    own = {"trace": [f"network.file={tmp_path}/trace.csv"], "recorded": [f"network.recording={tmp_path}/ideal.h5"]}
    stated = load_scenario(path, [])[0].network.kind
    for kind in KINDS:
        changes = ["duration=0.1 s", "channel.kind=freespace", *own.get(kind, ())]
        if kind != stated:  # its carriers are where its base stations are
            changes.insert(0, f"network.kind={kind}")
        made, _ = load_scenario(path, changes)
        outcome = run(build(made, project), made, tmp_path / "ideal.h5" if kind == "ideal" else None)
        assert outcome.error is None, (kind, outcome.error)
        summary = outcome.summary
        assert summary["packets_sent"] > 0
        accounted = summary["packets_delivered"] + summary["packets_lost"] + summary["packets_queued"]
        assert accounted == summary["packets_sent"]
        assert sum(summary["losses"].values()) == summary["packets_lost"]
        if kind == "ideal":
            assert summary["packets_lost"] == summary["packets_late"] == 0


@pytest.mark.parametrize("kind", ["ideal", "fixed", "trace", "simple"])
def test_what_senses_by_its_network_says_that_it_needs_nr(kind, tmp_path):
    project, path = find_scenario(SENSES)
    (tmp_path / "trace.csv").write_text("time_s,round_trip_ms\n0,20\n")
    own = [f"network.file={tmp_path}/trace.csv"] if kind == "trace" else []
    with pytest.raises(ScenarioError, match=f'found network.kind = "{kind}"; allowed: "nr"'):
        build(load_scenario(path, [f"network.kind={kind}", *own])[0], project)
