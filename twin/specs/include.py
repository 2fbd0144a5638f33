"""A scenario that several parties bring: files that it includes, put together, and who brought what."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from twin.errors import ScenarioError, SeveralErrors, TwinError
from twin.specs.base import Spec
from twin.specs.mistakes import Key, dotted
from twin.specs.toml_text import line_of, read_toml

_MOST = 50
_LISTS = ("requirements",)  # of several files they follow one another; all else is stated once


class PartyName(Spec):
    """`[party]` of a scenario file: who brings it."""

    name: str
    role: str = ""  # carrier, site owner, operator, authority, ...


class Party(Spec):
    """What one file of a scenario brought, as it was read."""

    party: str
    role: str = ""
    file: str
    sha256: str
    keys: tuple[str, ...]


@dataclass(slots=True)
class Composed:
    """The tables of several files as one, and where each key stands."""

    data: dict[str, Any] = field(default_factory=dict)
    origins: dict[Key, tuple[Path, str]] = field(default_factory=dict)  # key -> file and its text
    parties: list[dict[str, Any]] = field(default_factory=list)
    conflicts: list[TwinError] = field(default_factory=list)

    def source(self, key: Key) -> tuple[Path, str]:
        """Return the file, and its text, that a key comes from: its own, or that of what is around or below it."""
        for depth in range(len(key), 0, -1):
            if key[:depth] in self.origins:
                return self.origins[key[:depth]]
        return next((place for one, place in self.origins.items() if one[: len(key)] == key), (Path(), ""))

    def add(self, path: Path, data: dict[str, Any], text: str) -> None:
        """Add the tables of one file; what another file says differently is a conflict."""
        self._merge(self.data, data, (), (path, text))

    def _merge(self, into: dict[str, Any], data: dict[str, Any], above: Key, place: tuple[Path, str]) -> None:
        for name, value in data.items():
            key = (*above, name)
            there = into.get(name)
            if name not in into:
                into[name] = _copied(value)
                self._note(key, value, place)
            elif isinstance(there, dict) and isinstance(value, dict):
                self._merge(there, value, key, place)
            elif not above and name in _LISTS and isinstance(there, list) and isinstance(value, list):
                self.origins |= {(*key, len(there) + i): place for i in range(len(value))}
                into[name] = [*there, *value]
            elif there != value:
                self._conflict(key, there, value, place)

    def _note(self, key: Key, value: object, place: tuple[Path, str]) -> None:
        if isinstance(value, dict) and value:
            for name, below in value.items():
                self._note((*key, name), below, place)
        elif key[0] in _LISTS and isinstance(value, list):
            self.origins |= {(*key, i): place for i in range(len(value))}
        else:
            self.origins[key] = place

    def _conflict(self, key: Key, there: object, value: object, place: tuple[Path, str]) -> None:
        first, text = self.source(key)
        line, other = line_of(text, key), line_of(place[1], key)
        message = f"found {value!r}, and {there!r} in {first}:{line}; allowed: to be stated in one of them"
        self.conflicts.append(ScenarioError(message, file=f"{place[0]}:{other}", key=dotted(key)))


def composed(path: Path) -> Composed:
    """Return a scenario file with the files that it includes.

    Raises:
        ScenarioError: a file can't be read, lies elsewhere, includes others itself, or two of them disagree.
    """
    data, text = read_toml(path)
    if "parties" in data and ("include" in data or "party" in data):  # without them it is a resolved scenario
        raise ScenarioError("found it in a file; allowed: [party] in each file, and include", file=path, key="parties")
    includes, party = _includes(data, path), data.pop("party", None)
    found = Composed()
    parts = [(path, data, text, party)]
    for name in includes:
        other = path.parent / name
        more, its_text = read_toml(other)
        for key in ("include", "parties", "description"):
            if key in more:
                raise ScenarioError("an included file can't say this", file=other, key=key)
        its_party = more.pop("party", None)
        more.pop("schema", None)
        parts.append((other, more, its_text, its_party))
    for one, tables, its_text, _ in parts:
        found.add(one, tables, its_text)
    if len(found.conflicts) == 1:
        raise found.conflicts[0]
    if found.conflicts:
        raise SeveralErrors(found.conflicts)
    if includes or party is not None:
        found.parties = [_party(path, *part) for part in parts]
        found.data["parties"] = found.parties
    return found


def _includes(data: dict[str, Any], path: Path) -> list[str]:
    names = data.pop("include", [])
    if not isinstance(names, list) or not all(isinstance(name, str) for name in names) or len(names) > _MOST:
        raise ScenarioError(f"allowed: a list of at most {_MOST} file names", file=path, key="include")
    for name in names:
        if Path(name).is_absolute() or ".." in Path(name).parts:
            raise ScenarioError(f"found {name!r}; allowed: files beside or below this one", file=path, key="include")
        if names.count(name) > 1:
            raise ScenarioError(f"found {name!r} twice", file=path, key="include")
    return names


def _party(main: Path, path: Path, data: dict[str, Any], text: str, party: object) -> dict[str, Any]:
    """Return who brought a file, and what is in it."""
    named = party if isinstance(party, dict) else {"name": "" if party is None else str(party)}
    if unknown := set(named) - {"name", "role"}:
        raise ScenarioError(f"found {', '.join(sorted(unknown))}; allowed: name, role", file=path, key="party")
    return {
        "party": str(named.get("name") or path.stem),
        "role": str(named.get("role", "")),
        "file": path.relative_to(main.parent).as_posix(),
        "sha256": hashlib.sha256(path.read_bytes()).hexdigest(),
        "keys": [dotted(key) for key in _told(data)],
    }


def _told(data: dict[str, Any]) -> Iterator[Key]:
    """Yield what a file speaks of: its tables, and the entries of robots and places."""
    for name, value in data.items():
        if name in ("robots", "places") and isinstance(value, dict):
            yield from ((name, entry) for entry in value)
        elif name != "schema":
            yield (name,)


def _copied(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _copied(below) for name, below in value.items()}
    return list(value) if isinstance(value, list) else value
