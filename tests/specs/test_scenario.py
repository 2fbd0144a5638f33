import tomllib
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from twin.errors import ScenarioError, is_name
from twin.project.robots import load_kind
from twin.specs import FixedSpec, HoverSpec, IdealSpec, Jitter, RouteSpec
from twin.specs.scenario import Rates, RobotEntry, Scenario, load_scenario, scenario_schema

MS = 1_000_000
PATROL = """
schema = 1
world = "city"
duration = "60 s"
seed = 7

[network]
kind = "fixed"
delay = "20 ms"
loss = 0.01

[robots.patrol]
kind = "drone"
count = 2
task = { kind = "route", waypoints = [[0, 0, 10], [50, 0, 10], [50, 50, 10]], speed = "5 m/s" }

[robots.edge]
kind = "edge"
"""


@pytest.fixture
def patrol(tmp_path):
    file = tmp_path / "patrol.toml"
    file.write_text(PATROL)
    return file


def test_what_a_scenario_says_is_kept_in_si(patrol):
    scenario, dropped = load_scenario(patrol)
    assert scenario.duration == 60 * 1000 * MS
    assert scenario.network == FixedSpec(kind="fixed", delay="20 ms", loss=0.01)
    assert scenario.robots["patrol"].task.speed == 5.0
    assert scenario.rates == Rates(physics=500, channel=100, record=50)
    assert dropped == []


def test_a_byte_order_mark_is_no_mistake(patrol):
    patrol.write_bytes(b"\xef\xbb\xbf" + PATROL.encode())
    assert load_scenario(patrol)[0].world == "city"


class TestOverrides:
    @pytest.mark.parametrize(
        ("override", "read", "value"),
        [
            ("network.delay=120 ms", lambda s: s.network.delay, 120 * MS),
            ('network.delay="120 ms"', lambda s: s.network.delay, 120 * MS),
            ("network.delay = 0.12", lambda s: s.network.delay, 120 * MS),
            ("seed=9", lambda s: s.seed, 9),
            ("world=./sites/harbour", lambda s: s.world, "./sites/harbour"),
            ("description=a = b, # not a comment", lambda s: s.description, "a = b, # not a comment"),
            ("robots.patrol.controller=my.py:Mine", lambda s: s.robots["patrol"].controller, "my.py:Mine"),
            ("robots.patrol.parameters.gain=2.5", lambda s: s.robots["patrol"].parameters, {"gain": 2.5}),
            ("robots.patrol.parameters={b=[true]}", lambda s: s.robots["patrol"].parameters["b"], [True]),
            ("robots.patrol.positions=[[0,0,1],[0,0,2]]", lambda s: s.robots["patrol"].positions[1], (0,0,2)),
            ("robots.patrol.task.waypoints.1=[9,8,7]",
             lambda s: s.robots["patrol"].task.waypoints[1], (9,8,7)),
            ("rates.physics=1 kHz", lambda s: s.rates.physics, 1000),
            ("robots.second.kind=drone", lambda s: s.robots["second"].kind, "drone"),
            ('robots."a b".kind=drone', lambda s: s.robots["a b"].kind, "drone"),
            ('description="""two\nlines"""', lambda s: s.description, "two\nlines"),
        ],
    )  # fmt: skip
    def test_a_key_takes_toml_or_plain_text(self, patrol, override, read, value):
        assert read(load_scenario(patrol, [override])[0]) == value

    def test_a_text_with_a_line_break_sets_one_key_only(self, patrol):
        assert load_scenario(patrol, ["description=1\nworld = 'moon'"])[0].world == "city"

    def test_the_last_one_wins(self, patrol):
        assert load_scenario(patrol, ["seed=1", "seed=2"])[0].seed == 2

    def test_a_new_kind_starts_from_its_defaults_and_says_what_it_dropped(self, patrol):
        scenario, dropped = load_scenario(patrol, ["network.kind=ideal"])
        assert scenario.network == IdealSpec()
        assert dropped == ['network.delay = "20 ms"', "network.loss = 0.01"]

    def test_tables_and_lists_that_a_new_kind_drops_are_only_named(self, patrol):
        patrol.write_text(PATROL.replace("loss = 0.01", 'jitter = { kind = "normal", scale = "3 ms" }'))
        points = "robots.patrol.task.points=[[0, 0, 9], [9, 0, 9]]"
        _, dropped = load_scenario(patrol, ["network.kind=ideal", "robots.patrol.task.kind=hover", points])
        assert dropped == [
            'network.delay = "20 ms"', "[network.jitter]",
            "robots.patrol.task.waypoints = [...]", 'robots.patrol.task.speed = "5 m/s"',
        ]  # fmt: skip

    def test_the_kind_that_it_has_already_changes_nothing(self, patrol):
        scenario, dropped = load_scenario(patrol, ["network.kind=fixed"])
        assert scenario.network == FixedSpec(kind="fixed", delay="20 ms", loss=0.01)
        assert dropped == []

    def test_a_network_of_slots_keeps_its_carriers_when_it_is_asked_for_again(self, patrol):
        slots = 'kind = "nr"\ncarriers.n257 = { frequency = "28 GHz", scs = "120 kHz" }'
        patrol.write_text(PATROL.replace('kind = "fixed"\ndelay = "20 ms"\nloss = 0.01', slots))
        scenario, _ = load_scenario(patrol, ["network.kind=nr"])
        assert [one.frequency for one in scenario.network.carriers.values()] == [28e9]

    def test_other_overrides_apply_after_the_kind_whatever_the_order(self, patrol):
        overrides = ["network.jitter.scale=3 ms", "network.delay=600 ms", "network.jitter.kind=normal"]
        for order in (overrides + ["network.kind=fixed"], ["network.kind=fixed"] + overrides):
            network = load_scenario(patrol, order)[0].network
            assert network == FixedSpec(
                kind="fixed", delay="600 ms", loss=0.01, jitter=Jitter(kind="normal", scale="3 ms")
            )

    def test_another_kind_of_robot_keeps_count_and_task(self, patrol):
        scenario, dropped = load_scenario(patrol, ["robots.patrol.kind=./my_drone"])
        assert (scenario.robots["patrol"].kind, scenario.robots["patrol"].count) == ("./my_drone", 2)
        assert dropped == []


