"""What a study found, kept beside its runs in FOLDER/findings/ID.json, so that a page can be made of it later."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, ValidationError

import twin
from twin.analysis.written import written
from twin.errors import RecordingError
from twin.numerics.kernels import sources_digest

Kind = Literal["margin-of-chance", "rare"]


class Finding(BaseModel):
    """One answer of one study."""

    format: Literal["twin-finding"] = "twin-finding"
    version: Literal[1] = 1
    kind: Kind
    made_by: str
    sources: str  # digest of the code that it was found with
    description: str  # of the scenario
    asked: dict[str, Any]
    found: dict[str, Any]


def keep_finding(
    folder: Path, kind: Kind, description: str, asked: Mapping[str, Any], found: Mapping[str, Any]
) -> Path:
    """Write what was found below a folder, in a file named by what was asked; return where it is."""
    finding = Finding(
        kind=kind, made_by=f"twin {twin.__version__}", sources=sources_digest(), description=description,
        asked=dict(asked), found=dict(found),
    )  # fmt: skip
    name = hashlib.sha256(json.dumps([kind, finding.sources, asked], sort_keys=True).encode()).hexdigest()[:12]
    file = folder / "findings" / f"{name}.json"
    file.parent.mkdir(parents=True, exist_ok=True)
    with written(file, force=True) as opened:
        opened.write(json.dumps(finding.model_dump(), indent=2, sort_keys=True, allow_nan=False) + "\n")
    return file


def findings(folder: Path) -> Iterator[tuple[Path, Finding]]:
    """Yield what is kept below a folder, in the order of the names.

    Raises:
        RecordingError: a file of it was damaged.
    """
    for file in sorted((folder / "findings").glob("*.json")):
        try:
            yield file, Finding.model_validate_json(file.read_bytes())
        except (OSError, ValidationError) as error:
            raise RecordingError(f"{file}: can't be read: {error}; without it, its study is asked again") from error
