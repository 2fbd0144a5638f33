"""Opens worlds: reads world.toml, and builds at first use what isn't stored.

`source` in world.toml is a stored `geometry.npz`, a generator `file.py:function` (called with the table
`parameters`, it returns a Geometry), or a file that `import_world` takes. Whatever isn't stored is built into the
cache folder, under a digest of all that it depends on.
"""

from __future__ import annotations

import hashlib
import inspect
import tomllib
import traceback
from functools import lru_cache
from pathlib import Path

from twin.errors import TwinError, WorldError, brief, nearest
from twin.project.plugins import load_object
from twin.specs.toml_text import read_toml, validate
from twin.world.geometry import Geometry, load_geometry, save_geometry
from twin.world.georeference import GeoReference
from twin.world.rules import apply_rules
from twin.world.world import GEOMETRY, World, WorldSpec, cache_folder

_NO_INPUT = ("scenarios", "recordings", "__pycache__")

_LONGEST = 250
"""Letters of the name of a file; systems have few more."""


def open_world(folder: Path) -> World:
    """Open a world folder, building its geometry first where it isn't stored.

    Raises:
        ScenarioError: world.toml is missing or wrong.
        WorldError: its source can't be used.
        PluginError: its generator can't be loaded.

    Worlds don't change: who opens the same one again in a process gets the very same.
    """
    folder = folder.resolve()
    file = folder / "world.toml"
    data, text = read_toml(file)
    spec = validate(WorldSpec, data, file=file, text=text)
    derived = folder
    if spec.source != GEOMETRY:
        derived = cache_folder(f"{spec.name}-{_build_digest(folder, spec)}")
        if not (derived / GEOMETRY).is_file():
            save_geometry(_build(folder, spec, _place(spec)), derived / GEOMETRY)
    stored = derived / GEOMETRY
    return _opened(folder, text, derived, _stamp(stored))


def _stamp(file: Path) -> tuple[int, int, int]:
    """Return what changes when a file is written anew."""
    try:
        found = file.stat()
    except OSError as error:
        raise WorldError(f"{file}: can't be read: {error.strerror}") from error
    return found.st_mtime_ns, found.st_size, found.st_ino


@lru_cache(maxsize=4)
def _opened(folder: Path, text: str, derived: Path, stamp: tuple[int, int, int]) -> World:
    """Return the world of a world.toml, `text`, whose geometry is in `derived`; `stamp` is that file's."""
    file = folder / "world.toml"
    spec = validate(WorldSpec, tomllib.loads(text), file=file, text=text)
    geometry = apply_rules(load_geometry(derived / GEOMETRY), spec.materials, file)
    return World(spec.name, geometry, _place(spec), folder, derived, spec)


def _place(spec: WorldSpec) -> GeoReference | None:
    origin = spec.origin
    return None if origin is None else GeoReference(origin.longitude, origin.latitude, origin.height)


def _build(folder: Path, spec: WorldSpec, georeference: GeoReference | None) -> Geometry:
    if ":" in spec.source:
        generator = load_object(spec.source, folder).value
        try:
            inspect.signature(generator).bind(**spec.parameters)
        except TypeError as error:
            raise WorldError(f"{folder / 'world.toml'}: parameters: {spec.source}: {error}") from error
        try:
            geometry = generator(**spec.parameters)
        except TwinError:
            raise
        except Exception as error:  # the user's own code: shown with the line of it, not with ours
            place = f"{folder / 'world.toml'}: source: {spec.source}"
            raise WorldError(f"{place}: {_where(error, folder)}{type(error).__name__}: {error}") from error
        if not isinstance(geometry, Geometry):
            raise WorldError(f"{folder / 'world.toml'}: source: {spec.source} returned no Geometry")
        return geometry
    from twin.world.importers import import_world
    from twin.world.importers.site import Options

    options, known = dict(spec.parameters), list(Options.__annotations__)
    for key in options.keys() - set(known):
        allowed = f"{', '.join(known)}{nearest(key, known)}"
        raise WorldError(f"{folder / 'world.toml'}: parameters: found {key!r}; allowed: {allowed}")
    if isinstance(options.get("terrain"), str):
        options["terrain"] = _within(folder, options["terrain"])
    world, _ = import_world(_within(folder, spec.source), georeference or "auto", **options)
    if world.georeference != georeference:
        raise WorldError(f"{folder / 'world.toml'}: origin: missing; {spec.source} lies at {world.georeference}")
    return world.geometry


def _where(error: Exception, folder: Path) -> str:
    """Return the last line in a folder's own files that an error came through, as "file.py:12: "."""
    for frame in reversed(traceback.extract_tb(error.__traceback__)):
        if Path(frame.filename).is_relative_to(folder):
            return f"{Path(frame.filename).relative_to(folder)}:{frame.lineno}: "
    return ""


def _within(folder: Path, name: str) -> Path:
    if len(name) > _LONGEST:
        raise WorldError(f"{folder / 'world.toml'}: found {brief(name)}; allowed: the name of a file")
    path = (folder / name).resolve()
    if not path.is_relative_to(folder):
        raise WorldError(f"{folder / 'world.toml'}: {name!r} leads out of the world's folder")
    return path


def _build_digest(folder: Path, spec: WorldSpec) -> str:
    """Return a digest of all that a built geometry may depend on: the folder's files and our own code.

    A source may refer to others (meshes, terrain, models), so all of the folder counts, but for its scenarios.
    """
    own = Path(__file__).parent
    if ":" not in spec.source and not (source := _within(folder, spec.source)).is_file():
        raise WorldError(f"{source}: can't be read: no such file")
    digest = hashlib.sha256()
    for root, files in ((folder, folder.rglob("*")), (own, own.rglob("*.py"))):
        for file in sorted(files):
            name = file.relative_to(root)
            if file.is_file() and not any(part in _NO_INPUT or part.startswith(".") for part in name.parts):
                digest.update(f"{name.as_posix()}\0{_sha256(file)}".encode())
    return digest.hexdigest()[:16]


def _sha256(file: Path) -> str:
    try:
        with file.open("rb") as opened:
            return hashlib.file_digest(opened, "sha256").hexdigest()
    except OSError as error:
        raise WorldError(f"{file}: can't be read: {error.strerror}") from error
