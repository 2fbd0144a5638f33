"""What a page says in words: whose run this is and what came of it, what happened when, what colours mean."""

from __future__ import annotations

import tomllib
from collections.abc import Sequence
from html import escape

from matplotlib.colors import to_hex

from twin.analysis.census import census
from twin.analysis.events import event_words
from twin.analysis.picture import DELAYS
from twin.analysis.verdicts import MARKS, count_text, overall_of
from twin.clock import NS
from twin.recording.reader import Recording
from twin.state import COMMAND, Event
from twin.viewer.packets import COLOURS, TELEMETRY
from twin.viewer.radio import GAINS

MOST_MARKS = 60
"""Events up to which each has a mark on the slider; of more, those that are evenly apart in number have one."""
_TEXT = "padding:0 1em .6em;font-size:.85em;line-height:1.45"
_VERDICTS = {"passed": "#00704f", "failed": "#b8400a", "inconclusive": "#7a5b00"}


def heading(recording: Recording) -> str:
    """Return what a run is and what came of it, as HTML."""
    scenario = tomllib.loads(recording.scenario_text)
    header, summary = recording.header, recording.summary
    kinds = (f"{part} {scenario[part]['kind']}" for part in ("channel", "network") if part in scenario)
    facts = [f"world {header.world}", *kinds, census(header), f"{recording.duration / NS:g} s", f"seed {header.seed}"]
    answer = overall_of(summary) if summary else None
    if not recording.finished:
        verdict = "still running"
    elif not recording.complete:
        verdict = f"incomplete: {escape(recording.reason)}"
    elif answer is None:
        verdict = "no requirements"
    else:
        verdict = f"<b style='color:{_VERDICTS[answer]}'>{MARKS[answer]} {answer}</b>: "
        verdict += escape(count_text(summary["requirements"]))
    title = escape(str(scenario.get("description") or recording.path.name))
    return f"<div style='{_TEXT}'><b>{title}</b><br>{verdict}<br>{escape(' · '.join(facts))}</div>"


def legend(slowest: float, *, gains: bool = True, packets: bool = True) -> str:
    """Return what colours mean, as HTML; the bar of round trips ends at `slowest` [s]."""
    stops = ", ".join(to_hex(DELAYS(i / 8)) for i in range(9))
    bar = f"<span style='display:inline-block;width:7em;height:.7em;background:linear-gradient(90deg,{stops})'></span>"
    rows = [f"Round trip 0 {bar} {1e3 * slowest:.0f} ms", "grey: none yet, or on failsafe"]
    if gains:
        rows.append(f"Path gain {GAINS[1]:.0f} {bar} {GAINS[0]:.0f} dB")
    if packets:
        kinds = ((TELEMETRY, TELEMETRY), (COMMAND, COMMAND), ("other packets", ""), ("gets lost", "lost"))
        rows.append(" &nbsp; ".join(f"{_dot('rgb({},{},{})'.format(*COLOURS[kind]))} {name}" for name, kind in kinds))
    return f"<div style='{_TEXT}'>{'<br>'.join(rows)}</div>"


def titled(page: str, *parts: str) -> str:
    """Return a page of a scene with parts of HTML over its corner, since a file has no panel."""
    box = "position:fixed;left:12px;top:12px;z-index:9;max-width:min(26em,80vw);padding:.6em 0 0;background:#ffffffe0;"
    found, body, rest = page.partition("<body>")
    assert body, "viser's pages have a body without attributes"
    return f"{found}{body}<div style='{box}font-family:system-ui,sans-serif'>{''.join(parts)}</div>{rest}"


def _dot(shown: str) -> str:
    return f"<span style='display:inline-block;width:.7em;height:.7em;border-radius:50%;background:{shown}'></span>"


def marks(events: Sequence[Event], end: float) -> tuple[float | tuple[float, str], ...]:
    """Return the marks of a slider [s]: its ends with labels, and when something happened."""
    times = sorted({round(event.time / NS, 3) for event in events if 0 < event.time / NS < end})
    return ((0.0, "0"), *times[:: -(-len(times) // MOST_MARKS) or 1], (end, f"{end:g}"))


def event_texts(events: Sequence[Event]) -> dict[str, float]:
    """Return a line for each of the first events, and when it was [s]."""
    lines: dict[str, float] = {}
    for event in events[:MOST_EVENTS]:
        detail = f" {event.detail}" if event.detail else ""
        lines[f"{event.time / NS:.2f} s  {event.robot}: {event_words(event.kind)}{detail}"[:60]] = event.time / NS
    return lines


MOST_EVENTS = 500
"""Events that can be chosen from a list."""
