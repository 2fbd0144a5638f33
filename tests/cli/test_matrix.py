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


@pytest.mark.parametrize("scenario", ["city/patrol", "harbour/station", "factory/motion-control"])
@pytest.mark.parametrize("preset", sorted(PRESETS))
def test_a_preset_takes_the_place_of_each_carriers_settings_at_its_own_frequency(scenario, preset):
    loaded, _ = load_scenario(find_scenario(scenario)[1])
    network = TypeAdapter(NetworkSpec).validate_python(over_preset(loaded, preset))
    before = getattr(loaded.network, "carriers", {})
    assert network.kind == "nr" and network.delay_budget == loaded.network.delay_budget
    for name, carrier in before.items():
        here = preset.replace("fr1", "fr2") if carrier.frequency > 24.25e9 else preset.replace("fr2", "fr1")
        assert (network.carriers[name].frequency, network.carriers[name].preset) == (carrier.frequency, here)
    if not before:
        assert [one.frequency for one in network.carriers.values()] == [3.5e9]


@pytest.mark.parametrize(
    ("preset", "low", "high"),
    [("commercial-fr1", ("commercial-fr1", 30e3), ("commercial-fr2", 120e3)),
     ("commercial-fr2", ("commercial-fr1", 30e3), ("commercial-fr2", 120e3)),
     ("urllc-rel16", ("urllc-rel16", 30e3), ("urllc-rel16", 120e3)),
     ("6g-target", ("6g-target", 120e3), ("6g-target", 120e3))],
)  # fmt: skip
def test_a_preset_is_its_sibling_in_the_other_range_of_frequencies(preset, low, high):
    """3.5 and 28 GHz: subcarriers of 30 kHz exist below 24.25 GHz alone (TS 38.104 table 5.3.5-2)."""
    loaded, _ = load_scenario(find_scenario("city/low-altitude")[1])
    network = TypeAdapter(NetworkSpec).validate_python(over_preset(loaded, preset))
    found = {name: (one.preset, one.scs) for name, one in network.carriers.items()}
    assert found == {"n78": low, "n257": high}
    assert network.carriers["n257"].bandwidth >= 50e6
    assert network.carriers["n257"].capability == 1, "2 is defined up to 60 kHz (TS 38.214 5.3)"
