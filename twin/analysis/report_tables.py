"""The tables of a report as HTML; every text from a file goes through `escape`."""

from __future__ import annotations

import re
from collections.abc import Sequence
from html import escape

import numpy as np

from twin.analysis.census import census
from twin.analysis.events import event_words
from twin.analysis.flow_meter import PARTS
from twin.analysis.flows import PERCENTILES
from twin.analysis.kpis import kpis
from twin.analysis.report_run import Run
from twin.analysis.settings import setting_changes
from twin.analysis.verdicts import MARKS, lines, overall_of
from twin.specs.figures import FIGURES

_SHORT, _MANY = 14, 8
"""Characters up to which a cell isn't broken; columns beyond which a table is set smaller on paper."""
TILES = ("rtt_p50", "rtt_p99", "packets_lost", "tracking_rms", "failsafes", "collisions")
_MARKS = {
    "passed": ("passed", "✓ passed"),
    "failed": ("failed", "✗ failed"),
    "inconclusive": ("open", "? inconclusive"),
    None: ("open", "no requirements"),
}


def table(
    header: Sequence[str], rows: Sequence[Sequence[object]], bad: Sequence[bool] = (), *, look: str = ""
) -> str:
    """Return a table of escaped cells; columns whose cells are all short values stand right, `bad` rows are marked.

    `look`: "cards" to become one card a row on a narrow screen, "made" for two columns with long words in the second.
    """
    columns = list(zip(*rows, strict=True)) or [()] * len(header)
    kinds = ["number" if all(map(_is_value, column)) else _kind(i, column) for i, column in enumerate(columns)]
    labels = [escape(str(name)) for name in header]

    def cells(row: Sequence[object]) -> str:
        return "".join(
            f'<td class="{kind}{" none" if cell in ("", "-") else ""}" data-label="{label}">'
            f"{_breakable(str(cell)) if not i else escape(str(cell))}</td>"
            for i, (cell, kind, label) in enumerate(zip(row, kinds, labels, strict=True))
        )

    marks = [*bad, *[False] * (len(rows) - len(bad))]
    body = "".join(f"<tr{' class=bad' if mark else ''}>{cells(row)}</tr>"
                   for row, mark in zip(rows, marks, strict=True))  # fmt: skip
    top = "".join(f'<th class="{kind}">{label}</th>' for label, kind in zip(labels, kinds, strict=True))
    look = f"{look} many" if len(header) > _MANY else look
    return f'<div class=wide><table class="{look}"><thead><tr>{top}</tr></thead><tbody>{body}</tbody></table></div>'


def _kind(i: int, column: Sequence[object]) -> str:
    """Return how the cells of a column break: names where a part ends, short texts nowhere."""
    if not i:
        return "name"
    return "short" if max((len(str(cell)) for cell in column), default=0) <= _SHORT else "text"


def _breakable(name: str) -> str:
    """Return an escaped name that may break after the dots between its parts."""
    return re.sub(r"\.(?=[a-z])", ".<wbr>", escape(name))


def head(run: Run) -> str:
    """Return one run's name, verdict and main facts."""
    header = run.header
    kind, text = _MARKS[overall_of(run.summary)] if run.complete else ("failed", "✗ incomplete")
    network = str(run.scenario.get("network", {}).get("kind", "?"))
    facts = [f"world {header.world}", f"network {network}", f"{run.duration:g} s",
             census(header), f"seed {header.seed}"]  # fmt: skip
    why = "" if run.complete else f"<span>{escape(run.reason)}</span>"
    name = f"{run.label}: {run.name}" if run.label else run.name
    return (f"<div class=run><span class='badge {kind}'>{text}</span><b>{escape(name)}</b>"
            f"<span>{escape(' · '.join(facts))}</span>{why}</div>")  # fmt: skip


def tiles(run: Run) -> str:
    """Return the main figures of one run, large."""
    cells = [
        f"<div class=tile><span>{escape(_label(name))}</span>"
        f"<b>{escape(FIGURES[name].shown(run.summary[name]))}</b></div>"
        for name in TILES
        if name in run.summary
    ]
    return f"<div class=tiles>{''.join(cells)}</div>"


