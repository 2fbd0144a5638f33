"""What a sweep shows: its statements, and how figures go with what was varied."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from twin.analysis.forest import draw_forest
from twin.analysis.paired import Comparison, by_key, compared, shown
from twin.analysis.parts import Part, Section, Table, picture
from twin.analysis.verdicts import MARKS
from twin.errors import RecordingError, ScenarioError
from twin.specs.figures import FIGURES
from twin.studies.parameters import by_size, figures_asked, found_of
from twin.studies.parameters import shown as index_shown
from twin.studies.pictures import draw_tornado
from twin.studies.sensitivity import Flips, Sampled, answer_of, flips, sampled
from twin.studies.statements import Statement, Wanted, statements
from twin.studies.surface import can_draw, draw_surface
from twin.studies.sweep import Sweep, plan_runs
from twin.studies.words import ground, meaning, percent, point_name

Row = Mapping[str, Any]
_LINES = 60
"""Statements, and runs without an end, that are listed; files of the sweep have all."""
_SETTINGS = 6
"""Settings of one key up to which they are compared with the first."""


def sections_of(sweep: Sweep, rows: Sequence[Row], wanted: Wanted) -> list[Section]:
    """Return what the rows of a sweep show, with pictures; nothing of what they can't show."""
    found = statements(rows, wanted)
    made = [Section("shown", "What all runs show", list(_shown(sweep, rows, found, wanted)))]
    if can_draw(rows):
        what = "How figures go with what was varied"
        note = "Each requirement's figure, over the keys that the sweep varied; red is its limit."
        made.append(Section("surface", what, [note, picture(draw_surface(rows), what)]))
    made += _comparisons(sweep, rows)
    if sweep.plan.range and not sweep.plan.grid and len(rows) == sweep.plan.size:
        made += _hanging(sweep, rows)
    return [*made, *_broken(rows)]


def answered(sweep: Sweep, rows: Sequence[Row], wanted: Wanted) -> list[Statement]:
    """Return the statements that a sweep makes: points of a range are there to tell what figures hang on, not these."""
    return [] if sweep.plan.range else statements(rows, wanted)


def _shown(sweep: Sweep, rows: Sequence[Row], found: Sequence[Statement], wanted: Wanted) -> Iterator[Part]:
    ended = Counter(row["status"] for row in rows)
    missing = len(sweep.runs) - len(rows)
    yield ", ".join(f"{count} {status}" for status, count in sorted(ended.items())) + (
        f"; {missing} runs are not done" if missing else "")
    if sweep.plan.range:
        yield (f"{sweep.plan.samples} points ({sweep.plan.design}) are spread over ranges, to tell what figures hang "
               "on: of each by itself nothing is stated.")  # fmt: skip
        return
    if not found:
        yield "Nothing was asked of these runs: their scenario has no requirements."
        return
    several = len({point_name(one.point) for one in found}) > 1
    header = ("requirement", *["at"] * several, "answer", "rests on")
    listed = found[:_LINES]
    told = [(one.requirement, *[point_name(one.point)] * several, f"{MARKS[one.answer]} {one.answer}", ground(one))
             for one in listed]  # fmt: skip
    yield Table(header, told, [one.answer for one in listed])
    if len(found) > _LINES:
        rest = Counter(one.answer for one in found[_LINES:])
        yield f"{len(found) - _LINES} more: " + ", ".join(f"{count} {answer}" for answer, count in rest.items())
    for line in meaning(found, wanted):
        yield f"{line[0].upper()}{line[1:]}."


def _comparisons(sweep: Sweep, rows: Sequence[Row]) -> Iterator[Section]:
    """Yield what differs between the settings of each key, pair by pair."""
    for number, (key, values) in enumerate(sweep.plan.grid.items()):
        settings = by_key(rows, key)
        if not (1 < len(settings) == len(values) <= _SETTINGS):
            continue
        (first, before), *others = settings.items()
        found = [compared((first, before), (name, of)) for name, of in others]
        if any(one.pairs < 2 for one in found):
            continue
        parts: list[Part] = ["Pairs of runs that share their seed and all else; each line by itself, at 95 %."]
        try:
            parts.append(picture(draw_forest(found), f"How settings of {key} differ"))
        except RecordingError:
            parts.append("No figure differs in any pair.")
        parts += [_verdicts(one) for one in found if one.verdicts]
        yield Section(f"compared-{number}", f"Which is better: {key}", [*parts, *map(_table, found)])


