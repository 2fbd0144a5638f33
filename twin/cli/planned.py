"""How `twin plan` shows what it found."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from rich.table import Table
from rich.text import Text

from twin.cli.console import out, say

_LISTED = 5


def show(found: dict[str, Any], folder: Path) -> None:
    """Print what plans.json holds."""
    counts = ", ".join(f"{count} {kind}" for kind, count in found["candidates"].items())
    _line(f"{counts} as candidates for {found['robots']} robots over {found['duration_s']:g} s")
    _line("")
    out.print(_table(found))
    first = (found["ranking"] or [found["plans"][0]["name"]])[0]
    best = next(plan for plan in found["plans"] if plan["name"] == first)
    _line("")
    _sites(best, found["currency"])
    _line("")
    for text in _reasons(found, best):
        _line(text)
    fit = found["fit"]
    if fit is not None:
        rank = "" if fit["rank"] is None else f", ranks correlate by {fit['rank']:.2f}"
        other = f"; with threshold = {fit['best']:g} dB it would have been {fit['best_error']:.1f} s"
        say(f"the prediction was {fit['error']:.1f} s off on average{rank}{other * (fit['best'] != fit['threshold'])}",
            "dim")  # fmt: skip
    _line(f"plans, map and front in {folder}")


def _line(text: str) -> None:
    out.print(Text(text), soft_wrap=False)


def money(value: float) -> str:
    """Return an amount with its thousands apart."""
    return f"{value:,.0f}".replace(",", " ")


def _table(found: dict[str, Any]) -> Table:
    """Return a row a plan: the best first, as runs rank them where there are some."""
    rank = {name: place for place, name in enumerate(found["ranking"])}
    plans = sorted(found["plans"], key=lambda plan: rank.get(plan["name"], len(rank)))
    table = Table(box=None, header_style="dim", padding=(0, 2, 0, 0))
    header = ["", "sites", found["currency"], "in control", "lost"]
    if rank:
        header += ["failsafe in runs", "requirements"]
    for number, name in enumerate(header):
        table.add_column(name, justify="left" if number in (0, 1, 6) else "right", no_wrap=number != 1)
    for plan in plans:
        worst = max(plan["lost_s"].values())
        cells = [plan["name"], " ".join(site["name"] for site in plan["sites"]), money(plan["cost"]),
                 f"{100 * plan['in_control']:.2f} %", f"{worst:.1f} s"]  # fmt: skip
        if rank:
            cells += _judged(plan["runs"])
        table.add_row(*map(Text, cells))
    return table


def _judged(runs: dict[str, Any] | None) -> list[str]:
    if runs is None:
        return ["", "not simulated"]
    known = ["died" if value is None else f"{value:.1f}" for value in runs["failsafe_s"]]
    answers = list(dict.fromkeys(runs["answers"]))
    return [f"{' '.join(known)} s", ", ".join(answers)]


def _sites(plan: dict[str, Any], currency: str) -> None:
    parts = ", ".join(f"{name} {money(value)}" for name, value in sorted(plan["cost_parts"].items()))
    spectrum = "; ".join(f"{name} {c['bandwidth_hz'] / 1e6:g} MHz {c['pattern']}"
                         for name, c in plan["spectrum"].items())  # fmt: skip
    _line(f"{plan['name']}: {spectrum}; {currency}: {parts or 'nothing'}")
    for site in plan["sites"]:
        at = ", ".join(f"{x:.0f}" for x in site["place"])
        gone = site["without_it_lost"]
        lost = f", {_some(gone)} lost" if gone else ""
        _line(f"  {site['name']} ({at}) m{' stands' if site['stands'] else ''}: "
              f"without it {site['without_it_s']:.1f} s less control{lost}")  # fmt: skip


def _some(names: Sequence[str]) -> str:
    shown = ", ".join(names[:_LISTED])
    return f"{shown} and {len(names) - _LISTED} more" if len(names) > _LISTED else shown


def _reasons(found: dict[str, Any], best: dict[str, Any]) -> list[str]:
    """Return what breaks first, what would mend it, and what can't be mended."""
    currency, said = found["currency"], []
    lost, whole = best["first_lost"], found["nobody_lost_costs"]
    if lost is not None:
        at = ", ".join(f"{x:.0f}" for x in lost["place"])
        need = f"to lose nobody takes {money(whole)} {currency}; " if whole is not None else ""
        who = f"{lost['robot']} at {lost['time_s']:.1f} s at ({at}) m"
        said.append(f"{need}first lost for {money(best['cost'])}: {who}")
    for gap in found["lost_at_any_budget"][:1]:
        at = ", ".join(f"{x:.0f}" for x in gap["place"])
        said.append(f"no candidate serves {gap['robot']} at {gap['time_s']:.1f} s at ({at}) m: lost at any cost")
    if (further := best["best_next"]) is not None:
        said.append(f"best next: {further['radio']} buys {further['buys_s']:.1f} s for {money(further['cost'])} "
                    f"{currency} more")  # fmt: skip
    elif best["first_lost"] is None:
        said.append("nothing more buys any control")
    busy = best["busiest"]
    if busy["load"] > 1.0:
        said.append(f"{busy['site']} has {busy['load']:.1f} times the load that it can carry {busy['direction']} at "
                    f"{busy['time_s']:g} s")  # fmt: skip
    if not best["proven"]:
        said.append("the search was stopped: there may be better plans")
    return said
