import hashlib
import sys
from importlib.metadata import EntryPoint, EntryPoints

import pytest

from twin import registry
from twin.errors import PluginError, ScenarioError
from twin.project.plugins import load_class, load_controller, load_object, parameters
from twin.protocols import Controller, Dynamics, Failsafe
from twin.registry import installed

GOOD = """
from twin.state import Action

class Follow:
    def reset(self, spec, rng):
        pass

    def act(self, observation):
        return Action()
"""


@pytest.fixture
def folder(tmp_path):
    place = tmp_path / "site"
    place.mkdir()
    return place


def refused(call, *arguments):
    with pytest.raises(PluginError) as error:
        call(*arguments)
    return str(error.value)


class TestLoading:
    def test_an_object_comes_with_its_reference_and_the_digest_of_its_source(self, folder):
        (folder / "mine.py").write_text(GOOD)
        loaded = load_object("mine.py:Follow", folder)
        assert loaded.value.__name__ == "Follow"
        assert loaded.reference == "mine.py:Follow"
        assert loaded.sha256 == hashlib.sha256(GOOD.encode()).hexdigest()

    def test_a_symlink_gives_the_same_class_and_the_same_name_elsewhere_another(self, folder, tmp_path):
        (folder / "mine.py").write_text(GOOD)
        (tmp_path / "link").symlink_to(folder)
        other = tmp_path / "other" / "site"
        other.mkdir(parents=True)
        (other / "mine.py").write_text(GOOD)
        first = load_object("mine.py:Follow", folder).value
        assert load_object("mine.py:Follow", tmp_path / "link").value is first
        assert load_object(f"{folder}/../site/mine.py:Follow", tmp_path).value is first
        assert load_object("mine.py:Follow", other).value is not first

    def test_siblings_have_digests_too_and_theirs(self, folder):
        (folder / "far.py").write_text("GAIN = 3\n")
        (folder / "near.py").write_text("def gain():\n    from .far import GAIN\n    return GAIN\n")
        (folder / "unused.py").write_text("")
        (folder / "mine.py").write_text("from . import near\nfrom .near import gain\nclass A: gain = gain()\n")
        load_object("unused.py:__name__", folder)
        digests = {name: hashlib.sha256((folder / name).read_bytes()).hexdigest() for name in ("far.py", "near.py")}
        assert load_object("mine.py:A", folder).siblings == digests

    def test_siblings_are_imported_relatively_and_never_by_the_path(self, folder):
        (folder / "helper.py").write_text("GAIN = 3\n")
        (folder / "mine.py").write_text("from .helper import GAIN\nclass A: gain = GAIN\n")
        (folder / "other.py").write_text("import helper\n")
        before = list(sys.path)
        assert load_object("mine.py:A", folder).value.gain == 3
        assert "No module named 'helper'" in refused(load_object, "other.py:A", folder)
        assert sys.path == before

    def test_parents_are_out_of_reach(self, folder):
        (folder.parent / "shared.py").write_text("x = 1\n")
        for number, line in enumerate(("from ..shared import x", "from .. import shared")):
            (folder / f"mine{number}.py").write_text(f"\n{line}\n")
            message = refused(load_object, f"mine{number}.py:A", folder)
            assert f"{folder}/mine{number}.py:2: " in message
            assert "only siblings can be imported" in message

    def test_a_quick_edit_is_seen_also_in_a_sibling(self, folder):
        (folder / "helper.py").write_text("GAIN = 3\n")
        (folder / "mine.py").write_text("from .helper import GAIN\nclass A: gain = GAIN\n")
        assert load_object("mine.py:A", folder).value.gain == 3
        (folder / "helper.py").write_text("GAIN = 4\n")
        assert load_object("mine.py:A", folder).value.gain == 4
        assert not list(folder.rglob("*.pyc"))

    def test_a_file_in_two_places_is_ambiguous(self, folder, tmp_path):
        (folder / "mine.py").write_text(GOOD)
        (tmp_path / "mine.py").write_text(GOOD)
        message = refused(load_object, "mine.py:Follow", folder, tmp_path)
        assert "ambiguous" in message and str(folder / "mine.py") in message and str(tmp_path) in message
        load_object("mine.py:Follow", folder, folder / ".")


