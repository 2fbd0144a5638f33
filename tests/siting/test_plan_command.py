"""`twin plan` from a scenario to plans that runs judge: of four drones round a tower, a site beside it loses one."""

import json
import tomllib
from pathlib import Path

import pytest

SCENARIO = """
schema = 1
world = "city"
duration = "2 s"
requirements = ["failsafe_time = 0 s", "collisions = 0"]
[rates]
physics = "200 Hz"
channel = "50 Hz"
record = "20 Hz"
[channel]
kind = "freespace"
blockage_loss = "60 dB"
[network]
kind = "nr"
[network.carriers.n257]
frequency = "28 GHz"
bandwidth = "100 MHz"
scs = "120 kHz"
pattern = "DDSUU"
[robots.patrol]
kind = "drone"
count = 4
[[robots.patrol.spec.radios]]
carrier = "28 GHz"
[robots.patrol.task]
kind = "route"
speed = "8 m/s"
waypoints = [[-60, 0, 30], [0, -60, 35], [60, 0, 30], [0, 60, 40]]
[robots.edge]
kind = "edge"
[robots.site]
kind = "base_station"
positions = [[-100, 0, 40]]
[[robots.site.spec.radios]]
role = "cell"
carrier = "28 GHz"
power = "20 dBm"
gain = "8 dBi"
"""
PLAN = """
schema = 1
years = 2
budget = 60
plans = 2
[candidates]
file = "sites.csv"
[kinds.mast]
build = 10
rent = 5
[carriers.n257]
radio = { power = "20 dBm", gain = "8 dBi", noise_figure = "5 dB" }
equipment = 5
[edge]
server = 1
"""
SITES = "name,x,y,z,kind,cost\nwest,-100,0,40,mast,\neast,100,0,40,mast,\nlow,-150,0,2,mast,\nhill,100,100,60,mast,99\n"


@pytest.fixture
def asked(tmp_path):
    """Write scenario, plan and candidates; `change` edits the texts."""

    def write(scenario=SCENARIO, plan=PLAN, sites=SITES):
        Path("round.toml").write_text(scenario)
        Path("plan.toml").write_text(plan)
        Path("sites.csv").write_text(sites)
        return "round.toml", "plan.toml", "-o", "out"

    return write


@pytest.fixture(autouse=True)
def here(command):
    """An empty folder."""


def test_plans_are_scenarios_that_a_run_judges_as_the_plan_says(command, asked):
    code, out, _ = command("plan", *asked(), "--json")
    found = json.loads(out)
    assert found == json.loads(Path("out/plans.json").read_text())
    scenarios = {f"{plan['name']}.toml" for plan in found["plans"]}
    assert {file.name for file in Path("out").iterdir() if file.is_file()} == scenarios | {
        "candidates.csv", "front.png", "map.png", "plans.json"}  # fmt: skip
    best, second = found["plans"][:2]
    assert code == (0 if best["runs"]["passed"] else 5)
    assert max(best["lost_s"].values()) <= max(second["lost_s"].values())
    assert [site["name"] for site in best["sites"]] != [site["name"] for site in second["sites"]]
    assert best["cost"] == sum(best["cost_parts"].values()) <= 60
    ranked = [next(plan for plan in found["plans"] if plan["name"] == name)["runs"] for name in found["ranking"]]
    order = [(not run["passed"], max(run["failsafe_s"])) for run in ranked]
    assert order == sorted(order)
    written = tomllib.loads(Path("out/plan-1.toml").read_text())
    assert "site" not in written["robots"]  # what isn't kept is replaced
    assert written["robots"]["mast-n257"]["count"] == len(best["sites"])
    code, out, _ = command("run", "out/plan-1.toml", "--json", "-o", "run.h5")
    assert json.loads(out)["failsafe_time"] == best["runs"]["failsafe_s"][0]
    assert command("report", "run.h5", "-o", "run.html")[0] == 0
    assert "plan-1" not in Path("run.html").read_text()  # of plans elsewhere nobody knows
    Path("plans").mkdir()
    Path("out").rename("plans/round")
    assert command("report", "run.h5", "-o", "run.html", "--force")[0] == 0
    page = Path("run.html").read_text()
    assert "<b>plan-1</b> of plans/round/plans.json: 51 EUR over 2 years; foretold: 100.00 %" in page


def test_the_same_question_gives_the_same_bytes_and_another_one_needs_another_folder(command, asked):
    assert command("plan", *asked(), "--no-run")[0] in (0, 5)
    before = {file.name: file.read_bytes() for file in Path("out").iterdir()}
    assert command("plan", *asked(), "--no-run")[0] in (0, 5)
    assert {file.name: file.read_bytes() for file in Path("out").iterdir()} == before
    code, _, err = command("plan", *asked(), "--no-run", "--budget", "50")
    assert (code, err) == (2, "error: out: other plans are here: give another folder by -o, or replace them by "
                              "--force\n")  # fmt: skip
    assert command("plan", *asked(), "--no-run", "--budget", "50", "--force")[0] in (0, 5)


def test_without_a_budget_the_cheapest_that_loses_nobody_is_found(command, asked):
    code, out, _ = command("plan", *asked(plan=PLAN.replace("budget = 60\n", "")), "--no-run", "--json")
    found = json.loads(out)
    assert code == 0
    assert found["plans"][0]["in_control"] == 1.0
    assert found["plans"][0]["cost"] == found["nobody_lost_costs"]
    assert found["front"]["share"][-1] == 1.0
    assert found["front"]["cost"][-1] == found["nobody_lost_costs"]