class TestResolvedText:
    def test_it_loads_to_the_same_scenario_and_repeats_to_the_byte(self, patrol, tmp_path):
        scenario, _ = load_scenario(patrol, ["network.delay=120.000001 ms", "robots.patrol.trigger=50 Hz"])
        text = scenario.to_toml()
        again = tmp_path / "again.toml"
        again.write_text(text)
        assert load_scenario(again) == (scenario, [])
        assert load_scenario(again)[0].to_toml() == text

    def test_it_holds_overrides_and_defaults_and_no_place_of_this_machine(self, patrol, tmp_path):
        text = load_scenario(patrol, ["network.delay=120 ms"])[0].to_toml()
        assert tomllib.loads(text)["network"]["delay"] == "120 ms"
        assert tomllib.loads(text)["rates"] == {"physics": 500, "channel": 100, "record": 50}
        assert str(tmp_path) not in text

    points = st.tuples(*[st.floats(-1e6, 1e6)] * 3)
    names = st.text(min_size=1, max_size=8).filter(is_name)
    entries = st.builds(
        RobotEntry,
        kind=names,
        positions=st.tuples(points) | st.just(()),
        task=st.none()
        | st.builds(HoverSpec, kind=st.just("hover"), points=st.tuples(points), yaw=st.floats(-7, 7))
        | st.builds(RouteSpec, kind=st.just("route"), waypoints=st.lists(points, min_size=3, max_size=4),
                    speed=st.floats(1e-3, 1e3)),
        controller=st.none() | names,
        parameters=st.dictionaries(names, st.booleans() | st.integers(-9, 9) | st.text(), max_size=2),
        trigger=st.none() | st.just("arrival") | st.integers(1, 10**6),
        service_time=st.none() | st.integers(0, 2**62).map(lambda ns: f"{ns} ns"),
        control=st.none() | st.sampled_from([1, 50, 250, 500]),
    )  # fmt: skip
    networks = st.builds(IdealSpec) | st.builds(
        FixedSpec, kind=st.just("fixed"), delay=st.integers(0, 2**62).map(lambda ns: f"{ns} ns"),
        jitter=st.builds(Jitter, kind=st.sampled_from(["none", "uniform"])), loss=st.floats(0, 1),
    )  # fmt: skip

    @settings(max_examples=60, deadline=None)
    @given(
        st.dictionaries(names, entries, min_size=1, max_size=3),
        networks,
        st.text(),
        st.integers(0, 2**63 - 1),
    )
    def test_any_scenario_survives_its_text(self, robots, network, description, seed):
        scenario = Scenario(
            schema=1,
            world="w",
            duration="1 ns",
            robots=robots,
            network=network,
            description=description,
            seed=seed,
        )
        assert Scenario.model_validate(tomllib.loads(scenario.to_toml())) == scenario


