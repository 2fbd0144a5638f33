"""How many there are of what: robots, base stations, edge servers, counted apart."""

from __future__ import annotations

from twin.recording.schema import Header


def census(header: Header) -> str:
    """Return such as "4 robots, 2 base stations, 1 edge server": with a body, with a radio alone, with neither."""
    radios = {radio.owner for radio in header.radios}
    bodies = sum(node.body >= 0 for node in header.robots)
    masts = sum(node.body < 0 and i in radios for i, node in enumerate(header.robots))
    counts = ((bodies, "robot"), (masts, "base station"), (len(header.robots) - bodies - masts, "edge server"))
    return ", ".join(f"{n} {what}{'' if n == 1 else 's'}" for n, what in counts if n) or "nobody"