def test_what_stands_costs_nothing_and_is_compared_with(command, asked):
    plan = PLAN.replace('file = "sites.csv"', 'file = "sites.csv"\nkeep = ["site"]')
    sites = "\n".join(line for line in SITES.splitlines() if not line.startswith("west")) + "\n"
    code, out, _ = command("plan", *asked(plan=plan, sites=sites), "--no-run", "--json")
    best, *_, stands = json.loads(out)["plans"]
    assert code == 0
    assert [(site["name"], site["stands"]) for site in best["sites"]] == [("site", True), ("east", False)]
    assert (best["cost"], stands["cost"]) == (10 + 5 * 2 + 5 + 1, 1)
    assert stands["name"] == "stands"
    assert [one["robot"] for one in stands["lost_robots"]] == ["patrol-2"]
    robots = tomllib.loads(Path("out/plan-1.toml").read_text())["robots"]
    assert robots["site"]["positions"] == [[-100, 0, 40]]
    assert robots["mast-n257"]["positions"] == [[100, 0, 40]]


def test_a_short_budget_says_who_is_lost_first_and_what_more_would_buy(command, asked):
    """West of the tower, it hides who starts east of it, at (60, 0): lost after the 0.3 s that a drone lasts."""
    code, out, _ = command("plan", *asked(), "--no-run", "--json", "--budget", "30")
    found = json.loads(out)
    (best, second) = found["plans"][:2]
    assert code == 5
    assert {plan["sites"][0]["name"]: plan["first_lost"]["robot"] for plan in (best, second)} == {
        "west": "patrol-2", "east": "patrol-0"}  # fmt: skip
    assert best["first_lost"]["time_s"] == pytest.approx(0.3)
    assert best["first_lost"]["place"][:2] == pytest.approx([60, 0], abs=1)
    assert best["sites"][0]["without_it_lost"] and best["sites"][0]["without_it_s"] > 3
    assert best["best_next"] == {"radio": "east n257", "buys_s": pytest.approx(1.8), "cost": 25.0}
    assert found["nobody_lost_costs"] == 51.0
    _, text, _ = command("plan", *asked(), "--no-run", "--budget", "30")
    said = " ".join(text.split())
    assert "to lose nobody takes 51 EUR; first lost for 26: patrol-2 at 0.3 s" in said
    assert "best next: east n257 buys 1.8 s for 25 EUR more" in said


WRONG = [
    ({"scenario": SCENARIO.replace('kind = "nr"', 'kind = "ideal"').replace("[network.carriers.n257]", "[unused]")},
     "unknown key"),
    ({"plan": PLAN.replace("carriers.n257", "carriers.n258")},
     "carriers: found 'n258', no carrier of the scenario; allowed: n257; did you mean 'n257'?"),
    ({"plan": PLAN.replace("equipment", 'bandwidths = ["70 MHz"]\nequipment')},
     "carriers.n257.bandwidths: 70 MHz is not defined for 120 kHz"),
    ({"plan": PLAN.replace("years", 'step = "1 s"\nyears')},
     "step: found 1 s; allowed: at most 300 ms, as long as patrol-0 lasts without a command"),
    ({"plan": PLAN.replace('file = "sites.csv"', 'file = "sites.csv"\nkeep = ["sight"]')},
     "candidates.keep: found 'sight'; allowed: edge, patrol, site; did you mean 'site'?"),
    ({"plan": PLAN.replace('file = "sites.csv"', 'file = "sites.csv"\nkeep = ["patrol"]')},
     "candidates.keep: patrol has a body and may move; only what stands can be kept"),
    ({"plan": PLAN.replace("budget = 60", "budget = 0.5")},
     "budget: found 0.5; allowed: at least 1 EUR, what edge servers and licences cost"),
    ({"sites": SITES.splitlines()[0] + "\nlow,-150,0,2,mast,\n", "plan": PLAN.replace("budget = 60\n", "")},
     "at any cost somebody is lost; state a budget to lose as little as that allows, or give more candidates"),
]


@pytest.mark.parametrize(("texts", "said"), WRONG)
def test_a_plan_that_does_not_fit_is_refused(command, asked, texts, said):
    code, out, err = command("plan", *asked(**texts), "--no-run")
    assert code == 2
    assert said in " ".join(err.split())
    assert not Path("out").exists()


def test_a_world_may_have_the_plan_of_a_scenario_of_its_own(command, asked):
    asked()
    code, _, err = command("plan", "city/patrol", "--no-run")
    assert code == 2
    assert "no plan: give a plan.toml, or put one at" in " ".join(err.split())
    assert "worlds/city/siting/patrol.toml" in "".join(err.split())


def test_carriers_that_overlap_are_refused(command, asked):
    second = '[network.carriers.other]\nfrequency = "28.05 GHz"\nbandwidth = "100 MHz"\nscs = "120 kHz"\n'
    code, _, err = command("plan", *asked(
        scenario=SCENARIO.replace("[robots.patrol]\n", f"{second}[robots.patrol]\n"),
        plan=PLAN.replace("[edge]", "[carriers.other]\n[edge]"),
    ), "--no-run")  # fmt: skip
    assert code == 2
    assert "carriers: n257 and other overlap: 27950 to 28050 MHz and 28000 to 28100 MHz" in err
