"""Profiles of a project and the built-in ones: what standards ask for, read from their files."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from twin.errors import Findings, ScenarioError
from twin.project.project import Project
from twin.specs.profile import ProfileSpec, ProfileUse
from twin.specs.requirement import Requirement
from twin.specs.toml_text import read_toml, validate

PREFIX = "profile:"


def read_profile(path: Path) -> ProfileSpec:
    """Return a profile file.

    Raises:
        ScenarioError: everything that is wrong with it.
    """
    data, text = read_toml(path)
    return validate(ProfileSpec, data, file=path, text=text)


def expanded(asked: Sequence[Requirement | ProfileUse], project: Project) -> tuple[Requirement, ...]:
    """Return the requirements of a scenario with those of its profiles in their places.

    Raises:
        ScenarioError: no such profile or part, or its file is wrong.
    """
    found: list[Requirement] = []
    findings = Findings()
    for i, entry in enumerate(asked):
        if isinstance(entry, Requirement):
            found.append(entry)
            continue
        with findings.attempt():
            try:
                found += read_profile(project.profile(entry.name)).requirements(entry)
            except ValueError as error:
                raise ScenarioError(str(error), key=f"requirements[{i}]") from error
    findings.settle()
    return tuple(found)


def profile_files(asked: Sequence[Requirement | ProfileUse], project: Project) -> dict[str, Path]:
    """Return the files of the profiles that a scenario uses, by the names under which recordings note them."""
    names = sorted({entry.name for entry in asked if isinstance(entry, ProfileUse)})
    return {f"profiles/{name}.toml": project.profile(name) for name in names}


def describe_profile(reference: str, project: Project) -> dict[str, Any]:
    """Return what a profile asks for, part by part, as plain data; `reference` may name one part.

    Raises:
        ScenarioError: no such profile or part, or its file is wrong.
    """
    name, _, part = reference.removeprefix(PREFIX).partition("/")
    path = project.profile(name)
    profile = read_profile(path)
    if part and part not in profile.parts:
        raise ScenarioError(f"found {part!r}; allowed: parts of {name}: {', '.join(profile.parts)}")
    return {
        "profile": name,
        "title": profile.title,
        "file": str(path),
        "document": profile.document,
        "version": profile.version,
        "verified": profile.verified,
        "source": profile.source,
        "default": list(profile.default),
        "unjudged": list(profile.unjudged),
        "parts": {
            each: {
                "title": spec.title,
                "clause": (origin := profile.origin(name, each)).clause,
                "document": origin.document,
                "version": origin.version,
                "verified": origin.verified,
                "requirements": list(spec.requirements),
                "kind": spec.kind,
                "traffic": spec.traffic,
                "note": spec.note,
            }
            for each, spec in profile.parts.items()
            if part in ("", each)
        },
    }
