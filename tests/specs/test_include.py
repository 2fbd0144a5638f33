"""A scenario of several parties' files is as if it were one, says who brought what, and where they disagree."""

import hashlib
import tomllib

import pytest

from twin.errors import TwinError
from twin.specs.scenario import load_scenario

MAIN = """
schema = 1
description = "All together"
include = ["carrier.toml", "parts/authority.toml"]
world = "void"
duration = "1 s"
requirements = ["collisions = 0"]
[party]
name = "Drones Ltd"
role = "operator"
[robots.a]
kind = "drone"
"""
CARRIER = """
[party]
name = "Carrier AG"
role = "carrier"
[network]
kind = "fixed"
delay = "20 ms"
[robots.site]
kind = "base_station"
"""
AUTHORITY = 'requirements = ["profile:uav-c2", "failsafe_time = 0 s"]\n'


@pytest.fixture
def files(tmp_path):
    (tmp_path / "parts").mkdir()
    paths = {"main.toml": MAIN, "carrier.toml": CARRIER, "parts/authority.toml": AUTHORITY}
    for name, text in paths.items():
        (tmp_path / name).write_text(text)
    return tmp_path


def test_it_is_as_if_it_were_one_file(files):
    scenario, _ = load_scenario(files / "main.toml", ["network.delay=30 ms"])
    assert scenario.network.delay == 30_000_000 and set(scenario.robots) == {"a", "site"}
    assert [str(one) for one in scenario.requirements] == ["collisions = 0", "profile:uav-c2", "failsafe_time = 0 s"]
    (files / "whole.toml").write_text(scenario.to_toml())
    assert load_scenario(files / "whole.toml")[0] == scenario, "a recording says who brought what"


def test_it_says_who_brought_what(files):
    scenario, _ = load_scenario(files / "main.toml")
    mine, carrier, authority = scenario.parties
    assert (mine.party, mine.role, mine.file) == ("Drones Ltd", "operator", "main.toml")
    assert mine.keys == ("description", "world", "duration", "requirements", "robots.a")
    assert (carrier.party, carrier.keys) == ("Carrier AG", ("network", "robots.site"))
    assert carrier.sha256 == hashlib.sha256(CARRIER.encode()).hexdigest()
    assert (authority.party, authority.file) == ("authority", "parts/authority.toml")


def test_a_scenario_of_one_file_says_nothing_of_parties(files):
    (files / "alone.toml").write_text(MAIN.replace('include = ["carrier.toml", "parts/authority.toml"]', "").replace(
        '[party]\nname = "Drones Ltd"\nrole = "operator"', ""))  # fmt: skip
    scenario, _ = load_scenario(files / "alone.toml")
    assert scenario.parties == () and "parties" not in tomllib.loads(scenario.to_toml())


def test_what_two_files_say_differently_is_named_with_both(files):
    (files / "parts/authority.toml").write_text('[network]\nkind = "fixed"\ndelay = "5 ms"\n')
    with pytest.raises(TwinError) as error:
        load_scenario(files / "main.toml")
    said = str(error.value)
    assert "authority.toml:3: network.delay: found '5 ms', and '20 ms' in" in said and "carrier.toml:7" in said
    (files / "parts/authority.toml").write_text('duration = "2 s"\n[network]\nkind = "ideal"\n')
    with pytest.raises(TwinError, match="2 mistakes") as error:
        load_scenario(files / "main.toml")
    assert "main.toml:6" in str(error.value) and "carrier.toml:6" in str(error.value)


@pytest.mark.parametrize(
    ("name", "text", "says"),
    [
        ("carrier.toml", CARRIER + 'kidn = "x"\n', r"carrier.toml:10: robots.site.kidn: unknown key"),
        ("parts/authority.toml", 'requirements = ["colisions = 0"]', r"authority.toml:1: requirements\[1\]: found"),
        ("main.toml", MAIN.replace('"1 s"', '"1 m"'), r"main.toml:6: duration: found '1 m'"),
        ("main.toml", MAIN.replace('"carrier.toml"', '"../carrier.toml"'), "allowed: files beside or below this one"),
        ("main.toml", MAIN.replace('"carrier.toml"', '"/etc/passwd"'), "allowed: files beside or below this one"),
        ("main.toml", MAIN.replace('"carrier.toml"', '"carier.toml"'), "did you mean 'carrier.toml'"),
        ("main.toml", MAIN.replace('["carrier.toml"', '[3'), "include: allowed: a list of at most"),
        ("carrier.toml", 'include = ["main.toml"]', "carrier.toml: include: an included file can't say this"),
        ("main.toml", MAIN + "[[parties]]\n", "main.toml: parties: found it in a file"),
    ],
)
def test_mistakes_name_the_file_that_they_are_in(files, name, text, says):
    (files / name).write_text(text)
    with pytest.raises(TwinError, match=says):
        load_scenario(files / "main.toml")


def test_equal_values_are_no_conflict(files):
    (files / "parts/authority.toml").write_text('[network]\nkind = "fixed"\n')
    assert load_scenario(files / "main.toml")[0].network.kind == "fixed"
