"""Requirements asked of a recording afterwards: by an authority, say, that wasn't there when it was made."""

from __future__ import annotations

import tomllib
from collections import Counter
from collections.abc import Sequence
from typing import Any

from pydantic import TypeAdapter

from twin.analysis.measure import Measures
from twin.analysis.metrics import Metrics
from twin.analysis.requirements import judged
from twin.errors import ScenarioError
from twin.recording.reader import Recording
from twin.specs import Jitter
from twin.specs.place import PlaceSpec
from twin.specs.requirement import Requirement, misfits
from twin.units import NonNegativeNs

_BUDGET = 40_000_000
_PLACES: TypeAdapter[dict[str, PlaceSpec]] = TypeAdapter(dict[str, PlaceSpec])
_TIME: TypeAdapter[int] = TypeAdapter(NonNegativeNs)
_TRACKING = "found afterwards; allowed: in the scenario, since a recording doesn't hold where robots should have been"


def answered(recording: Recording, requirements: Sequence[Requirement]) -> dict[str, Any]:
    """Return what a recording says of requirements, as a summary does: each, and what comes of all.

    Raises:
        ScenarioError: a requirement doesn't fit the run: its robots, places or time, or can't be told afterwards.
    """
    scenario = tomllib.loads(recording.scenario_text)
    places = _PLACES.validate_python(scenario.get("places", {}))
    counts = Counter(robot.group for robot in recording.robots)
    for one in requirements:
        faults = misfits(one.scope, counts, places, recording.header.duration)
        if one.figure.startswith("tracking"):
            faults.append(_TRACKING)
        if faults:
            raise ScenarioError(faults[0], file=recording.path, key=one.text)
    network = scenario.get("network", {})
    budget = _TIME.validate_python(network.get("delay_budget", _BUDGET / 1e9))
    metrics = Metrics(recording.robots, {}, budget, requirements, places)
    for frame in recording.frames():
        metrics.take(frame)
    series = {name: values for name, values in metrics.series.items() if len(values[0])}
    measures = Measures(
        recording.summary or metrics.summary(), series, metrics.watch, budget=budget, independent=_independent(network)
    )
    return judged(requirements, measures, complete=recording.complete)


def _independent(network: dict[str, Any]) -> bool:
    """Tell whether the network of a resolved scenario lets no packet's fate depend on another's."""
    if network.get("kind") == "fixed":
        return Jitter.model_validate(network.get("jitter", {})) == Jitter()
    return network.get("kind") == "ideal"
