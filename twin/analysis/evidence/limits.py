"""What the models leave out, from the page of the docs that says so, as far as it touches a requirement."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

from twin.specs.requirement import Requirement

_TOUCHES = {
    "flows": ("Time", "Channel", "Network", "Sea"),
    "": ("Time", "Bodies", "Sensors", "Channel", "Network", "Sea"),
    "robots": ("Time", "Bodies", "Sensors", "Channel", "Network", "Sea"),
    "logs": ("Time", "Bodies", "Sensors", "Channel", "Network", "Sea"),
    "sensing": ("Time", "Channel"),
    "network": ("Time", "Network"),
    "channel": ("Time", "Channel"),
}
ALWAYS = ("When an answer can be trusted", "Verdicts")


class Limits:
    """The sections of the page: heading -> sentences."""

    def __init__(self, page: str) -> None:
        self.sections: dict[str, list[str]] = {}
        for block in re.split(r"^## ", page, flags=re.MULTILINE)[1:]:
            heading, _, body = block.partition("\n")
            items = re.split(r"^- ", body.strip(), flags=re.MULTILINE)
            plain = [" ".join(re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", item).replace("`", "").split()) for item in items]
            self.sections[heading.strip()] = [item for item in plain if item]

    @classmethod
    def of(cls, root: Path) -> Limits:
        """Read the page of the repository, or the copy in the package."""
        places = (root / "limitations.md", root / "docs" / "limitations.md")
        return cls(next(path for path in places if path.is_file()).read_text(encoding="utf-8"))

    def touching(self, requirements: Sequence[Requirement]) -> dict[str, list[str]]:
        """Return the sections that touch any of these requirements, what always holds first."""
        wanted = {heading for one in requirements for heading in _TOUCHES.get(one.scope.family, _TOUCHES[""])}
        return {name: items for name, items in self.sections.items() if name in ALWAYS or name in wanted}
