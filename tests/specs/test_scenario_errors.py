"""The error catalogue of scenario files: each mistake is told with file, line, key, found and allowed."""

import re
from pathlib import Path

import pytest

from twin.cli import main
from twin.errors import EXIT_USAGE, ScenarioError
from twin.specs.scenario import load_scenario
from twin.specs.toml_text import line_of

PROJECT = Path(__file__).resolve().parents[1] / "project"
TASK = 'task = { kind = "route", waypoints = [[0, 0, 10], [50, 0, 10], [50, 50, 10]], speed = "5 m/s" }'
GOOD = f"""\
schema = 1
world = "city"
duration = "60 s"

[rates]
physics = "500 Hz"

[network]
kind = "fixed"
delay = "20 ms"

[robots.patrol]
kind = "drone"
count = 2
{TASK}

[robots.edge]
kind = "edge"
"""


@pytest.fixture
def refused(tmp_path):
    """Load a text with overrides, expect it to be refused, and return the message with a short file name."""

    def load(content, *overrides):
        file = tmp_path / "patrol.toml"
        if content is not None:
            file.write_bytes(content if isinstance(content, bytes) else content.encode())
        with pytest.raises(ScenarioError) as error:
            load_scenario(file, overrides)
        assert error.value.exit_code == EXIT_USAGE == 2
        return str(error.value).replace(f"{tmp_path}/", "")

    return load


def test_the_text_that_the_mistakes_are_made_in_is_good(tmp_path):
    (tmp_path / "patrol.toml").write_text(GOOD)
    assert load_scenario(tmp_path / "patrol.toml")[1] == []


