"""Names that a shell completes: of scenarios, robots and worlds, beside files."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click
from click.shell_completion import CompletionItem


class Name(click.Path):
    """The name of a world, scenario or robot of the project around here, or the path of a file or folder."""

    name = "text"

    def __init__(self, kind: str) -> None:
        super().__init__()
        self._kind = kind

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """Return the text as it is: commands say themselves what is wrong with it."""
        return value

    def shell_complete(self, ctx: click.Context, param: click.Parameter, incomplete: str) -> list[CompletionItem]:
        """Return the names that begin so; where none does, files."""
        from twin.errors import TwinError
        from twin.project.project import Project

        try:
            names = getattr(Project.around(Path.cwd()), self._kind)()
        except TwinError:  # a shell that completes can't say what is wrong with a project
            names = {}
        found = [CompletionItem(name) for name in sorted(names) if name.startswith(incomplete)]
        return found or super().shell_complete(ctx, param, incomplete)


SCENARIO, ROBOT, WORLD = Name("scenarios"), Name("robots"), Name("worlds")