class TestSchema:
    def test_it_describes_the_file_to_an_editor(self):
        schema = scenario_schema()
        assert set(schema["required"]) == {"schema", "world", "duration", "robots"}
        assert schema["additionalProperties"] is False
        assert set(schema["properties"]["network"]["discriminator"]["mapping"]) >= {"ideal", "fixed"}

    def test_its_defaults_are_what_one_would_write(self):
        assert scenario_schema()["$defs"]["FixedSpec"]["properties"]["delay"]["default"] == "20 ms"


class TestKinds:
    TOML = """
schema = 1
agent = "rover.py:Rover"
control = "100 Hz"

[body]
urdf = "rover.urdf"
dynamics = "wheels"
command = [{ name = "speed", unit = "m/s" }]
parameters = { mass = 2.0, radius = 0.1 }

[[radios]]
carrier = "3.5 GHz"
"""

    @pytest.fixture
    def rover(self, tmp_path):
        inertial = "<inertial><mass value='2'/><inertia ixx='1' iyy='1' izz='1' ixy='0' ixz='0' iyz='0'/></inertial>"
        (tmp_path / "rover.urdf").write_text(f"<robot name='rover'><link name='base'>{inertial}</link></robot>")
        (tmp_path / "robot.toml").write_text(self.TOML)
        return tmp_path

    def refused(self, folder, *arguments, **keywords):
        with pytest.raises(ScenarioError) as error:
            load_kind(folder, *arguments, **keywords)
        return str(error.value)

    def test_paths_are_those_of_the_folder(self, rover):
        kind = load_kind(rover)
        assert kind.body.urdf == rover / "rover.urdf"
        assert (kind.control, kind.radios[0].carrier) == (100, 3.5e9)

    def test_an_override_goes_deep_and_leaves_the_rest(self, rover):
        kind = load_kind(rover, {"body": {"parameters": {"mass": 3.0}}, "telemetry": "200 B"})
        assert kind.body.parameters == {"mass": 3.0, "radius": 0.1}
        assert (kind.telemetry, kind.body.dynamics) == (200, "wheels")

    def test_a_mistake_is_told_with_line_and_key(self, rover):
        (rover / "robot.toml").write_text(self.TOML.replace("carrier", "carier"))
        message = self.refused(rover)
        assert message.startswith(f"{rover}/robot.toml:13: radios[0].carier: unknown key; allowed: ")
        assert message.endswith("did you mean 'carrier'?")

    def test_a_mistake_of_the_override_is_told_as_its_own(self, rover):
        message = self.refused(rover, {"control": "fast"}, key="robots.a.spec")
        assert "robots.a.spec.control: found 'fast'; allowed: a frequency in Hz" in message

    @pytest.mark.parametrize("urdf", ["../rover.urdf", "/etc/hostname", "nothing.urdf", "."])
    def test_a_path_stays_in_the_folder_and_exists(self, rover, urdf):
        message = self.refused(rover, {"body": {"urdf": urdf}})
        assert f"body.urdf: found '{urdf}'; allowed: a file in {rover}" in message

    def test_every_built_in_kind_is_good(self):
        files = sorted((Path(__file__).resolve().parents[2] / "agents").glob("*/robot.toml"))
        assert files
        for file in files:
            assert load_kind(file.parent).schema_ == 1
