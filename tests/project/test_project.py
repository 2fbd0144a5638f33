import os
import subprocess
import sys
from importlib.metadata import EntryPoint, EntryPoints
from pathlib import Path

import pytest

import twin
from twin import registry
from twin.errors import PluginError, ScenarioError, TwinError
from twin.project import project
from twin.project.project import Project, builtin_root, find_scenario

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def site(tmp_path, monkeypatch):
    """A project with one world, one scenario and one robot; the current folder is outside of it."""
    folder = tmp_path / "site"
    for name in ("worlds/yard/world.toml", "worlds/yard/scenarios/drive.toml", "agents/rover/robot.toml"):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text("schema = 1\n")
    (tmp_path / "elsewhere").mkdir()
    monkeypatch.chdir(tmp_path / "elsewhere")
    return folder


def refused(call, *arguments):
    with pytest.raises(ScenarioError) as error:
        call(*arguments)
    return str(error.value)


def test_the_project_is_the_nearest_one_above_a_place(site):
    assert Project.around(site / "worlds" / "yard" / "scenarios").folder == site
    assert Project.around(site).recordings == site / "recordings"


def test_without_a_project_the_current_folder_is_one(site, tmp_path):
    assert Project.around(Path.cwd()).folder == tmp_path / "elsewhere"


def test_folders_of_the_right_names_alone_are_no_project(site, tmp_path):
    (tmp_path / "worlds").mkdir()
    (tmp_path / "agents").mkdir()
    assert Project.around(Path.cwd()).folder == tmp_path / "elsewhere"


def test_names_are_those_of_the_project_and_the_built_in_ones(site):
    here = Project.around(site)
    assert here.world("yard") == site / "worlds" / "yard"
    assert here.robot("rover") == site / "agents" / "rover"
    assert here.robot("drone") == builtin_root() / "agents" / "drone"
    assert here.scenarios()["yard/drive"] == [site / "worlds/yard/scenarios/drive.toml"]


def test_unknown_names_are_answered_by_the_known_ones(site):
    here = Project.around(site)
    assert "no world 'yrd'; did you mean 'yard'? There are: " in refused(here.world, "yrd")
    assert "did you mean 'yard'?" in refused(here.world, "yrd")
    message = refused(here.robot, "rovr")
    assert (
        "no robot 'rovr'; did you mean 'rover'? There are: " in message
        and "drone" in message
        and "did you mean 'rover'?" in message
    )


def test_a_path_is_taken_from_here_or_from_the_project(site, tmp_path):
    here = Project.around(site)
    assert here.robot("./agents/rover") == site / "agents" / "rover"
    assert here.robot(str(site / "agents" / "rover")) == site / "agents" / "rover"
    (tmp_path / "elsewhere" / "crane").mkdir()
    message = refused(here.robot, "./crane")
    assert f"no robot.toml in {tmp_path}/elsewhere/crane or {site}/crane" in message
    (tmp_path / "elsewhere" / "crane" / "robot.toml").write_text("")
    assert here.robot("./crane") == tmp_path / "elsewhere" / "crane"


def test_a_name_that_is_there_twice_is_an_error(site):
    (site / "agents" / "drone").mkdir()
    (site / "agents" / "drone" / "robot.toml").write_text("schema = 1\n")
    message = refused(Project.around(site).robot, "drone")
    assert "robot 'drone' is there twice" in message
    assert str(site / "agents" / "drone") in message and str(builtin_root() / "agents" / "drone") in message


def test_the_built_in_project_is_not_met_twice():
    assert Project(builtin_root()).robot("drone") == builtin_root() / "agents" / "drone"


class TestScenarios:
    def test_by_path_its_own_project_counts(self, site):
        found, path = find_scenario(str(site / "worlds/yard/scenarios/drive.toml"))
        assert (found.folder, path) == (site, site / "worlds/yard/scenarios/drive.toml")

    def test_by_name_the_current_project_counts(self, site, monkeypatch):
        monkeypatch.chdir(site / "agents")
        assert find_scenario("yard/drive") == (Project(site), site / "worlds/yard/scenarios/drive.toml")

    def test_unknown_ones_are_answered_by_the_nearest(self, site, monkeypatch):
        monkeypatch.chdir(site)
        message = refused(find_scenario, "yard/drvie")
        assert "no scenario 'yard/drvie'; did you mean 'yard/drive'? There are: " in message

    def test_a_file_of_another_kind(self, site, monkeypatch):
        monkeypatch.chdir(site)
        Path("drive.txt").write_text("schema = 1\n")
        assert "drive.txt: a scenario's file name must end in .toml" in refused(find_scenario, "drive.txt")


class TestInstalledRobots:
    @pytest.fixture
    def package(self, site, tmp_path, monkeypatch):
        points = [EntryPoint("crane", "harbour_robots.crane", "twin.robots")]
        monkeypatch.setattr(registry, "_points", lambda path: EntryPoints(points))
        folder = tmp_path / "lib" / "harbour_robots" / "crane"
        folder.mkdir(parents=True)
        (folder / "__init__.py").write_text("raise RuntimeError('finding a robot must not run its code')\n")
        (folder / "robot.toml").write_text("schema = 1\n")
        monkeypatch.syspath_prepend(tmp_path / "lib")
        yield folder
        sys.modules.pop("harbour_robots", None)

    def test_it_is_found_without_running_it(self, site, package):
        assert Project(site).robot("crane") == package

    def test_it_brings_a_robot_toml(self, site, package):
        (package / "robot.toml").unlink()
        with pytest.raises(
            PluginError, match="'crane' = harbour_robots.crane: expected a package with a robot.toml"
        ):
            Project(site).robots()


class TestBuiltIn:
    def test_beside_the_package_first(self, tmp_path, monkeypatch):
        package = tmp_path / "twin"
        for root in (package / "_builtin", tmp_path):
            (root / "worlds").mkdir(parents=True)
            (root / "agents").mkdir()
        monkeypatch.setattr(project.twin, "__file__", str(package / "__init__.py"))
        assert builtin_root() == package / "_builtin"

    def test_a_broken_installation_is_told(self, tmp_path, monkeypatch):
        monkeypatch.setattr(project.twin, "__file__", str(tmp_path / "twin" / "__init__.py"))
        with pytest.raises(TwinError, match="no built-in worlds and agents beside .*install twin again"):
            builtin_root()

    def test_a_stale_copy_of_an_editable_install_never_wins(self, tmp_path):
        stale = tmp_path / "twin" / "_builtin"
        (stale / "worlds" / "ghost").mkdir(parents=True)
        (stale / "agents").mkdir()
        source = Path(twin.__file__).resolve().parents[1]
        code = "from twin.project.project import builtin_root; print(builtin_root())"
        path = os.pathsep.join([str(tmp_path), str(source)])
        result = subprocess.run(
            [sys.executable, "-c", code],
            env={**os.environ, "PYTHONPATH": path},
            capture_output=True,
            text=True,
        )
        assert result.stderr == ""
        assert Path(result.stdout.strip()) in (source, source / "twin" / "_builtin")
