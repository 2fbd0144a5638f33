"""A new project: the files of `twin/templates/project`, all of them or none."""

from __future__ import annotations

import shutil
from pathlib import Path
from uuid import uuid4

from twin.errors import TwinError

TEMPLATE = Path(__file__).resolve().parent / "templates" / "project"


def start_project(folder: Path) -> list[Path]:
    """Write a project that runs at once into a new or empty folder; return its files.

    Raises:
        TwinError: the folder holds something, is a file, or can't be written.
    """
    sources = [path for path in sorted(TEMPLATE.rglob("*")) if path.is_file() and path.suffix != ".pyc"]
    is_new, partial = not folder.exists(), folder / f".{uuid4().hex[:8]}"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        if any(folder.iterdir()):
            raise TwinError(f"{folder}: is not empty; give a new folder")
        for source in sources:
            target = partial / source.relative_to(TEMPLATE)
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(source.read_bytes())
        for child in sorted(partial.iterdir()):
            child.rename(folder / child.name)
    except OSError as error:
        shutil.rmtree(folder if is_new else partial, ignore_errors=True)
        raise TwinError(f"{folder}: can't be written: {error.strerror or error}") from error
    partial.rmdir()
    return [folder / source.relative_to(TEMPLATE) for source in sources]
