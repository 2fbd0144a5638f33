"""Where worlds, robots, scenarios and recordings are found.

A project is a folder with a `worlds/*/world.toml` or an `agents/*/robot.toml`: the nearest one at or above
the scenario's file, else the current folder. Its things come together with the built-in ones (and, for
robots, those of installed packages); a name that is there twice is an error.
"""

from __future__ import annotations

import importlib.util
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import twin
from twin.errors import PluginError, ScenarioError, TwinError, nearest
from twin.project.guard import is_project
from twin.registry import installed


def builtin_root() -> Path:
    """Return the folder of the built-in worlds and agents: in the package, else the repository.

    An editable install leaves a copy in site-packages that goes stale: only what lies beside the imported
    package counts.

    Raises:
        TwinError: the installation is broken.
    """
    package = Path(twin.__file__).resolve().parent
    for root in (package / "_builtin", package.parent):
        if (root / "worlds").is_dir() and (root / "agents").is_dir():
            return root
    raise TwinError(f"no built-in worlds and agents beside {package}: install twin again")


@dataclass(frozen=True, slots=True)
class Project:
    """A project folder, together with what is built in and installed."""

    folder: Path

    @classmethod
    def around(cls, place: Path) -> Project:
        """Return the project that `place` lies in, or one in the current folder if it lies in none."""
        installed_root = Path(twin.__file__).resolve().parent / "_builtin"
        place = place.resolve()
        for folder in (place, *place.parents):
            if folder != installed_root and is_project(folder):
                return cls(folder)
        return cls(Path.cwd())

    @classmethod
    def of(cls, recording: Path) -> Project:
        """Return the project that a recording lies in, else the one around the current folder."""
        folder = recording.resolve().parent
        found = cls.around(folder)
        return found if found.folder in (folder, *folder.parents) else cls.around(Path.cwd())

    @property
    def recordings(self) -> Path:
        """Folder that runs are written to."""
        return self.folder / "recordings"

    def worlds(self) -> dict[str, list[Path]]:
        """Return the folders of each world's name."""
        return self._named("worlds/*/world.toml")

    def robots(self) -> dict[str, list[Path]]:
        """Return the folders of each robot kind's name."""
        found = self._named("agents/*/robot.toml")
        for name, folder in installed_robots().items():
            found.setdefault(name, []).append(folder)
        return found

    def scenarios(self) -> dict[str, list[Path]]:
        """Return the files of each scenario's name, which is WORLD/SCENARIO."""
        found: dict[str, list[Path]] = {}
        for root in self._roots():
            for path in sorted(root.glob("worlds/*/scenarios/*.toml")):
                found.setdefault(f"{path.parents[1].name}/{path.stem}", []).append(path)
        return found

    def profiles(self) -> dict[str, list[Path]]:
        """Return the files of each profile's name: `profiles/NAME.toml`."""
        found: dict[str, list[Path]] = {}
        for root in self._roots():
            for path in sorted(root.glob("profiles/*.toml")):
                found.setdefault(path.stem, []).append(path)
        return found

    def profile(self, name: str) -> Path:
        """Return the file of a profile.

        Raises:
            ScenarioError: there is none, or more than one.
        """
        return _only("profile", name, self.profiles())

    def world(self, reference: str) -> Path:
        """Return the folder of a world: a name, or a path such as `./site` from here or the project.

        Raises:
            ScenarioError: there is none, or more than one.
        """
        return self._resolve("world", reference, self.worlds(), "world.toml")

    def robot(self, reference: str) -> Path:
        """Return the folder of a robot kind: a name, or a path such as `./rover` from here or the project.

        Raises:
            ScenarioError: there is none, or more than one.
        """
        return self._resolve("robot", reference, self.robots(), "robot.toml")

    def file(self, path: Path) -> Path:
        """Return where a file that a scenario names is: seen from here, else from the project, else built in."""
        return next((place for base in (Path.cwd(), *self._roots()) if (place := base / path).exists()), path)

    def _resolve(self, what: str, reference: str, named: Mapping[str, list[Path]], marker: str) -> Path:
        if "/" not in reference:
            return _only(what, reference, named)
        folders = dict.fromkeys((base / reference).resolve() for base in (Path.cwd(), self.folder))
        found = [folder for folder in folders if (folder / marker).is_file()]
        if not found:
            raise ScenarioError(f"no {marker} in {' or '.join(map(str, folders))}")
        return _only(what, reference, {reference: found})

    def _named(self, pattern: str) -> dict[str, list[Path]]:
        found: dict[str, list[Path]] = {}
        for root in self._roots():
            for path in sorted(root.glob(pattern)):
                found.setdefault(path.parent.name, []).append(path.parent)
        return found

    def _roots(self) -> list[Path]:
        return list(dict.fromkeys((self.folder, builtin_root())))


def installed_robots() -> dict[str, Path]:
    """Return the folders of the robots that installed packages bring, by name.

    Raises:
        PluginError: one of them names no package with a robot.toml.
    """
    found: dict[str, Path] = {}
    for name, point in installed("twin.robots").items():
        spec = importlib.util.find_spec(point.module)
        places = list(spec.submodule_search_locations or ()) if spec else []
        if not places or not (Path(places[0]) / "robot.toml").is_file():
            fault = "expected a package with a robot.toml"
            raise PluginError(f"installed robot {name!r} = {point.value}: {fault}")
        found[name] = Path(places[0]).resolve()
    return found


def find_scenario(reference: str, project: Project | None = None) -> tuple[Project, Path]:
    """Return the project and the file of a scenario: WORLD/SCENARIO, or a path that ends in .toml.

    Without a project it is the one around the file or the current folder.

    Raises:
        ScenarioError: there is no such name, or it is there twice.
    """
    if reference.endswith(".toml"):
        path = Path(reference)
        return project or Project.around(path.parent), path
    if Path(reference).is_file():
        raise ScenarioError("a scenario's file name must end in .toml", file=reference)
    project = project or Project.around(Path.cwd())
    return project, _only("scenario", reference, project.scenarios())


def _only(what: str, name: str, named: Mapping[str, list[Path]]) -> Path:
    places = named.get(name, [])
    if not places:
        there = ", ".join(named) or "none"
        hint = nearest(name, named)
        raise ScenarioError(f"no {what} {name!r}{hint}{' There are' if hint else '; there are'}: {there}")
    if len(places) > 1:
        raise ScenarioError(f"{what} {name!r} is there twice: {' and '.join(map(str, places))}; rename one")
    return places[0]