def summary(runs: Sequence[Run]) -> str:
    """Return all figures, side by side where there are two runs, and each run's requirements."""
    rows = [
        [_label(name), *(figure.shown(run.summary.get(name)) for run in runs)]
        for name, figure in FIGURES.items()
        if any(name in run.summary for run in runs)
    ]
    verdicts = f"<div class=pair>{''.join(map(requirements, runs))}</div>"
    return verdicts + _folded("All figures", table(["figure", *_labels(runs)], rows), len(runs) > 1, printed=True)


def requirements(run: Run) -> str:
    """Return what was asked of a run and what came of it."""
    found = lines(run.summary)
    if not found:
        return ""
    rows = [
        [_label(one.metric), one.bound, one.value, f"{MARKS[one.answer]} {one.answer}",
         "; ".join([one.reason or one.support, *one.held])]
        for one in found
    ]
    header = [f"requirement{f' ({run.label})' if run.label else ''}", "limit", "value", "verdict", "rests on"]
    return table(header, rows, [one.answer == "failed" for one in found], look="cards")


def plans(run: Run) -> str:
    """Return what `twin plan` said of a run's scenario: cost, control foretold, and what goes with each site."""
    parts = []
    for one in run.plans:
        label = f"{run.label}: " if run.label else ""
        rows = [
            [site.name, site.kind, ", ".join(f"{x:.0f}" for x in site.place), f"{site.without_it_s:.1f} s",
             ", ".join(site.without_it_lost) or "-"]
            for site in one.plan.sites
        ]  # fmt: skip
        header = ["site", "kind", "place (m)", "control that goes with it", "who is lost without it"]
        parts.append(f"<p><b>{escape(f'{label}{one.plan.name}')}</b> of {escape(one.file)}: {escape(one.text)}</p>"
                     + table(header, rows))  # fmt: skip
    return "".join(parts)


def flow_table(run: Run) -> str:
    """Return latency percentiles, losses, misses of the delay budget and age of information, flow by flow."""
    names = [f"p{percent:g}" for percent in PERCENTILES]
    header = ["flow", "packets", *names, "longest", "late", "lost", "late or lost", "mean age", "p99 age", "peak age"]
    rows = []
    for flow in run.flows:
        times = [flow.percentile(percent) for percent in PERCENTILES]
        longest = flow.latency[-1] if len(flow.latency) else np.nan
        ages = [flow.age.mean, flow.age.percentile(99.0), flow.age.peak]
        rows.append([flow.name, flow.settled, *map(_ms, times), _ms(longest), flow.late, flow.lost,
                     _percent(flow.missed), *map(_ms, ages)])  # fmt: skip
    title = f"<b>{escape(run.label)}</b> " if run.label else ""
    return title + table(header, rows, look="cards")


def time_table(run: Run) -> str:
    """Return where the time of a delivered packet goes, and why others are late, flow by flow."""
    flows = {name: flow for name, flow in run.summary.get("flows", {}).items() if flow["parts"]}
    rows = [
        [name.replace(" > ", " → ").replace(": ", ", "), f"{flow['pairs_in_time']} of {flow['pairs']}",
         *(_ms(flow["parts"][part]) for part in PARTS),
         ", ".join(f"{cause} {count}" for cause, count in flow["late_or_lost_for"].items()) or "-"]
        for name, flow in flows.items()
    ]  # fmt: skip
    title = f"<b>{escape(run.label)}</b> " if run.label else ""
    header = ["flow", "always in time", *PARTS, "late or lost for"]
    return title + table(header, rows, look="cards") if rows else ""


def kpi_table(runs: Sequence[Run]) -> str:
    """Return the KPIs, side by side."""
    found = [{kpi.label: kpi for kpi in kpis(run.flows, run.duration)} for run in runs]
    every = {label: kpi for kpis_of_run in found for label, kpi in kpis_of_run.items()}
    rows = [
        [label, kpi.standard or "-", kpi.document or "-", *(one[label].shown if label in one else "-" for one in found)]
        for label, kpi in every.items()
    ]
    return table(["KPI", "3GPP name", "defined in", *_labels(runs)], rows, look="cards")


