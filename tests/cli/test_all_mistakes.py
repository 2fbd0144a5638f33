"""Everything that is wrong with a file is told in one pass: what no key takes, and names that stand for nothing."""

import re
from pathlib import Path

from twin.errors import EXIT_USAGE

FIVE = """schema = 1
world = "yrad"
duration = "10 sec"
sead = 4
requirements = ["rtt_p99 < 40 ms"]

[rates]
physics = "500 Hz"

[network]
kind = "fixt"

[robots.scout]
kind = "drohne"

[robots.edge]
kind = "edge"
"""


def test_five_mistakes_are_named_with_their_lines_and_what_was_meant(command):
    assert command("new", ".")[0] == 0
    Path("five.toml").write_text(FIVE)
    code, out, err = command("check", "five.toml")
    text = " ".join(err.split())
    assert code == EXIT_USAGE and "5 mistakes" in text and "Traceback" not in err
    for place, words in (
        ("five.toml:2: world", "no world 'yrad'; did you mean 'yard'?"),
        ("five.toml:3: duration", "found '10 sec'; allowed: a time in s"),
        ("five.toml:4: sead", "unknown key; did you mean 'seed'?"),
        ("five.toml:11: network.kind", "found 'fixt'; allowed: fixed"),
        ("five.toml:14: robots.scout.kind", "no robot 'drohne'; did you mean 'drone'?"),
    ):
        assert re.search(re.escape(f"{place}: {words}"), text), (place, text)
    assert command("run", "five.toml")[2] == err, "a run says the same"


def test_of_one_robot_task_and_controller_are_told_together(command):
    assert command("new", ".")[0] == 0
    changes = ("controller=folow", "task.kind=mission", 'task.plans=["no.plan"]')
    words = [word for change in changes for word in ("--set", f"robots.scout.{change}")]
    code, out, err = command("check", "yard/tour", "--trust", *words)
    assert code == EXIT_USAGE and "robots.scout.controller" in err and "no.plan" in err, err



def test_a_controller_of_ones_own_that_is_called_by_its_name_alone_is_offered_as_it_is_written(command):
    assert command("new", ".")[0] == 0
    assert command("new", "controller", "chase", "--for", "drone")[0] == 0
    code, out, err = command("check", "yard/tour", "--trust", "--set", "robots.scout.controller=chase")
    assert code == EXIT_USAGE and "did you mean 'controllers/chase.py:Chase'?" in " ".join(err.split())