def _verdicts(one: Comparison) -> Table:
    header = ("met in", "both", f"{one.first} alone", f"{one.second} alone", "neither", "by chance")
    return Table(header, [
        (each.requirement, str(each.both), str(each.first_alone), str(each.second_alone), str(each.neither),
         f"{each.chance:.2g}")
        for each in one.verdicts
    ])  # fmt: skip


def _table(one: Comparison) -> Table:
    header = ("figure", one.first, one.second, "difference, 95 %", "more : less", "by chance")
    rows = [
        (FIGURES[each.figure].label.strip(), FIGURES[each.figure].shown(each.first),
         FIGURES[each.figure].shown(each.second), shown(each), f"{each.more} : {each.less}", f"{each.chance:.2g}")
        for each in one.differences if each.more or each.less
    ]  # fmt: skip
    return Table(header, rows)


def _hanging(sweep: Sweep, rows: Sequence[Row]) -> Iterator[Section]:
    """Yield what figures hang on, and how often the verdict flips."""
    points = sampled(sweep.plan, rows)
    found, left = [], []
    for name in figures_asked(sweep.runs[0].scenario):
        label = FIGURES[name].label.strip()
        if len({row["figures"].get(name) for row in rows}) == 1:
            left.append(f"{label}: the same in all runs.")
            continue
        try:
            found.append(found_of(points, name, sweep.plan))
        except ScenarioError as error:
            left.append(f"{label}: {error.message}.")
    parts: list[Part] = [*left]
    if found:
        bars = [(FIGURES[one.figure].label.strip(), one.correlation) for one in found]
        parts.append("Rank correlation of each figure with each parameter, with 95 % intervals by bootstrap.")
        parts.append(picture(draw_tornado(points.names, bars), "What figures hang on"))
    for one in found:
        header = ("parameter", "rank correlation", "own share of variance", *["with others"] * bool(one.total))
        parts.append(FIGURES[one.figure].label.strip())
        parts.append(Table(header, [
            (points.names[k], *(index_shown(of[k]) for of in (one.correlation, one.own, one.total) if of))
            for k in by_size(one.total or one.own)
        ]))  # fmt: skip
    if found or left:
        yield Section("hangs", "What figures hang on", parts)
    nominal = plan_runs(sweep.plan.model_copy(update={"range": {}}), sweep.store.folder)
    as_it_is = nominal.rows()
    if as_it_is and sweep.runs[0].scenario.requirements:
        turned = flips(points.x, points.answers(), answer_of(as_it_is))
        yield Section("flips", "How often the verdict is another", list(_flips(points, turned)))


def _flips(points: Sampled, turned: Flips) -> Iterator[Part]:
    share, bounds = turned.flipped / turned.points, turned.interval
    yield (f"As it is, the verdict is {turned.nominal}. It is another at {turned.flipped} of {turned.points} points: "
           f"{percent(share)} ({percent(bounds.lower)} to {percent(bounds.upper)} at 95 %).")  # fmt: skip
    if turned.by:
        rows = [(points.names[k], index_shown(turned.by[k])) for k in by_size(turned.by)]
        yield Table(("parameter", "share of whether it flips"), rows)


def _broken(rows: Sequence[Row]) -> Iterator[Section]:
    """Yield why runs did not come to their end."""
    reasons = Counter((row["status"], row["error"]) for row in rows if row["status"] != "complete")
    if reasons:
        listed = [(f"{count}", status, error) for (status, error), count in reasons.most_common(_LINES)]
        yield Section("ends", "Runs that did not come to their end", [
            "They have met no requirement: leaving them out would flatter.", Table(("runs", "status", "why"), listed)
        ])  # fmt: skip