@pytest.mark.parametrize(
    ("right", "wrong", "line", "key", "message"),
    [
        ("count = 2", "cuont = 2", 14, "robots.patrol.cuont",
         "unknown key; did you mean 'count'? Allowed: ... count, ..."),
        ("[network]", "[netwrok]", 8, "netwrok",
         "unknown key; did you mean 'network'? Allowed: channel, ... network, ..."),
        ("delay =", "delya =", 10, "network.delya",
         "unknown key; allowed: delay, ...; did you mean 'delay'?"),
        ("speed = ", "sped = 1, speed = ", 15, "robots.patrol.task.sped",
         "unknown key; allowed: ... speed, ...; did you mean 'speed'?"),
        ('"20 ms"', '"20 mm"', 10, "network.delay",
         "found '20 mm'; allowed: a time in s, ms, us, ns, min or h"),
        ('"500 Hz"', '"500 rpm"', 6, "rates.physics",
         "found '500 rpm'; allowed: a frequency in Hz, kHz, MHz or GHz"),
        ('"5 m/s"', '"5 m"', 15, "robots.patrol.task.speed",
         "found '5 m'; allowed: a speed in m/s, km/h or kn"),
        ('"5 m/s"', "0", 15, "robots.patrol.task.speed", "found 0; allowed: more than 0"),
        ("[50, 0, 10]", "[50, 0]", 15, "robots.patrol.task.waypoints[1]",
         "found a list of 2; allowed: 3 of them"),
        ("[50, 0, 10]", '[50, 0, "up"]', 15, "robots.patrol.task.waypoints[1][2]",
         "found 'up'; allowed: a length in m, km, cm or mm"),
        ("[0, 0, 10], ", "", 15, "robots.patrol.task.waypoints",
         "found a list of 2; allowed: at least 3 of them"),
        (TASK, 'task = { kind = "rounds", lanes = [], rounds = [["a"]], places = {} }', 15,
         "robots.patrol.task.lanes", "found a list of 0; allowed: at least 1 of them"),
        (TASK, 'task = { kind = "rounds", lanes = [[[0, 0], [9, 0]]], rounds = [], places = {} }', 15,
         "robots.patrol.task.rounds", "found a list of 0; allowed: at least 1 of them"),
        ("schema = 1", "schema = 2", 1, "schema", "found 2; allowed: 1"),
        ("schema = 1", "", 0, "schema", "missing, and there is no default"),
        ('"60 s"', '"-60 s"', 3, "duration", "found '-60 s'; allowed: more than 0"),
        ('"60 s"', "0", 3, "duration", "found 0; allowed: more than 0"),
        ('"60 s"', "true", 3, "duration", "found True; allowed: a time in s, ms, us, ns, min or h"),
        ('"60 s"', "2026-01-01", 3, "duration",
         "found datetime.date(2026, 1, 1); allowed: a time in s, ms, us, ns, min or h"),
        ('"500 Hz"', '"500 Hz"\nchannel = "300 Hz"', 7, "rates.channel",
         "found 300 Hz, which does not divide physics = 500 Hz; nearest legal: 250 Hz or 500 Hz"),
        ('"500 Hz"', '"512 Hz"\nrecord = 64', 5, "rates.channel",
         "found 100 Hz, which does not divide physics = 512 Hz; nearest legal: 64 Hz or 128 Hz"),
        ("count = 2", "count = 2\ncontrol = 300", 15, "robots.patrol.control",
         "found 300 Hz, which does not divide physics = 500 Hz; nearest legal: 250 Hz or 500 Hz"),
        ("count = 2", "count = 2\ncontrol = 50\nphase = 10", 16, "robots.patrol.phase",
         "found 10; allowed: less than 10, the ticks of a period"),
        ("count = 2", "count = 0", 14, "robots.patrol.count", "found 0; allowed: at least 1"),
        ("count = 2", "count = 1.5", 14, "robots.patrol.count", "found 1.5; allowed: a whole number"),
        ("count = 2", "count = 2\npositions = [[0, 0, 1]]", 15, "robots.patrol.positions",
         "found 1; allowed: 2, one for each of `count` robots"),
        ("count = 2", 'count = 2\nedge = "egde"', 15, "robots.patrol.edge",
         "found 'egde'; allowed: one of robots: patrol, edge; did you mean 'edge'?"),
        ("count = 2", 'count = 2\nruns_on = "cloud"', 15, "robots.patrol.runs_on",
         "found 'cloud'; allowed: 'onboard' or 'edge'"),
        ("count = 2", 'count = 2\ntrigger = "sometimes"', 15, "robots.patrol.trigger",
         "found 'sometimes'; allowed: 'arrival' or a frequency in Hz, kHz, MHz or GHz"),
        ('kind = "fixed"', 'kind = "fixd"', 9, "network.kind",
         "found 'fixd'; allowed: ...fixed, ...; did you mean 'fixed'?"),
        ('kind = "fixed"', "kind = 3", 9, "network.kind", "found 3; allowed: ...fixed, ..."),
        ('kind = "fixed"\n', "", 8, "network.kind", "missing; allowed: ...fixed, ..."),
        ('kind = "route"', 'kind = "rout"', 15, "robots.patrol.task.kind",
         "found 'rout'; did you mean 'route'? Allowed: ...route..."),
        ('kind = "drone"\n', "", 12, "robots.patrol.kind", "missing, and there is no default"),
        ('[rates]\nphysics = "500 Hz"', "rates = 500", 5, "rates", "found 500; allowed: a table"),
        ("schema = 1", "schema = 1\nseed = -1", 2, "seed", "found -1; allowed: at least 0"),
        ("delay =", "loss = 1.5\ndelay =", 10, "network.loss", "found 1.5; allowed: at most 1"),
        ("delay =", "loss = nan\ndelay =", 10, "network.loss", "found nan; allowed: a finite number"),
        ('"city"', "7", 2, "world", "found 7; allowed: text"),
    ],
)  # fmt: skip
def test_a_mistake_is_told_with_file_line_key_found_and_allowed(refused, right, wrong, line, key, message):
    """Three dots stand for what may grow: names of keys and kinds."""
    assert GOOD.count(right) == 1
    place = f"patrol.toml:{line}" if line else "patrol.toml"
    pattern = ".*".join(re.escape(part) for part in f"{place}: {key}: {message}".split("..."))
    found = refused(GOOD.replace(right, wrong))
    assert re.fullmatch(pattern, found), found


