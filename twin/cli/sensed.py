"""What base stations saw, as people read it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from rich.table import Table

from twin.analysis.sensed import LEVELS
from twin.cli.console import out
from twin.specs.figures import SENSING_FIGURES


def print_sensed(found: Mapping[str, Any]) -> None:
    """Print the figures of a run, then its pairs of sites."""
    figures = found["figures"]
    table = Table(box=None, pad_edge=False, show_header=False, padding=(0, 2, 0, 0))
    for name, figure in SENSING_FIGURES.items():
        table.add_row(figure.label, figure.shown(figures.get(name)))
    out.print(table, highlight=False)
    pairs = Table(box=None, pad_edge=False, header_style="dim", padding=(0, 1, 0, 0))
    titles = ("sender", "receiver", "CPIs", "detections", "by walls", "noise", "noise dBm", "clutter dB", "threshold")
    for i, title in enumerate(titles):
        pairs.add_column(title, justify="right" if i > 1 else "left")
    for row in found["pairs"]:
        levels = ("-" if row[name] is None else f"{row[name]:.1f}" for name in LEVELS)
        counts = (str(row[name]) for name in ("cpis", "detections", "ghosts", "noise"))
        pairs.add_row(row["transmitter"], row["receiver"], *counts, *levels)
    out.print()
    out.print(pairs, highlight=False)
