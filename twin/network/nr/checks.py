"""What of a scenario's network can't be meant: refused before anything runs."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from difflib import get_close_matches
from itertools import combinations

from twin.errors import ScenarioError, nearest
from twin.network.nr.band import Band
from twin.specs.nr import NrSpec
from twin.state import COMMAND, TELEMETRY

SLIP = 0.85
"""How much of a name must be that of another one to be taken for a slip."""


def check_names(key: str, found: Iterable[str], names: Sequence[str]) -> None:
    """Refuse names that no robot has.

    Raises:
        ScenarioError: there is no such robot.
    """
    for name in found:
        if name not in names:
            raise ScenarioError(f"no robot {name!r}{nearest(name, names)}", key=f"network.{key}")


def check_kinds(spec: NrSpec) -> None:
    """Refuse classes of service whose names are those of packets but for a slip.

    Controllers name kinds of their own while they run: what nobody has sent is counted.

    Raises:
        ScenarioError: a kind that nobody sends, and nearly one that somebody does.
    """
    known = {"default", TELEMETRY, COMMAND, *(load.qos for load in spec.background)}
    for kind in set(spec.qos) - known:
        if get_close_matches(kind, known, n=1, cutoff=SLIP):
            message = f"nobody sends packets of the kind {kind!r}{nearest(kind, known)}"
            raise ScenarioError(message, key=f"network.qos.{kind}")


def check_spectrum(bands: Sequence[Band]) -> None:
    """Refuse carriers that overlap: what one sends would be heard in the other.

    Raises:
        ScenarioError: two carriers share some of their spectrum.
    """
    for one, other in combinations(bands, 2):
        widths = [band.carrier.prbs * band.carrier.prb_hz for band in (one, other)]
        apart = abs(one.carrier.spec.frequency - other.carrier.spec.frequency)
        if apart < sum(widths) / 2:
            message = f"carriers at {one.carrier.spec.frequency / 1e9:g} and {other.carrier.spec.frequency / 1e9:g} GHz"
            least = sum(widths) / 2e6
            message += f" overlap: they are {apart / 1e6:g} MHz apart; allowed: {least:g} MHz or more, or one carrier"
            raise ScenarioError(f"{message} that both share", key="network.carriers")
