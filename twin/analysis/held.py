"""How far one value may go before a requirement breaks, as `twin margin` found and kept it, beside what a run says.

A margin speaks of a run only if both have the same code, world and files, and the same scenario but for the value
that was moved, the seed, and what else was asked.
"""

from __future__ import annotations

import hashlib
import json
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from math import isfinite
from pathlib import Path
from typing import Any

from pydantic import BaseModel

from twin.analysis.kept import Kind
from twin.analysis.written import written
from twin.project.project import Project
from twin.recording.reader import Recording

FORMAT, VERSION = "twin-margin", 1
_APART = ("seed", "requirements", "description", "include", "party", "parties")
"""Tables of a scenario that change what happens by chance alone, or not at all."""
_MEANS = {"network.delay": "one way"}


class _Border(BaseModel):
    holds: float
    breaks: float | None


class _Kept(BaseModel):
    """The file of a margin."""

    key: str
    unit: str
    seeds: list[int]
    scenario: str
    origins: dict[str, Any]
    requirements: dict[str, _Border]


_FILES = Kind(FORMAT, VERSION, ("margins/*.json", "*/margins/*.json", "sweeps/*/margins/*.json"), 1_000_000, _Kept,
              "not the file of a margin")  # fmt: skip


@dataclass(frozen=True, slots=True)
class Held:
    """Up to which value of a key a requirement held, in runs with each of some seeds."""

    key: str
    unit: str
    holds: float
    breaks: float | None  # the next value that was looked at; None: it held at all of them
    seeds: int
    file: str
    sha256: str

    @property
    def text(self) -> str:
        """What it says, in words."""
        down = self.breaks is not None and self.breaks < self.holds
        value, means = self._shown(self.holds), _MEANS.get(self.key)
        where = f"{value} {means} ({self.key})" if means else f"{self.key} = {value}"
        end = "the furthest that was looked at" if self.breaks is None else f"breaks at {self._shown(self.breaks)}"
        return f"holds {'down' if down else 'up'} to {where}, {end}; {self.seeds} seed{'s' * (self.seeds != 1)}"

    def _shown(self, value: float) -> str:
        return f"{value:.4g} {self.unit}".strip()

    def as_dict(self) -> dict[str, Any]:
        """Return it as plain data."""
        return {"text": self.text, **asdict(self)}


def keep(folder: Path, document: Mapping[str, Any]) -> Path:
    """Write what a margin found below `folder`, in a file named by what was asked; return where it is."""
    asked = [document[name] for name in ("key", "unit", "seeds", "scenario", "origins")]
    name = hashlib.sha256(json.dumps([*asked, sorted(document["requirements"])]).encode()).hexdigest()[:12]
    file = folder / "margins" / f"{name}.json"
    file.parent.mkdir(parents=True, exist_ok=True)
    with written(file, force=True) as opened:
        opened.write(json.dumps(document, indent=2, sort_keys=True, allow_nan=False) + "\n")
    return file


def document(
    scenario_text: str,
    moved: tuple[str, str],
    seeds: Sequence[int],
    origins: Mapping[str, Any],
    borders: Mapping[str, tuple[float, float | None]],
    looked: Mapping[float, float],
) -> dict[str, Any]:
    """Return what a margin keeps.

    `moved` is a key and its unit, `borders` are those of each requirement, `looked` is the worst margin of all
    requirements at each value, as a share of its limit; one that tells no distance is kept without a number.
    """
    key, unit = moved
    return {
        "format": FORMAT,
        "version": VERSION,
        "key": key,
        "unit": unit,
        "seeds": list(seeds),
        "scenario": without(scenario_text, key),
        "origins": _comparable(origins),
        "requirements": {text: {"holds": holds, "breaks": breaks} for text, (holds, breaks) in borders.items()},
        "looked": [
            {"value": value, "holds": margin >= 0.0, "margin": margin if isfinite(margin) else None}
            for value, margin in looked.items()
        ],
    }


def borders(places: Mapping[float, Mapping[str, bool]], holding: float) -> dict[str, tuple[float, float | None]]:
    """Return of each requirement the last value up to which it held, and the next; from the end at `holding` on.

    `places`: value -> requirement -> whether it held there in all runs. One that broke at that end is left out.
    """
    order = sorted(places, key=lambda place: abs(place - holding))
    found: dict[str, tuple[float, float | None]] = {}
    for text in places[order[0]]:
        held = [places[place].get(text, False) for place in order]
        count = held.index(False) if False in held else len(held)
        if count:
            found[text] = (order[count - 1], order[count] if count < len(order) else None)
    return found


def joined(summary: Mapping[str, Any], held: Mapping[str, Sequence[Held]]) -> dict[str, Any]:
    """Return a summary with each requirement's margins beside its answer."""
    verdicts = [
        {**one, "held": [each.as_dict() for each in held[one["requirement"]]]} if one["requirement"] in held else one
        for one in summary.get("requirements", ())
    ]
    return {**summary, "requirements": verdicts} if held else dict(summary)


def held_by(recording: Recording) -> dict[str, list[Held]]:
    """Return what the margins kept here, beside a recording or in its project say of its run, by requirement."""
    header = recording.header
    folders = [Path.cwd(), recording.path.parent, Project.of(recording.path).folder]
    origins = _comparable({"world": header.world_hash, "sources": header.sources_digest,
                           "plugins": dict(header.plugins), "inputs": dict(header.inputs)})  # fmt: skip
    found: dict[str, list[Held]] = {}
    for name, content, kept in _FILES.below(folders):
        if kept.origins != origins or kept.scenario != without(recording.scenario_text, kept.key):
            continue
        digest = hashlib.sha256(content).hexdigest()
        for text, border in kept.requirements.items():
            held = Held(kept.key, kept.unit, border.holds, border.breaks, len(kept.seeds), name, digest)
            found.setdefault(text, []).append(held)
    return found


def without(scenario_text: str, key: str) -> str:
    """Return a digest of a resolved scenario but for a value, its seed, and what is asked of it."""
    scenario = {name: value for name, value in tomllib.loads(scenario_text).items() if name not in _APART}
    *path, last = key.split(".")
    table: Any = scenario
    for name in path:
        table = _below(table, name)
    if isinstance(table, dict):
        table.pop(last, None)
    elif _below(table, last) is not None:
        table[int(last)] = None
    return hashlib.sha256(json.dumps(scenario, sort_keys=True, default=str).encode()).hexdigest()


def _below(table: Any, name: str) -> Any:
    """Return what a table has by a name, or a list at a place; None if there is no such thing."""
    if isinstance(table, list) and name.isdigit() and int(name) < len(table):
        return table[int(name)]
    return table.get(name) if isinstance(table, dict) else None


def _comparable(origins: Mapping[str, Any]) -> dict[str, Any]:
    """Return what a run was made of but for profiles, which only ask."""
    inputs = {name: digest for name, digest in origins["inputs"].items() if not name.startswith("profiles/")}
    return {**origins, "inputs": inputs}
