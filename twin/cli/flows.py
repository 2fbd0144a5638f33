"""The flows of a run as people read them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from rich.table import Table

from twin.analysis.flow_meter import PARTS
from twin.cli.console import out


def print_flows(flows: Mapping[str, Mapping[str, Any]]) -> None:
    """Print what became of each flow's packets, and where their time went."""
    if not flows:
        return
    _print(("flow, times in ms", "in time", "late", "lost", "p50", "p99", "age", "p99 age", "peak"), [
        (name, f"{flow['pairs_in_time']} of {flow['pairs']}", _share(flow, "late"), _share(flow, "lost"),
         *(_ms(flow[name]) for name in ("latency_p50", "latency_p99", "age_mean", "age_p99", "age_peak")))
        for name, flow in flows.items()
    ])  # fmt: skip
    metered = {name: flow for name, flow in flows.items() if flow["parts"]}
    if metered:
        rows = [(name, *(_ms(flow["parts"][part]) for part in PARTS)) for name, flow in metered.items()]
        _print(("mean time in ms", "core", "align", "grant", "queue", "resent", "air"), rows)
    out.print()
    for name, flow in flows.items():
        if flow["late_or_lost_for"]:
            causes = ", ".join(f"{cause} {count}" for cause, count in flow["late_or_lost_for"].items())
            out.print(f"{name}: late or lost for {causes}", markup=False, highlight=False)


def _print(header: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    table = Table(box=None, pad_edge=False, header_style="dim", padding=(0, 1, 0, 0))
    for i, name in enumerate(header):
        table.add_column(name, justify="right" if i else "left", overflow="fold", no_wrap=i > 0)
    for row in rows:
        table.add_row(*row)
    out.print()
    out.print(table, highlight=False)


def _share(flow: Mapping[str, Any], name: str) -> str:
    return f"{100 * flow[name] / flow['settled']:.3g} %" if flow["settled"] else "-"


def _ms(seconds: float | None) -> str:
    return "-" if seconds is None else f"{1e3 * seconds:.3g}"