class TestFailures:
    @pytest.mark.parametrize("reference", ["mine.py", "mine.py:", "mine.py:not a name", ":", ""])
    def test_a_malformed_reference(self, folder, reference):
        message = refused(load_object, reference, folder)
        assert repr(reference) in message and "expected 'file.py:Class'" in message

    def test_a_missing_file_names_the_nearest(self, folder):
        (folder / "mine.py").write_text(GOOD)
        message = refused(load_object, "mien.py:Follow", folder)
        assert f"mien.py: no such file in {folder}" in message and "did you mean 'mine.py'?" in message

    def test_a_missing_class_names_what_is_there(self, folder):
        (folder / "mine.py").write_text(GOOD)
        message = refused(load_object, "mine.py:Folow", folder)
        assert f"{folder}/mine.py: no 'Folow' in it; there is: Follow; did you mean 'Follow'?" == message

    @pytest.mark.parametrize("name", ["my-drone.py", "class.py", "mine.txt", "2.py"])
    def test_a_file_name_that_no_module_can_have(self, folder, name):
        (folder / name).write_text(GOOD)
        message = refused(load_object, f"{name}:Follow", folder)
        assert name in message and "must be an identifier and end in .py" in message

    @pytest.mark.parametrize(
        ("source", "line", "cause"),
        [
            ("x = 1\ndef f(:\n", 2, "SyntaxError: invalid syntax"),
            ("\n\n1 / 0\n", 3, "ZeroDivisionError: division by zero"),
            ("def f():\n    raise KeyError('x')\nf()\n", 2, "KeyError: 'x'"),
            ("import nonesuch\n", 1, "ModuleNotFoundError: No module named 'nonesuch'"),
            ("import sys\nsys.exit(0)\n", 2, "SystemExit: 0"),
        ],
    )
    def test_a_file_that_fails_is_told_with_file_line_and_cause(self, folder, source, line, cause):
        (folder / "mine.py").write_text(source)
        assert refused(load_object, "mine.py:A", folder) == f"{folder}/mine.py:{line}: {cause}"

    def test_a_sibling_that_fails_is_named_itself(self, folder):
        (folder / "helper.py").write_text("\n1 / 0\n")
        (folder / "mine.py").write_text("from .helper import GAIN\n")
        assert f"{folder}/helper.py:2: ZeroDivisionError" in refused(load_object, "mine.py:A", folder)

    def test_a_file_that_failed_loads_once_it_is_mended(self, folder):
        (folder / "mine.py").write_text("1 / 0\n")
        refused(load_object, "mine.py:Follow", folder)
        (folder / "mine.py").write_text(GOOD)
        assert load_object("mine.py:Follow", folder).value.__name__ == "Follow"


class TestContract:
    def check(self, folder, body, head="class Mine:"):
        (folder / "mine.py").write_text(
            f"from twin.protocols import *\nfrom pydantic import BaseModel\n{head}\n{body}"
        )
        return load_controller("mine.py:Mine", folder, folder)

    def test_a_good_controller_of_ones_own(self, folder):
        body = "    def reset(self, *args): ...\n    def act(self, observation, verbose=False): ...\n"
        assert self.check(folder, body).reference == "mine.py:Mine"

    @pytest.mark.parametrize("head", ["class Mine:", "class Mine(Controller):"])
    def test_missing_methods_are_shown_as_they_should_be(self, folder, head):
        message = refused(self.check, folder, "    pass\n", head)
        assert "class Mine is no Controller" in message
        assert "missing: def reset(self, spec: RobotSpec, rng: np.random.Generator) -> None" in message
        assert "missing: def act(self, observation: Observation) -> Action" in message

    def test_a_wrong_signature_is_shown_beside_the_expected_one(self, folder):
        message = refused(self.check, folder, "    def reset(self): ...\n    def act(self, o, extra): ...\n")
        assert "found: def reset(self); expected: def reset(self, spec: RobotSpec, " in message
        assert "found: def act(self, o, extra); expected: def act(self, observation: Observation)" in message

    @pytest.mark.parametrize(
        ("line", "parts"),
        [
            ("runs_on = 'cloud'", ["runs_on = 'cloud'", "'edge', 'onboard'"]),
            ("trigger = '50 m'", ["trigger = '50 m'", "'arrival' or a frequency in Hz"]),
            ("trigger = '-50 Hz'", ["trigger = '-50 Hz'", "nothing negative"]),
            ("service_time = '2'; service_time = 'soon'", ["service_time = 'soon'", "a time in s, ms"]),
            ("act_batch = 3", ["act_batch = 3", "(controllers, observations)"]),
            ("def act_batch(self, c, o): ...", ["def act_batch(self, c, o)", "a static method"]),
            ("def telemetry_size(self, s, x): ...", ["def telemetry_size(self, s, x)", "a static method"]),
            ("Parameters = dict", ["Parameters = <class 'dict'>", "pydantic.BaseModel"]),
            ("def __init__(self, gain): ...", ["def __init__(self, gain)", "expected: def __init__(self)"]),
            ("act = 3", ["found: act = 3"]),
            ("async def act(self, o): ...", ["async def act", "expected: def act"]),
        ],
    )
    def test_wrong_options(self, folder, line, parts):
        body = f"    def reset(self, spec, rng): ...\n    def act(self, o): ...\n    {line}\n"
        message = refused(self.check, folder, body)
        assert all(part in message for part in ["mine.py:Mine", *parts])

    def test_a_function_is_no_class(self, folder):
        (folder / "mine.py").write_text("def mine(observation): ...\n")
        assert "expected a class, found function" in refused(load_controller, "mine.py:mine", folder, folder)

    def test_other_protocols_are_checked_the_same_way(self, folder):
        (folder / "mine.py").write_text(GOOD)
        message = refused(load_class, "mine.py:Follow", Failsafe, folder)
        assert (
            "is no Failsafe" in message
            and "missing: def update(self, observation: Observation) -> str" in message
        )
        assert "def wrench" in refused(load_class, "mine.py:Follow", Dynamics, folder)
        assert load_class("mine.py:Follow", Controller, folder).value.__name__ == "Follow"


