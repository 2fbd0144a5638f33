"""The rows of a sweep on disk: one file a run, whole or not there; the first one stays."""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any
from uuid import uuid4

from twin.errors import RecordingError, ScenarioError
from twin.studies.plan import Plan, read_plan

Row = Mapping[str, Any]


class Store:
    """A sweep's folder: plan.toml, runs/ab/ID.json, and recordings beside the rows where they are kept."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def begin(self, plan: Plan) -> None:
        """Write the plan down, or see that it is the one that stands there.

        Raises:
            ScenarioError: another sweep is in this folder, or it can't be written.
        """
        file = self.folder / "plan.toml"
        if file.is_file():
            if read_plan(file) != plan:
                raise ScenarioError(f"another sweep is in {self.folder}: give another folder, or continue that one")
            return
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            _write(file, plan.to_toml())
        except OSError as error:
            raise ScenarioError(f"{self.folder}: can't be written: {error.strerror}") from error

    def place(self, name: str, suffix: str = ".json") -> Path:
        """Return where the row, or the recording, of a run is."""
        return self.folder / "runs" / name[:2] / f"{name}{suffix}"

    def has(self, name: str) -> bool:
        """Tell whether a run is done."""
        return self.place(name).is_file()

    def publish(self, row: Row) -> bool:
        """Add a row; tell whether one that was there already says the same, as it should."""
        text = json.dumps(row, sort_keys=True, allow_nan=False)
        file = self.place(row["id"])
        file.parent.mkdir(parents=True, exist_ok=True)
        return _write(file, text) or file.read_text() == text

    def rows(self, names: Iterable[str]) -> list[dict[str, Any]]:
        """Return the rows of runs that are done, in the order of `names`.

        Raises:
            RecordingError: one was damaged.
        """
        return [read_row(self.place(name)) for name in names if self.has(name)]


def read_row(file: Path) -> dict[str, Any]:
    """Return the row in a file.

    Raises:
        RecordingError: there is none in it.
    """
    try:
        row = json.loads(file.read_text())
    except (OSError, ValueError, RecursionError) as error:
        raise RecordingError(f"{file}: can't be read: {error}; without it, its run is done again") from error
    if not (isinstance(row, dict) and isinstance(row.get("status"), str)):
        raise RecordingError(f"{file}: found no row of a run; without it, its run is done again")
    return row


def _write(file: Path, text: str) -> bool:
    """Write a file that appears whole, unless it is there; tell whether it was not."""
    draft = file.with_name(f".{file.name}.{uuid4().hex[:8]}")  # hosts that share a folder share numbers of processes
    with draft.open("w") as opened:
        opened.write(text)
        opened.flush()
        os.fsync(opened.fileno())
    try:
        os.link(draft, file)
    except FileExistsError:
        return False
    finally:
        draft.unlink()
    return True
