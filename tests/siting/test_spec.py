from copy import deepcopy

import pytest

from twin.errors import ScenarioError
from twin.siting.spec import SitingSpec, read_siting
from twin.specs.toml_text import validate

CASES = [
    ({"budgt": 3}, "budgt: unknown key; did you mean 'budget'?"),
    ({"budget": -1}, "budget: found -1; allowed: at least 0"),
    ({"step": "0 s"}, "step: found '0 s'; allowed: more than 0"),
    ({"redundancy": 9}, "redundancy: found 9; allowed: at most 4"),
    ({"candidates": {}}, "candidates: names no place; allowed: one at least of roofs, streets, grids and file"),
    ({"candidates": {"grids": {"roof": {"height": "3 m", "step": "9 m"}}}}, "candidates.grids.roof: is the kind of"),
    ({"candidates": {"streets": {}}, "kinds": {}}, "kinds.street: missing: what does such a site cost?"),
    ({"carriers": {}}, "carriers: found a table; allowed: at least 1 of them"),
    ({"carriers": {"n257": {"radio": {"power": "20 W"}}}},
     "carriers.n257.radio.power: found '20 W'; allowed: a power in dBm"),
    ({"robust": {"margin": []}}, "robust.margin: found a list of 0; allowed: one at least"),
    ({"backhaul": {"points": []}}, "backhaul.points: found a list of 0; allowed: at least 1 of them"),
]


@pytest.mark.parametrize(("change", "said"), CASES)
def test_what_is_wrong_is_said_with_key_found_and_allowed(tables, change, said):
    with pytest.raises(ScenarioError) as error:
        validate(SitingSpec, {**tables(), **deepcopy(change)}, file="plan.toml")
    assert str(error.value).startswith(f"plan.toml: {said}")


def test_a_list_of_candidates_lies_beside_the_plan(tmp_path):
    file = tmp_path / "plans" / "plan.toml"
    file.parent.mkdir()
    file.write_text('schema = 1\n[candidates]\nfile = "sites.csv"\n[kinds.roof]\n[carriers.n257]\n')
    assert read_siting(file).candidates.file == file.parent / "sites.csv"
