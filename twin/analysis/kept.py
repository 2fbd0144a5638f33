"""Files that studies and plans left, found again beside a recording: each is of one kind, a format with a version."""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any, Generic, TypeVar

from pydantic import BaseModel, ValidationError

_log = logging.getLogger(__name__)
_MOST = 1000
"""Files of a folder that are looked at."""
_Content = TypeVar("_Content", bound=BaseModel)


@dataclass(frozen=True, slots=True)
class Kind(Generic[_Content]):
    """One kind of JSON file: how it is marked, where it lies, how large it may be, what it holds."""

    format: str
    version: int
    places: tuple[str, ...]  # patterns below a folder
    largest: int  # bytes
    content: type[_Content]
    name: str  # what a damaged one is not

    def below(self, folders: Sequence[Path]) -> Iterator[tuple[str, bytes, _Content]]:
        """Yield the files below some folders, each once: its path in the folder, its bytes, what it holds."""
        seen = set[Path]()
        for folder in folders:
            files = (file for pattern in self.places for file in sorted(folder.glob(pattern)))
            for file in islice(files, _MOST):
                if file.resolve() in seen or file.stat().st_size > self.largest:
                    continue
                seen.add(file.resolve())
                text = file.read_bytes()
                content = self._read(file, text)
                if content is not None:
                    yield file.relative_to(folder).as_posix(), text, content

    def _read(self, file: Path, text: bytes) -> _Content | None:
        """Return what a file holds; None for one of another kind or version, and, which is said, a damaged one."""
        try:
            found: Any = json.loads(text)
        except (ValueError, RecursionError):
            return None
        if not isinstance(found, dict) or (found.get("format"), found.get("version")) != (self.format, self.version):
            return None
        try:
            return self.content.model_validate(found)
        except ValidationError as error:
            first = error.errors()[0]
            _log.warning("%s: %s: %s: %s", file, self.name, ".".join(map(str, first["loc"])), first["msg"])
            return None
