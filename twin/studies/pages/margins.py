"""How far one value can go: what margins kept, with the border that each found."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from math import inf
from pathlib import Path
from typing import Any

from twin.analysis.held import FORMAT, Held
from twin.analysis.parts import Part, Section, Table, picture
from twin.errors import RecordingError
from twin.numerics.statistics import Interval
from twin.studies.findings import Finding
from twin.studies.logistic import Likely
from twin.studies.margin import Border
from twin.studies.pictures import draw_border, draw_likely
from twin.studies.words import percent


def kept_margins(folder: Path) -> Iterator[tuple[Path, dict[str, Any]]]:
    """Yield the files of margins below a folder, and what is in each.

    Raises:
        RecordingError: one was damaged.
    """
    for file in sorted((folder / "margins").glob("*.json")):
        try:
            found = json.loads(file.read_bytes())
        except (OSError, ValueError, RecursionError) as error:
            message = f"{file}: can't be read: {error}; without it, its margin is looked for again"
            raise RecordingError(message) from error
        if isinstance(found, dict) and found.get("format") == FORMAT:
            yield file, found


def section_of(number: int, kept: Mapping[str, Any]) -> Section:
    """Return what a margin of some seeds found."""
    key, unit, seeds = kept["key"], kept["unit"], kept["seeds"]
    rows = []
    for text, border in kept["requirements"].items():
        held = Held(key, unit, border["holds"], border["breaks"], len(seeds), "", "")
        rows.append((text, held.text))
    count = "the same seed" if len(seeds) == 1 else f"the same {len(seeds)} seeds"
    parts: list[Part] = [f"Every value was run with {count}; that it holds for all is a sweep's statement.",
                         Table(("requirement", "how far"), rows)]  # fmt: skip
    if looked := kept.get("looked"):
        seen = {one["value"]: _margin(one) for one in looked}
        parts.insert(1, picture(draw_border(key, unit, seen, _border(seen)), f"Where requirements break over {key}"))
    return Section(f"margin-{number}", f"How far {key} can go", parts)


def _margin(one: Mapping[str, Any]) -> float:
    if one["margin"] is None:
        return inf if one["holds"] else -inf
    return float(one["margin"])


def _border(seen: Mapping[float, float]) -> Border:
    """Return the two neighbouring values between which requirements break."""
    places = sorted(seen)
    a, b = next((a, b) for a, b in zip(places, places[1:], strict=False) if (seen[a] >= 0.0) != (seen[b] >= 0.0))
    return Border(a, b, len(places)) if seen[a] >= 0.0 else Border(b, a, len(places))


def section_of_chance(number: int, finding: Finding) -> Section:
    """Return where a share of all runs breaks."""
    asked, found = finding.asked, finding.found
    likely = Likely(**{**found, "interval": Interval(**found["interval"]), "runs": tuple(map(tuple, found["runs"]))})
    key, unit = asked["key"], asked["unit"]
    value, low, high, even = (f"{x:.3g} {unit}".strip() for x in
                              (likely.value, likely.interval.lower, likely.interval.upper, likely.even))  # fmt: skip
    said = (f"{'; '.join(asked['requirements'])}: broken in {percent(asked['probability'])} of runs at {key} = {value} "
            f"({low} to {high} at {percent(likely.confidence)}), in half of them at {even}.")  # fmt: skip
    drawn = picture(draw_likely(key, unit, likely, asked["probability"]), f"How many runs break over {key}")
    rest = f"{len(likely.runs)} runs, each of a seed of its own, by a logistic curve (Bayes on a grid)."
    return Section(f"chance-{number}", f"Where runs begin to break: {key}", [said, drawn, rest])
