"""A profile: what a standard asks of a service, as named parts with requirements; and its use in a scenario."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import Literal, Self

from pydantic import Field, model_validator

from twin.errors import nearest
from twin.specs.base import Spec
from twin.specs.mistakes import Key, Mistakes
from twin.specs.requirement import Origin, Requirement, Scope, clauses_of, parse_requirement

Verified = Literal["text", "secondary", "own"]
_USE = re.compile(r"profile:([\w-]+)(?:/([\w-]+))?(?:\s+as\s+([\w-]+))?(?:\s+for\s+([\w-]+))?(.*)", re.DOTALL)
_FORM = "profile:NAME, profile:NAME/PART, with `as KIND` of packets, `for GROUP` and clauses such as `after take-off`"
_FLOW = re.compile(r"flows\.([\w-]+)(?:\[[^\]>]*>[^\]]*\])?")


@dataclass(frozen=True, slots=True)
class ProfileUse:
    """What a scenario says of a profile."""

    text: str
    name: str
    part: str = ""  # empty: those that the profile takes by default
    kind: str = ""  # of the packets that are meant
    group: str = ""
    clauses: str = ""

    def __str__(self) -> str:
        return self.text

    @property
    def scope(self) -> Scope:
        """Group, place and times, to be held against a scenario."""
        return clauses_of("robots", self.clauses, Scope("robots", self.group or "*"))


def parse_use(text: str) -> ProfileUse:
    """Read `profile:NAME/PART as KIND for GROUP CLAUSES`.

    Raises:
        ValueError: not of this form, or a clause that isn't one.
    """
    match = _USE.fullmatch(text.strip())
    if match is None:
        raise ValueError(f"found {text!r}; allowed: {_FORM}")
    name, part, kind, group, clauses = (found or "" for found in match.groups())
    use = ProfileUse(text.strip(), name, part, kind, group, clauses.strip())
    _ = use.scope  # refuses clauses that aren't any
    return use


def parse_entry(text: object) -> Requirement | ProfileUse:
    """Read one entry of `requirements`: a requirement, or the use of a profile.

    Raises:
        ValueError: it is neither.
    """
    if isinstance(text, ProfileUse):
        return text
    if isinstance(text, str) and text.lstrip().startswith("profile:"):
        return parse_use(text)
    return parse_requirement(text)


class PartSpec(Spec):
    """Requirements that belong together; what is not stated is the profile's."""

    title: str
    requirements: tuple[str, ...] = Field(min_length=1)
    kind: str = ""  # of packets, where it isn't commands and telemetry; `as` names another
    traffic: str = ""  # that the standard assumes
    note: str = ""
    document: str | None = None
    version: str | None = None
    clause: str | None = None
    verified: Verified | None = None

    @model_validator(mode="after")
    def _requirements_can_be_read(self) -> Self:
        wrong: list[tuple[Key, str]] = []
        for i, text in enumerate(self.requirements):
            try:
                parse_requirement(text)
            except ValueError as error:
                wrong.append((("requirements", i), str(error)))
        if wrong:
            raise Mistakes(wrong)
        return self


class ProfileSpec(Spec):
    """A whole profile file."""

    title: str
    document: str
    version: str = "not stated"
    clause: str
    verified: Verified = "own"
    source: str = ""  # that the values come from
    default: tuple[str, ...] = Field(min_length=1)
    unjudged: tuple[str, ...] = ()  # what the document asks for besides, and no run measures
    parts: dict[str, PartSpec] = Field(min_length=1)

    @model_validator(mode="after")
    def _default_is_there(self) -> Self:
        wrong: list[tuple[Key, str]] = [
            (("default", i), f"found {name!r}; allowed: {', '.join(self.parts)}{nearest(name, self.parts)}")
            for i, name in enumerate(self.default)
            if name not in self.parts
        ]
        if wrong:
            raise Mistakes(wrong)
        return self

    def origin(self, profile: str, name: str) -> Origin:
        """Return where a part's requirements stand."""
        part = self.parts[name]
        return Origin(
            profile=profile,
            part=name,
            document=part.document or self.document,
            version=part.version or self.version,
            clause=part.clause or self.clause,
            verified=part.verified or self.verified,
        )

    def requirements(self, use: ProfileUse) -> list[Requirement]:
        """Return what a use of this profile asks for.

        Raises:
            ValueError: no such part, or it can't be said of a group or of other packets.
        """
        if use.part and use.part not in self.parts:
            found = f"found {use.part!r}; allowed: parts of {use.name}: {', '.join(self.parts)}"
            raise ValueError(f"{found}{nearest(use.part, self.parts)}")
        return [
            replace(parse_requirement(applied(text, self.parts[name], use)), origin=self.origin(use.name, name))
            for name in ([use.part] if use.part else self.default)
            for text in self.parts[name].requirements
        ]


def applied(text: str, part: PartSpec, use: ProfileUse) -> str:
    """Return a requirement's text as a use of its profile means it.

    Raises:
        ValueError: it can't be said of a group or of other packets.
    """
    found = parse_requirement(text)
    family, metric = found.scope.family, found.metric
    if use.kind:
        if not part.kind:
            raise ValueError(f"found 'as {use.kind}'; allowed: where a part speaks of packets of a kind of its own")
        metric = metric.replace(f"flows.{part.kind}", f"flows.{use.kind}", 1)
    if use.group and family == "flows":
        metric = _FLOW.sub(rf"flows.\1[{use.group}]", metric, count=1)
    elif use.group and family == "robots":
        metric = metric.replace("robots.*", f"robots.{use.group}", 1)
    elif use.group:
        raise ValueError(f"found 'for {use.group}'; allowed: where a part speaks of flows or robots")
    clauses = f" {use.clauses}" if use.clauses and family in ("flows", "robots") else ""
    return f"{metric} {found.bound}{clauses}"