def robots(run: Run) -> str:
    """Return each robot's tracking error and energy, as far as it has them."""
    battery = run.summary.get("battery_energy_by_robot", {})
    errors = {name: error for name, error in run.errors.items() if len(error)}
    columns: dict[str, dict[str, str]] = {
        "tracking error rms": {name: f"{np.sqrt(np.mean(error**2)):.3f} m" for name, error in errors.items()},
        "max": {name: f"{error.max():.3f} m" for name, error in errors.items()},
        "energy from the battery": {name: f"{energy / 1e3:.3g} kJ" for name, energy in battery.items()},
        "work of drives": {name: f"{work:.4g} J" for name, work in run.work.items()},
    }
    columns = {title: cells for title, cells in columns.items() if cells}
    having = [robot.name for robot in run.header.robots if any(robot.name in cells for cells in columns.values())]
    rows = [[name, *(cells.get(name, "-") for cells in columns.values())] for name in having]
    return table(["robot", *columns], rows) if rows else ""


def events(runs: Sequence[Run]) -> str:
    """Return how many events of each kind there were."""
    counts = [run.summary.get("events", {}) for run in runs]
    kinds = sorted({kind for count in counts for kind in count})
    rows = [[event_words(kind), *(count.get(kind, 0) for count in counts)] for kind in kinds]
    header = ["event", *(f"times{f' ({run.label})' if run.label else ''}" for run in runs)]
    return table(header, rows) if rows else ""


def changes(runs: Sequence[Run]) -> str:
    """Return what was chosen differently in the scenarios of two runs; defaults that come with it are folded."""
    chosen, implied = setting_changes(*(run.scenario for run in runs))
    header = ["scenario", *_labels(runs)]
    if not chosen and not implied:
        return "<p>The scenarios are the same.</p>"
    shown = table(header, [[one.key, one.a, one.b] for one in chosen]) if chosen else ""
    if not implied:
        return shown
    title = f"{len(implied)} settings that only one of them has, at their defaults"
    return shown + _folded(title, table(header, [[one.key, one.a, one.b] for one in implied]))


def provenance(run: Run) -> str:
    """Return what the run was made of, and its scenario."""
    header = run.header
    rows: list[tuple[str, object]] = [
        ("recording", run.name), ("world", f"{header.world} ({header.world_hash})"), ("seed", header.seed),
        ("rates", f"physics {header.physics_rate_hz}, channel {header.channel_rate_hz}, "
                  f"record {header.record_rate_hz} Hz"),
        ("twin", f"{header.code_version} (sources {header.sources_digest})"),
        ("packages", ", ".join(f"{name} {value}" for name, value in sorted(header.packages.items()))),
        *(("code loaded", f"{name} (sha256 {value})") for name, value in sorted(header.plugins.items())),
        *(("file read", f"{name} (sha256 {value})") for name, value in sorted(header.inputs.items())),
    ]  # fmt: skip
    text = f"<pre>{escape(header.scenario_text)}</pre>"
    label = f"{run.label}: " if run.label else ""
    return table([f"{label}made of", ""], rows, look="made") + _folded(f"{label}Scenario as it was resolved", text)


def _label(figure: str) -> str:
    if figure not in FIGURES:  # of a flow, a robot, ...: its name says all
        return figure
    label = FIGURES[figure].label
    return f"packets {label.strip()}" if label.startswith(" ") else label


def _labels(runs: Sequence[Run]) -> list[str]:
    return [run.label or "value" for run in runs]


def _folded(title: str, content: str, is_open: bool = False, *, printed: bool = False) -> str:
    how = f"{' class=printed' if printed else ''}{' open' if is_open else ''}"
    return f"<details{how}><summary>{escape(title)}</summary>{content}</details>"


def _is_value(cell: object) -> bool:
    return isinstance(cell, (int, float)) or str(cell)[:1].isdigit() or str(cell) in ("-", "")


def _ms(seconds: float) -> str:
    return "-" if np.isnan(seconds) else f"{1e3 * seconds:.{1 if seconds >= 0.01 else 2}f} ms"


def _percent(share: float) -> str:
    return "-" if np.isnan(share) else f"{100 * share:.3g} %"
