"""One table: scenarios over networks, and which requirement flips."""

import json
from pathlib import Path

import pytest
from pydantic import TypeAdapter

from twin.project.project import find_scenario
from twin.runs.matrix import over_preset
from twin.specs import NetworkSpec
from twin.specs.presets import PRESETS
from twin.specs.scenario import load_scenario

ROOT = Path(__file__).resolve().parents[2]
HEIGHT = ROOT / "tests/project/worlds/void/scenarios/height.toml"


def test_what_flips_is_said_with_its_values(command):
    Path("fast.toml").write_text('[network]\nkind = "fixed"\ndelay = "5 ms"\n')
    Path("slow.toml").write_text('[network]\nkind = "fixed"\ndelay = "60 ms"\n')
    Path("trace.toml").write_text('[network]\nkind = "trace"\nfile = "none.csv"\n')
    sets = ("--set", 'requirements=["rtt_p99 < 40 ms", "collisions = 0"]', "--set", "duration=1 s", "--trust")
    networks = [word for name in ("fast", "slow", "trace") for word in ("--network", f"{name}={name}.toml")]
    code, out, err = command("evidence", "--matrix", HEIGHT, *networks, *sets, "--json")
    assert code == 0, err
    (row,) = json.loads(out)["rows"]
    assert [row["cells"][name]["answer"] for name in ("fast", "slow", "trace")] == ["passed", "failed", "refused"]
    assert row["flips"] == ["rtt_p99 < 40 ms"] and "none.csv" in row["cells"]["trace"]["reason"]
    code, out, err = command("evidence", "--matrix", HEIGHT, *networks[:4], *sets, "-o", "table.md")
    table = Path("table.md").read_text()
    assert "| passed | failed | `rtt_p99 < 40 ms`: 10 ms, 120 ms |" in table


def test_a_file_without_a_network_is_refused(command):
    Path("none.toml").write_text("x = 1\n")
    code, out, err = command("evidence", "--matrix", HEIGHT, "--network", "none=none.toml")
    assert code == 2 and "[network]: missing" in err
    code, out, err = command("evidence", "--matrix", HEIGHT, "--network", "none")
    assert code == 2 and "allowed: NAME=FILE, or a preset of carriers" in " ".join(err.split())


@pytest.mark.parametrize("scenario", ["city/patrol", "city/parcels", "factory/motion-control"])
@pytest.mark.parametrize("preset", sorted(PRESETS))
def test_a_preset_takes_the_place_of_each_carriers_settings_at_its_own_frequency(scenario, preset):
    loaded, _ = load_scenario(find_scenario(scenario)[1])
    network = TypeAdapter(NetworkSpec).validate_python(over_preset(loaded, preset))
    before = getattr(loaded.network, "carriers", {})
    assert network.kind == "nr" and network.delay_budget == loaded.network.delay_budget
    assert {one.preset for one in network.carriers.values()} == {preset}
    for name, carrier in before.items():
        assert network.carriers[name].frequency == carrier.frequency
