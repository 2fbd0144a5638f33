from pathlib import Path

import numpy as np
import pytest

from twin.errors import ScenarioError
from twin.project.project import Project
from twin.siting import mission as missions
from twin.siting.candidates import found_places
from twin.siting.columns import network_of, spectra
from twin.siting.mission import read_mission
from twin.siting.spec import read_siting
from twin.specs.scenario import load_scenario
from twin.world.opening import open_world

ROOT = Path(__file__).resolve().parents[2]
STEP = 100_000_000


def read(name, *changes, carriers=(3.5e9,), step=STEP):
    project = Project(ROOT)
    scenario, _ = load_scenario(ROOT / "tests/patrol.toml" if name is None else ROOT / name, changes)
    return read_mission(scenario, project, open_world(project.world(scenario.world)), carriers, step)


def test_courses_say_where_robots_are_without_a_run():
    """Four drones a quarter of the route apart, from rest to 8 m/s at 2 m/s2: 64 m of braking way take 4 s."""
    found = read(None, "duration=10 s")
    assert found.names == tuple(f"patrol-{i}" for i in range(4))
    assert found.position.shape == (101, 4, 3)
    np.testing.assert_allclose(found.position[0, 0], [-60, -60, 30], atol=1e-6)
    speed = np.linalg.norm(np.diff(found.position, axis=0), axis=2) * 10
    np.testing.assert_allclose(speed[50:], 8.0, rtol=1e-2)
    assert found.timeout.tolist() == [300_000_000] * 4
    assert found.window.tolist() == [3] * 4
    assert found.load.tolist() == [[100 * 8 * 50, 60 * 8 * 50]] * 4


def test_other_missions_are_flown_once_over_an_ideal_network(tmp_path, monkeypatch):
    """Mobile robots on rounds: nobody says beforehand where they are; they start where the rounds begin."""
    monkeypatch.setattr(missions, "cache_home", lambda: tmp_path)
    changes = ("duration=500 ms", "network.kind=fixed")
    found = read("worlds/factory/scenarios/amr-fleet.toml", *changes)
    assert len(found.names) == 30
    assert found.position.shape == (6, 30, 3)
    assert len(list(tmp_path.rglob("*.npz"))) == 1
    monkeypatch.setattr(missions, "build", None)
    np.testing.assert_array_equal(read("worlds/factory/scenarios/amr-fleet.toml", *changes).position, found.position)


def test_servers_are_kept_at_work_by_rate_and_service_time():
    """50 commands a second of 4 ms each keep a fifth of a server busy."""
    assert read(None, "robots.patrol.service_time=4 ms").work.tolist() == pytest.approx([0.2] * 4)


@pytest.mark.parametrize(("changes", "carriers", "step", "said"), [
    ((), (28e9,), STEP, "carriers: no robot is controlled from an edge server over 28 GHz"),
    (('robots.patrol.runs_on=onboard',), (3.5e9,), STEP, "carriers: no robot is controlled from an edge server over"),
    ((), (3.5e9,), 400_000_000, "step: found 400 ms; allowed: at most 300 ms, as long as patrol-0 lasts without a"),
])  # fmt: skip
def test_a_mission_that_is_none_is_refused(changes, carriers, step, said):
    with pytest.raises(ScenarioError) as error:
        read(None, *changes, carriers=carriers, step=step)
    assert str(error.value).startswith(said)


@pytest.mark.parametrize(("scenario", "plan"), [
    (ROOT / "worlds" / file.parts[-3] / "scenarios" / file.name, file) for file in
    sorted(ROOT.glob("worlds/*/siting/*.toml"))
], ids=lambda path: path.stem)  # fmt: skip
def test_each_built_in_plan_fits_its_scenario(scenario, plan):
    spec, (loaded, _) = read_siting(plan), load_scenario(scenario)
    network = network_of(loaded, spec)
    assert spectra(network, spec)
    world = open_world(Project(ROOT).world(loaded.world))
    places, _ = found_places(world, spec.candidates)
    assert all(len(points) > 5 for _, points, *_ in places)
    frequencies = [network.carriers[name].frequency for name in spec.carriers]
    short = loaded.model_copy(update={"duration": spec.step})
    mission = read_mission(short, Project(ROOT), world, frequencies, spec.step)
    assert spec.step <= mission.timeout.min()
