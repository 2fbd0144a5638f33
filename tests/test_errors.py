import pytest

from twin.errors import Findings, PluginError, ScenarioError, SeveralErrors, WorldError, choice, located, nearest


def test_a_scenario_error_reads_file_key_message():
    assert str(ScenarioError("found 1", file="a.toml", key="b.c")) == "a.toml: b.c: found 1"
    assert str(ScenarioError("found 1", key="b.c")) == "b.c: found 1"
    assert str(ScenarioError("found 1")) == "found 1"


def test_an_error_gets_its_place_from_those_who_know_it():
    with pytest.raises(ScenarioError) as error, located(file="a.toml"), located(key="robots.x.kind"):
        raise ScenarioError("no robot 'dron'")
    assert str(error.value) == "a.toml: robots.x.kind: no robot 'dron'"
    with pytest.raises(PluginError) as refused, located(file="a.toml"), located(key="robots.x.controller"):
        raise PluginError("no controller 'folow'")
    assert str(refused.value) == "a.toml: robots.x.controller: no controller 'folow'"


def test_an_error_that_names_its_file_keeps_its_place():
    with pytest.raises(ScenarioError) as error, located(file="a.toml", key="robots.x.kind"):
        raise ScenarioError("unknown key", file="robot.toml", key="contrl")
    assert str(error.value) == "robot.toml: contrl: unknown key"


def test_steps_that_do_not_need_one_another_are_all_tried():
    findings = Findings()
    for error in (PluginError("one"), ScenarioError("two", key="b"), WorldError("three")):
        with findings.attempt(), located(key="k"):
            raise error
    with pytest.raises(SeveralErrors) as several, located(file="a.toml"):
        findings.settle()
    assert str(several.value) == "3 mistakes\n  a.toml: k: one\n  a.toml: b: two\n  three"
    assert several.value.exit_code == PluginError.exit_code


def test_a_single_mistake_is_raised_as_it_is_and_none_raises_nothing():
    findings = Findings()
    findings.settle()
    with findings.attempt():
        raise WorldError("one")
    with pytest.raises(WorldError, match="^one$"):
        findings.settle()


def test_other_errors_pass():
    with pytest.raises(ZeroDivisionError), located(file="a.toml"):
        raise ZeroDivisionError


@pytest.mark.parametrize(("found", "hint"), [("drne", "; did you mean 'drone'?"), ("xyz", ""), ("", "")])
def test_the_nearest_name(found, hint):
    assert nearest(found, ["arm", "drone"]) == hint


def test_what_was_meant_comes_before_a_long_list_and_after_a_short_one():
    assert choice("drne", ["drone", "rover"]) == "; allowed: drone, rover; did you mean 'drone'?"
    many = ["drone", *(f"another-{i}" for i in range(9))]
    assert choice("drne", many) == f"; did you mean 'drone'? Allowed: {', '.join(many)}"
    assert choice("xyz", many).startswith("; allowed: drone, another-0")