def test_all_mistakes_are_told_together_in_the_order_of_the_file(refused):
    text = GOOD.replace("count", "cuont").replace("60 s", "60 m").replace("fixed", "fixd")
    first, *rows = refused(text).splitlines()
    assert first == "patrol.toml: 3 mistakes"
    assert [row.split(": ")[:2] for row in rows] == [
        ["  patrol.toml:3", "duration"],
        ["  patrol.toml:9", "network.kind"],
        ["  patrol.toml:14", "robots.patrol.cuont"],
    ]


def test_no_robots_is_no_scenario(refused):
    assert refused('schema = 1\nworld = "city"\nduration = 1\nrobots = {}\n') == (
        "patrol.toml:4: robots: found a table; allowed: at least 1 of them"
    )


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "patrol.toml: the file is empty"),
        (b" \n\t\n", "patrol.toml: the file is empty"),
        (GOOD[:40].encode(), "patrol.toml: not valid TOML: "),
        (GOOD[: GOOD.index("city")].encode(), "patrol.toml: not valid TOML: "),
        (
            b"\x89HDF\r\n\x1a\n" + bytes(range(256)),
            "patrol.toml: expected TOML text, found byte 0x89",
        ),
        (b"schema = 1\n\x00", "patrol.toml: not valid TOML: "),
        (b"a = " + b"[" * 100_000, "patrol.toml: not valid TOML: "),
        (b"a = " + b"9" * 100_000, "patrol.toml: not valid TOML: "),
        (b"schema = 1\nschema = 1\n", "patrol.toml: not valid TOML: "),
        (b"#" * 10_000_001, "patrol.toml: found 10.0 MB; allowed: at most 10 MB"),
    ],
    ids=[
        "empty",
        "blank",
        "truncated",
        "cut in a text",
        "binary",
        "nul",
        "deep",
        "long number",
        "twice",
        "large",
    ],
)
def test_a_file_that_is_no_scenario(refused, content, message):
    assert refused(content).startswith(message)


def test_a_place_in_invalid_toml_is_told(refused):
    assert "at line 10, column 12" in refused(GOOD.replace('delay = "20 ms"', "delay = 20 ms"))


def test_a_missing_file_names_the_nearest(refused, tmp_path):
    (tmp_path / "patrols.toml").write_text(GOOD)
    assert refused(None) == "patrol.toml: no such file; did you mean 'patrols.toml'?"


def test_a_folder_is_no_file(refused, tmp_path):
    (tmp_path / "patrol.toml").mkdir()
    assert refused(None) == "patrol.toml: expected a TOML file, found a folder or device"


def test_a_name_that_no_file_can_have(tmp_path):
    with pytest.raises(ScenarioError, match="can't be read: File name too long"):
        load_scenario(tmp_path / ("x" * 300 + ".toml"))


@pytest.mark.parametrize(
    ("override", "message"),
    [
        ("network.delay", "--set: found 'network.delay'; allowed: key.path=value"),
        ("=3", "--set: found '=3'; allowed: key.path=value"),
        ("a b=3", "--set: found 'a b=3'; allowed: key.path=value"),
        ("a=1\nb=2=3", "--set: a: unknown key"),
        ("a\nb=3", "--set: found 'a\\nb=3'; allowed: key.path=value"),
        ("network.delay=soon", "--set: network.delay: found 'soon'; allowed: a time in s"),
        ("network.dealy=1", "--set: network.dealy: unknown key; allowed: delay, "),
        ("robots.patol.count=3", "--set: robots.patol.count: no robots.patol; there are: patrol, edge; did "
         "you mean 'patrol'? (a new one needs a kind)"),
        ("network.kind=fixd", "--set: network.kind: found 'fixd'; allowed: "),
        ("network=ideal", "--set: network: found 'ideal'; allowed: a table"),
        ("seed.x=1", "--set: seed: found a table; allowed: a whole number"),
        ("world.x=1", "--set: world.x: world is 'city', neither a table nor a list"),
        ("world.kind=1", "--set: world.kind: world is 'city', neither a table nor a list"),
        ("robots.patrol.task.waypoints.3=[0,0,0]", "--set: robots.patrol.task.waypoints[3]: "
         "robots.patrol.task.waypoints has entries 0 to 2, found 3"),
        ("robots.patrol.task.waypoints.first=1", "--set: robots.patrol.task.waypoints.first: "
         "robots.patrol.task.waypoints has entries 0 to 2, found 'first'"),
        ("robots.patrol.task.waypoints=[[0, 0", "--set: robots.patrol.task.waypoints: found '[[0, 0'"),
    ],
)  # fmt: skip
def test_a_wrong_override_is_told_as_one(refused, override, message):
    assert refused(GOOD, override).startswith(message)


