"""Runs as rows: what was set, with which seed, how it ended, its figures and answers; of recordings, or of a sweep."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping, Sequence
from math import isfinite
from sys import float_info
from typing import Any

from twin.analysis.verdicts import answer_of
from twin.errors import RecordingError
from twin.recording.reader import Recording
from twin.specs.figures import FIGURES

Row = Mapping[str, Any]
"""point (what was set), seed, status, error, figures (SI), requirements (text: answer), margins (shares of limits)."""
_APART = ("seed", "requirements", "description", "include", "party", "parties")
"""Of a scenario, what makes no other setting of it."""


def of_summary(summary: Mapping[str, Any]) -> dict[str, Any]:
    """Return figures, answers and margins of a run from its summary."""
    verdicts = summary.get("requirements", ())
    return {
        "figures": {name: summary[name] for name in FIGURES if _is_number(summary.get(name))},
        "requirements": {verdict["requirement"]: answer_of(verdict) for verdict in verdicts},
        "margins": {verdict["requirement"]: _margin(verdict) for verdict in verdicts},
    }


def _margin(verdict: Mapping[str, Any]) -> float | None:
    """Return how far a value is on the good side of its limit, as a share of the limit where that isn't 0."""
    apart = verdict.get("margin")
    if apart == 0.0 and verdict["operator"] in ("<", ">"):
        apart = -float_info.min  # at the limit is beyond it
    return apart / (abs(verdict["limit"]) or 1.0) if apart is not None and _is_number(apart) else None


def _is_number(value: object) -> bool:
    return isinstance(value, (int, float)) and isfinite(value)


def of_recordings(runs: Sequence[Recording]) -> list[dict[str, Any]]:
    """Return a row of each recording; a point is what was set otherwise than in others, code included.

    Raises:
        RecordingError: two of them are of the same run.
    """
    settings = [_settings(run) for run in runs]
    keys = dict.fromkeys(key for one in settings for key in one)
    varied = [key for key in keys if len({repr(one.get(key)) for one in settings}) > 1]
    rows, seen = [], dict[tuple[str, int], Recording]()
    for run, setting in zip(runs, settings, strict=True):
        point = {key: setting[key] for key in varied if key in setting}
        twice = seen.setdefault((repr(point), run.header.seed), run)
        if twice is not run:
            raise RecordingError(f"{run.path}: is the same run as {twice.path}: it can't count twice")
        status = "complete" if run.complete else "stopped"
        error = "" if run.complete else run.reason
        rows.append({"point": point, "seed": run.header.seed, "status": status, "error": error,
                     "answer": run.summary.get("answer"), **of_summary(run.summary)})  # fmt: skip
    return rows


def _settings(run: Recording) -> dict[str, Any]:
    scenario = {key: value for key, value in tomllib.loads(run.scenario_text).items() if key not in _APART}
    code = {"sources": run.header.sources_digest, **run.header.plugins, **run.header.inputs}
    return {**flat(scenario), **{f"code of {name}": digest[:8] for name, digest in code.items()}}


def flat(tables: Mapping[str, Any], prefix: str = "") -> dict[str, Any]:
    """Return nested tables as key paths with their values."""
    found: dict[str, Any] = {}
    for key, value in tables.items():
        found |= flat(value, f"{prefix}{key}.") if isinstance(value, Mapping) else {f"{prefix}{key}": value}
    return found
