"""What evidence and reports say of the folders of studies."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import twin.twin  # noqa: F401 - first of all: mesa looks through whatever is loaded when it comes
from twin.cli.rows import study_folder
from twin.errors import RecordingError, ScenarioError
from twin.studies.pages.study import Study, read_study
from twin.studies.statements import Wanted


def opened(path: Path, shares: Mapping[str, float], name: str = "") -> Study:
    """Return what is to be said of a folder, or of one of that name below sweeps/.

    Raises:
        ScenarioError: there is no study.
    """
    folder = study_folder(path)
    if folder is None:
        raise ScenarioError("found no sweep, margin or rare event in this folder", file=path)
    return read_study(folder, Wanted(shares["probability"], shares["confidence"]), name)


def study_of(path: Path, shares: Mapping[str, float]) -> dict[str, Any]:
    """Return what is to be said of a folder, as plain data."""
    return opened(path, shares).as_dict()


def again(folder: Path, said: dict[str, Any]) -> dict[str, Any] | None:
    """Return what is to be said of a folder by the shares that evidence was made with; None of other code or files."""
    try:
        study = opened(folder, said["wanted"], said["name"]).as_dict()
    except RecordingError:
        return None
    return study if study["runs"] == said["runs"] else None
