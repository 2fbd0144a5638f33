"""`twin compare` of sweeps: pairs that share seed and all else."""

import json
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="sweeps fork their runs")
ROOT = Path(__file__).resolve().parents[2]
HEIGHT = ROOT / "tests/project/worlds/void/scenarios/height.toml"
SWEEP = """
scenario = "{scenario}"
seeds = "1:3"
[set]
duration = "0.2 s"
"network.kind" = "fixed"
"network.jitter.kind" = "exponential"
"network.jitter.scale" = "5 ms"
requirements = ["rtt_p50 < 50 ms"]
[grid]
{grid}
"""


def test_a_controller_against_itself_differs_by_nothing_and_a_delay_by_what_it_adds(command):
    """The same code under two names draws the same; 30 ms more each way are 60 ms more there and back, and ticks."""
    code = (ROOT / "tests/project/agents/mass/controllers/height.py").read_text()
    for name in ("one.py", "other.py"):
        Path(name).write_text(code)
    names = json.dumps([f"./{name}.py:HeightController" for name in ("one", "other")])
    grids = {"same": f'"robots.ball.controller" = {names}', "delays": '"network.delay" = ["1 ms", "31 ms"]'}
    for name, grid in grids.items():
        Path(f"{name}.toml").write_text(SWEEP.format(scenario=HEIGHT, grid=grid))
        code, out, err = command("sweep", f"{name}.toml", "--trust", "--json")
        assert code in (0, 5, 6), err

    (same,) = json.loads(command("compare", "same", "--by", "robots.ball.controller", "--json")[1])
    assert same["pairs"] == 3 and same["differences"]
    assert all(one["mean"] == one["more"] == one["less"] == 0 for one in same["differences"])
    code, out, err = command("compare", "same")
    assert code == 0 and "no figure differs in any pair" in out and "figures are the same in every pair" in out

    code, out, err = command("compare", "delays", "-o", "forest.png")
    lines = " ".join(out.split())
    assert code == 0 and "31 ms less 1 ms: 3 pairs" in lines and Path("forest.png").stat().st_size > 10_000
    (delays,) = json.loads(command("compare", "delays", "--json")[1])
    (rtt,) = [one for one in delays["differences"] if one["figure"] == "rtt_p50"]
    assert rtt["mean"] == pytest.approx(0.060, abs=0.0051) and (rtt["more"], rtt["less"]) == (3, 0)
    (verdict,) = delays["verdicts"]
    assert (verdict["first_alone"], verdict["second_alone"], verdict["chance"]) == (3, 0, 0.25)

    code, out, err = command("compare", "same", "delays")
    assert code == 2 and "nothing to pair" in err
    code, out, err = command("compare", "delays", "--by", "network.dely")
    assert code == 2 and "did you mean 'network.delay'?" in " ".join(err.split())