def test_a_key_of_another_kind_is_told_with_the_kinds_that_have_it(refused):
    assert refused(GOOD, "network.file=1").endswith("; with kind = trace it is known")
    assert refused(GOOD, "network.kind=ideal", "network.delay=1 ms").endswith("; with kind = fixed it is known")
    assert "it is known" not in refused(GOOD, "network.dealy=1")


def test_a_mistake_of_the_file_is_not_blamed_on_an_override(refused):
    message = refused(GOOD.replace("delay", "dealy"), "seed=x")
    assert "\n  patrol.toml:10: network.dealy: " in message
    assert "\n  --set: seed: " in message


@pytest.mark.parametrize(
    ("path", "line"),
    [
        (("a",), 1),
        (("t", "x"), 3),
        (("t", "x", "y"), 3),
        (("t", "z"), 2),
        (("t", "u", "v"), 4),
        (("r", 0, "k"), 6),
        (("r", 1, "k"), 8),
        (("q s", "k"), 10),
        (("nowhere",), 0),
    ],
)
def test_the_line_of_a_key(path, line):
    text = "a = 1\n[t] # table\nx = {y = 1}\nu.v = 2\n[[r]]\nk = 1\n[[r]]\nk = 2\n['q s']\n\"k\" = 3\n"
    assert line_of(text, path) == line


class TestNames:
    """Names that only the project can resolve, through the command line: exit code 2 and no traceback."""

    @pytest.fixture
    def check(self, capsys, monkeypatch):
        def run(override):
            arguments = [
                "twin",
                "check",
                "--trust",
                str(PROJECT / "worlds/void/scenarios/height.toml"),
                "--set",
                override,
            ]
            monkeypatch.setattr("sys.argv", arguments)
            with pytest.raises(SystemExit) as exit_:
                main()
            output = capsys.readouterr()
            assert (exit_.value.code, output.out) == (EXIT_USAGE, "")
            assert "Traceback" not in output.err
            return output.err

        return run

    @pytest.mark.parametrize(
        ("override", "parts"),
        [
            ("robots.ball.kind=mas",
             ["height.toml: ", "robots.ball.kind: no robot 'mas'; did you mean 'mass'? There are: ", "drone"]),
            ("robots.ball.controller=heigt",
             ["height.toml: ", "robots.ball.controller: no controller 'heigt'; did you mean 'height'?"]),
            ("robots.ball.controller=./my.py:A", ["./my.py: no such file in "]),
            ("robots.ball.parameters.x=1", ["height.toml: robots.ball.parameters"]),
            ("robots.ball.control=300 Hz", ["robots.ball.control", "250 Hz or 500 Hz"]),
            ("robots.ball.spec.control=fast",
             ["height.toml: ", "robots.ball.spec.control: found 'fast'; allowed: a frequency in Hz"]),
            ("world=viod", ["height.toml: world: no world 'viod'; did you mean 'void'? There are: "]),
            ("world=./void", ["no world.toml in "]),
            ("network.kind=idael", ["--set: network.kind: found 'idael'; allowed: ", "'ideal'?"]),
        ],
    )  # fmt: skip
    def test_an_unknown_name_is_answered_by_those_that_are_there(self, check, override, parts):
        message = check(override)
        assert all(part in message for part in parts), message
