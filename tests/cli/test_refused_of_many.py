"""What many runs can't do is refused in words, before anything is run."""

from io import StringIO
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
HEIGHT = str(ROOT / "tests/project/worlds/void/scenarios/height.toml")
FIXED = ("--set", "network.kind=fixed")
SWEEP, RARE = ("sweep", HEIGHT), ("rare", HEIGHT, "packets_lost > 3")
MARGIN = ("margin", HEIGHT, "network.loss", "--between", "0", "0.9", "--requirement", "packets_lost < 45", *FIXED)
SENSITIVITY = ("sensitivity", HEIGHT, "--range", "network.loss=0:0.5", "--figure", "packets_lost", *FIXED)
LIVE = ("--set", "robots.ball.controller=tcp://127.0.0.1:5555")
PACED = ("--set", "robots.ball.service_time=measured")


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        ((*SWEEP, *LIVE), "one peer for all runs; allowed in many runs: classes and process:"),
        ((*MARGIN, *LIVE), "one peer for all runs"),
        ((*SENSITIVITY, *LIVE), "one peer for all runs"),
        ((*RARE, *LIVE), "found tcp:, a peer that can't be forked with the run; allowed in `twin rare`: classes"),
        ((*SWEEP, *PACED), 'found "measured", which needs --real-time; many runs are not paced by the wall clock'),
        ((*MARGIN, *PACED), "not paced by the wall clock"),
        ((*RARE, *PACED), "not paced by the wall clock"),
        *(((*asked, "--real-time"), "many runs share a clock on the wall, so none is paced by it")
          for asked in (SWEEP, MARGIN, SENSITIVITY, RARE)),
    ],
)  # fmt: skip
def test_peers_and_pace_of_one_run_are_refused(command, asked, said):
    code, out, err = command(*asked, "--trust")
    assert code == 2 and said in " ".join(err.split()) and not Path("sweeps").exists()


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        ((*SWEEP, "--seeds", "1:1000000000"), "1,000,000,000 runs: go on?"),
        ((*SWEEP, *(word for key in ("loss", "delay", "jitter.scale") for word in
                    ("--grid", f"network.{key}={','.join(map(str, range(1000)))}"))), "1,000,000,000 runs: go on?"),
        ((*SENSITIVITY, "--design", "lhs:1000000000"), "1,000,000,000 runs: go on?"),
        ((*MARGIN, "--seeds", "1:1000000000"), "5,000,000,000 runs: go on?"),
        ((*MARGIN, "--seeds", "1:1000000000", "--probability", "0.05"), "1,000,000,000 runs: go on?"),
        ((*RARE, "--trees", "1000000000"), "1,000,000,000 trees: go on?"),
    ],
)  # fmt: skip
def test_a_billion_runs_are_counted_and_asked_for(command, monkeypatch, asked, said):
    monkeypatch.setattr("sys.stdin", StringIO())  # nobody is there to say yes
    code, out, err = command(*asked, "--trust")
    assert code != 0 and said in out + err and not Path("sweeps").exists()
