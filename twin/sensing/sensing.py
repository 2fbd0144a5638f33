"""Base stations that see: once in each refresh a CPI, its returns by one trace, its detections as a packet."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import NamedTuple, Protocol

import numpy as np

from twin.channel.rcs import Scatterers
from twin.channel.returns import Returns, body_axes, legs_of, returns_of
from twin.network.nr.pulses import Pulses
from twin.network.topology import noise_dbm
from twin.scan import Cpi, Scan
from twin.sensing.detection import threshold
from twin.sensing.frontend import FrontEnd
from twin.sensing.measuring import Detections
from twin.state import F64, I64, BodyState, Packet, TracedLinks

DETECTIONS = "detections"
"""Kind of the packets from cells."""
_HEADER, _EACH = 24, 32
"""Bytes of a packet, and of each detection in it."""


class Legs(Protocol):
    """The channel between sites and targets."""

    def trace(self, time: int, bodies: BodyState) -> TracedLinks:
        """Return the links for this instant [ns]."""


class Site(NamedTuple):
    """A cell on the carrier, by its row among the radios of the legs."""

    node: int
    place: F64  # (3,) m
    power: float  # mW in a resource element
    noise: float  # mW in a resource element, thermal
    sounder: int  # its turn to sense, -1 for never
    silent: bool  # while others sense


class Targets(NamedTuple):
    """T targets."""

    radios: Sequence[int]  # (T,) first radio of each, among those of the legs
    bodies: I64  # (T,) rows of bodies
    nodes: I64  # (T,)
    scatterers: Scatterers


@dataclass(frozen=True, eq=False)
class Pair:
    """Two of the sites, transmitter and receiver, and what the receiver makes of an echo."""

    sites: tuple[int, int]
    turn: int
    front_end: FrontEnd


class Sensing:
    """All that senses on one carrier."""

    def __init__(
        self, legs: Legs, sites: Sequence[Site], targets: Targets, pairs: Sequence[Pair], pulses: Pulses,
        times: Times, seed: int,
    ) -> None:  # fmt: skip
        """Take what sees whom; `times` say how often, and where results go."""
        self._legs, self._sites, self._targets, self._pairs = legs, sites, targets, pairs
        self._pulses, self._times, self._seed = pulses, times, seed
        self._next = [(pulses.middle(turn), turn) for turn in range(len(pulses.starts))]
        self._sequences: defaultdict[int, int] = defaultdict(int)
        self._told: list[Cpi] = []

    def reseed(self, seed: int) -> None:
        """Draw noise by `seed` from now on; cross-sections stay."""
        self._seed = seed

    def told(self) -> Sequence[Cpi]:
        """Return, and forget, the CPIs since the last call."""
        told, self._told = self._told, []
        return told

    def look(self, time: int, bodies: BodyState) -> list[Packet]:
        """Return the packets with what CPIs saw whose middle was reached at `time` [ns]."""
        due = [turn for middle, turn in self._next if middle <= time]
        if not due:
            return []
        links = self._legs.trace(time, bodies)
        packets = [packet for turn in due for packet in self._sense(time, turn, links, bodies)]
        self._next = [(m + self._times.refresh if turn in due else m, turn) for m, turn in self._next]
        return packets

    def _sense(self, time: int, turn: int, links: TracedLinks, bodies: BodyState) -> list[Packet]:
        number = next(middle for middle, which in self._next if which == turn) // self._times.refresh
        end = number * self._times.refresh + int(self._pulses.last[turn])
        pairs = [pair for pair in self._pairs if pair.turn == turn]
        legs = legs_of(links, range(len(self._sites)), self._targets.radios)
        chosen = np.array([pair.sites for pair in pairs], dtype=np.int64).reshape(-1, 2)
        turned = body_axes(bodies, self._targets.bodies)
        wavelength = self._times.wavelength
        returns = returns_of(legs, chosen, self._targets.scatterers, turned, wavelength)
        packets = []
        for row, pair in enumerate(pairs):
            cpi = self._look(pair, of_pair(returns, row), self._noise(pair, links), number, time)
            self._told.append(cpi)
            packets.append(self._report(cpi, max(end + self._times.processing, time)))
        return packets

    def _look(self, pair: Pair, returns: Returns, noise: float, number: int, time: int) -> Cpi:
        end, waveform = pair.front_end, pair.front_end.waveform
        found = end.look(returns, noise, self._seed, number)
        sender, receiver = (self._sites[site] for site in pair.sites)
        source = (
            np.where(found.source < 0, -1, self._targets.nodes[found.source]) if len(found.source) else found.source
        )
        with np.errstate(divide="ignore"):
            clutter_db = float(10.0 * np.log10(end.clutter_ratio(noise)))
        return Cpi(
            scan=scan_of(end, found, time, (sender.place, receiver.place)),
            transmitter=sender.node, receiver=receiver.node, source=source, bounces=found.bounces,
            noise_dbm=float(10.0 * np.log10(noise)), clutter_db=clutter_db,
            threshold_db=float(10.0 * np.log10(threshold(end.false_alarm))), cells=waveform.cells,
            range_cell=waveform.cell, rate_cell=waveform.rate_cell,
        )  # fmt: skip

    def _noise(self, pair: Pair, links: TracedLinks) -> float:
        """Return what a receiver has in a resource element besides echoes [mW].

        Thermal noise, what is left of its own signal, and the cells that send meanwhile: those that sense by their
        signal, others by their load. They are heard through single elements, the mean over all beams.
        """
        sender, receiver = pair.sites
        noise, loads = self._sites[receiver].noise, self._times.load()
        for row, site in enumerate(self._sites):
            sounds = site.sounder == pair.turn
            share = 1.0 if sounds else 0.0 if site.silent else float(loads[row])
            if row == receiver:
                noise += site.power * self._times.residual * share
            elif row != sender and share > 0.0:
                noise += site.power * share * _gain(links, row, receiver)
        return noise

    def _report(self, cpi: Cpi, created: int) -> Packet:
        source = cpi.receiver
        sequence = self._sequences[source]
        self._sequences[source] += 1
        size = _HEADER + _EACH * len(cpi.scan.range)
        return Packet(source, self._times.report, DETECTIONS, sequence, size, created, cpi.scan.time, cpi.scan)


class Times(NamedTuple):
    """What holds for all sites."""

    refresh: int  # ns
    processing: int  # ns, from the end of a CPI to its packet
    report: int  # node that gets the packets
    wavelength: float  # m
    residual: float  # of the own signal, over its power
    load: Callable[[], F64]  # of the carrier's cells (C,), in their last downlink occasion


def of_pair(returns: Returns, pair: int) -> Returns:
    """Return the returns of one pair."""
    rows = np.flatnonzero(returns.pair == pair)
    columns = {name: getattr(returns, name)[rows] for name in Returns._fields if name != "phase"}
    return Returns(**columns, phase=returns.phase[:, rows])


def scan_of(end: FrontEnd, found: Detections, time: int, places: tuple[F64, F64]) -> Scan:
    """Return detections in metres, metres a second, and directions in the world."""
    waveform, array = end.waveform, end.receiver
    per_sine = 2.0 * np.pi * np.array(array.spacing)
    scale = np.array([waveform.cell, waveform.rate_cell, *(1.0 / per_sine)])
    return Scan(
        time=time, transmitter=places[0], receiver=places[1], axes=array.axes,
        range=found.cells[:, 0] * waveform.cell, rate=-found.cells[:, 1] * waveform.rate_cell,
        direction=array.directions(found.phase), snr_db=10.0 * np.log10(found.snr),
        deviation=found.deviation * scale, ambiguity=0.0 if waveform.staggered else 2.0 * waveform.unambiguous,
    )  # fmt: skip


def element_power(power_dbm: float, subcarriers: int, symbols: int) -> float:
    """Return the power [mW] of a resource element where all power is in one of `symbols` subcarriers, a comb."""
    return float(10.0 ** (power_dbm / 10.0) * symbols / subcarriers)


def element_noise(spacing: float, noise_figure_db: float) -> float:
    """Return the thermal noise [mW] in a resource element."""
    return float(10.0 ** (noise_dbm(spacing, noise_figure_db) / 10.0))


def _gain(links: TracedLinks, one: int, other: int) -> float:
    """Return the power gain between single elements of two radios."""
    row = np.flatnonzero((links.a == min(one, other)) & (links.b == max(one, other)))
    if not len(row):
        return 0.0
    first, last = links.path_offset[row[0]], links.path_offset[row[0] + 1]
    return float((np.abs(links.path_element[first:last]) ** 2).sum())
