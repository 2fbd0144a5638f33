"""`twin world import` on the command line: names with brackets, and numbers that are none."""

import json
from pathlib import Path

import pytest

SQUARE = [[120.6, 31.3], [120.6002, 31.3], [120.6002, 31.3002], [120.6, 31.3002], [120.6, 31.3]]


@pytest.fixture
def site(tmp_path):
    path = tmp_path / "site.json"
    path.write_text(json.dumps({"type": "Polygon", "coordinates": [SQUARE]}))
    return path


def test_brackets_in_a_folder_are_no_markup(command, site):
    code, out, err = command("world", "import", site, "w[/x]y")
    assert code == 0, err
    assert "w[/x]y: 1 of 1" in out and Path("w[/x]y/world.toml").is_file()


@pytest.mark.parametrize("option", ["--geoid-height", "--ground"])
@pytest.mark.parametrize("number", ["nan", "inf"])
def test_a_height_that_is_no_number_is_refused(command, site, option, number):
    code, _, err = command("world", "import", site, "site", option, number)
    assert code == 2 and f"found {number}; allowed: a finite number" in err
    assert not Path("site").exists()


def test_an_option_without_effect_is_said_and_two_grounds_are_refused(command, site):
    code, _, err = command("world", "import", site, "site", "--geoid-height", "9", "--visual")
    said = " ".join(err.split())
    assert code == 0 and "--geoid-height has no effect" in said and "--visual has no effect" in said
    code, _, err = command("world", "import", site, "other", "--ground", "5", "--terrain", "n31e120.hgt")
    assert code == 1 and "found both --ground and --terrain" in " ".join(err.split())
    assert not Path("other").exists()


def test_a_page_is_only_written(command, site):
    pytest.importorskip("viser", reason="the extra `view` is not installed")
    assert command("world", "import", site, "site")[0] == 0
    code, out, err = command("world", "show", "site", "-o", "page.html")
    assert (code, out) == (0, "") and err.split() == ["page", "in", "page.html"]
