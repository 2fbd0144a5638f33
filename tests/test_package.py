import re
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]


@pytest.fixture(scope="module")
def wheel(tmp_path_factory):
    """The wheel, built without a network."""
    folder = tmp_path_factory.mktemp("wheel")
    command = [sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", str(folder), str(ROOT)]
    result = subprocess.run(command, capture_output=True, text=True)
    assert result.returncode == 0, result.stdout + result.stderr
    (path,) = folder.glob("*.whl")
    with zipfile.ZipFile(path) as archive:
        yield archive


def below(archive, prefix):
    return {name.removeprefix(prefix) for name in archive.namelist() if name.startswith(prefix)}


def tracked(*folders):
    listing = subprocess.run(["git", "ls-files", "-z", *folders], cwd=ROOT, capture_output=True, text=True)
    if listing.returncode:
        pytest.skip("not a git checkout: what belongs in the wheel is not known")
    return {name for name in listing.stdout.split("\0") if name and (ROOT / name).is_file()}


def test_there_is_one_import_package(wheel):
    top = {name.split("/")[0] for name in wheel.namelist()}
    assert {name for name in top if not name.endswith(".dist-info")} == {"twin"}
    assert not [name for name in wheel.namelist() if re.search(r"(^|/)(agents|worlds)/__init__\.py$", name)]


@pytest.mark.parametrize("folder", ["worlds", "agents"])
def test_built_in_worlds_and_agents_are_inside(wheel, folder):
    inside = below(wheel, f"twin/_builtin/{folder}/")
    assert {name.removeprefix(f"{folder}/") for name in tracked(folder)} <= inside
    assert not [name for name in inside if "__pycache__" in name or name.endswith(".pyc")]


def test_the_library_is_inside_whole(wheel):
    inside = {f"twin/{name}" for name in below(wheel, "twin/") if not name.startswith("_builtin/")}
    assert tracked("twin") <= inside
    assert "twin/py.typed" in inside


def test_the_command_is_installed(wheel):
    (points,) = [name for name in wheel.namelist() if name.endswith("entry_points.txt")]
    assert "twin = twin.cli:main" in wheel.read(points).decode()


def test_an_unpacked_wheel_finds_what_it_brings(wheel, tmp_path):
    wheel.extractall(tmp_path)
    code = "import twin; from twin.project.project import builtin_root; print(builtin_root())"
    env = {"PYTHONPATH": str(tmp_path)}
    result = subprocess.run(
        [sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True, env=env
    )
    assert result.stderr == ""
    assert Path(result.stdout.strip()) == tmp_path / "twin" / "_builtin"


def test_agents_and_worlds_are_no_packages_and_nothing_imports_them():
    assert not [*ROOT.glob("agents/**/__init__.py"), *ROOT.glob("worlds/**/__init__.py")]
    imports = re.compile(r"^\s*(import|from) (agents|worlds)\b", re.MULTILINE)
    for folder in ("twin", "agents", "worlds", "tests"):
        for path in (ROOT / folder).rglob("*.py"):
            assert not imports.search(path.read_text()), path


def test_every_requirement_is_pinned():
    pinned = set(re.findall(r"^([a-z0-9-]+)==", (ROOT / "constraints.txt").read_text(), re.MULTILINE))
    project = (ROOT / "pyproject.toml").read_text()
    required = re.findall(r'^  "([A-Za-z0-9_.-]+)[><=]', project, re.MULTILINE)
    assert len(required) > 15
    assert {re.sub(r"[-_.]+", "-", name).lower() for name in required} <= pinned