class TestNamed:
    @pytest.fixture
    def robot(self, folder):
        (folder / "controllers").mkdir()
        (folder / "controllers" / "follow.py").write_text(GOOD)
        return folder

    def test_a_name_is_a_file_of_the_robots_controllers(self, robot):
        assert load_controller("follow", robot).value.__name__ == "Follow"

    def test_an_unknown_name_lists_what_is_there(self, robot):
        message = refused(load_controller, "folow", robot)
        assert "no controller 'folow'; did you mean 'follow'? There are: follow" in message
        assert "./file.py:Class" in message

    def test_a_named_file_has_one_class_that_acts(self, robot):
        (robot / "controllers" / "two.py").write_text(GOOD + "class Second(Follow): pass\n")
        assert "found Follow, Second" in refused(load_controller, "two", robot)

    @pytest.fixture
    def packages(self, monkeypatch, robot):
        points = [EntryPoint("chase", "chaser:Chase", "twin.controllers")]
        monkeypatch.setattr(registry, "_points", lambda path: EntryPoints(points))
        monkeypatch.syspath_prepend(robot)
        (robot / "chaser.py").write_text(GOOD.replace("Follow", "Chase"))
        yield points
        sys.modules.pop("chaser", None)

    def test_an_installed_controller(self, robot, packages):
        loaded = load_controller("chase", robot)
        assert (loaded.value.__name__, loaded.reference) == ("Chase", "chase")
        assert loaded.sha256 == hashlib.sha256((robot / "chaser.py").read_bytes()).hexdigest()

    def test_a_name_that_is_there_twice_is_an_error(self, robot, packages):
        packages.append(EntryPoint("follow", "chaser:Chase", "twin.controllers"))
        message = refused(load_controller, "follow", robot)
        assert "'follow' is there twice" in message and "chaser:Chase" in message and str(robot) in message
        packages.append(EntryPoint("chase", "other:Chase", "twin.controllers"))
        message = refused(installed, "twin.controllers")
        assert "'chase' is there twice: chaser:Chase and other:Chase" in message

    def test_an_installed_package_that_fails_is_told(self, robot, packages):
        packages.append(EntryPoint("broken", "nonesuch:X", "twin.controllers"))
        message = refused(load_controller, "broken", robot)
        assert "'broken' = nonesuch:X: ModuleNotFoundError" in message

    def test_entry_points_of_this_environment_are_read(self):
        assert installed("pytest11")["xdist"].value == "xdist.plugin"


class TestParameters:
    @pytest.fixture
    def controller(self, folder):
        model = "\n    class Parameters(BaseModel):\n        gain: float = Field(default=1, gt=0)\n"
        (folder / "mine.py").write_text("from pydantic import BaseModel, Field\n" + GOOD + model)
        return load_controller("mine.py:Follow", folder, folder).value

    def test_they_are_validated_by_the_controllers_own_model(self, controller):
        assert parameters(controller, {"gain": 2}, file="s.toml", key="robots.a.parameters").gain == 2
        assert parameters(controller, {}, file="s.toml", key="robots.a.parameters").gain == 1

    @pytest.mark.parametrize(
        ("table", "key", "message"),
        [
            ({"gian": 1}, "gian", "unknown key; allowed: gain; did you mean 'gain'?"),
            ({"gain": "x"}, "gain", "found 'x'; allowed: a number"),
            ({"gain": -1}, "gain", "found -1; allowed: more than 0"),
        ],
    )
    def test_a_wrong_one_is_told_with_file_and_key(self, controller, table, key, message):
        with pytest.raises(ScenarioError) as error:
            parameters(controller, table, file="s.toml", key="robots.a.parameters")
        assert str(error.value) == f"s.toml: robots.a.parameters.{key}: {message}"

    def test_a_controller_without_parameters_takes_none(self, folder):
        (folder / "mine.py").write_text(GOOD)
        controller = load_controller("mine.py:Follow", folder, folder).value
        assert parameters(controller, {}, file="s.toml", key="k") is None
        with pytest.raises(ScenarioError, match="k: Follow takes no parameters, found gain"):
            parameters(controller, {"gain": 1}, file="s.toml", key="k")
