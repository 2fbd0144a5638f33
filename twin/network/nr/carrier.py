"""One carrier: its cells, its terminals, and the kernel's state, as an object."""

from __future__ import annotations

from collections.abc import Sequence
from math import log10
from typing import NamedTuple

import numpy as np

from twin.errors import RunError
from twin.network.nr import carrier_state as cs
from twin.network.nr import records
from twin.network.nr.arrivals import enter
from twin.network.nr.bandwidth import group_size, resource_blocks
from twin.network.nr.control import pdcch_clear, pucch_misses
from twin.network.nr.grid import make_grid, numerology
from twin.network.nr.interference import cap_power, quality
from twin.network.nr.link_adaptation import SIZES, aggregation_thresholds, thresholds
from twin.network.nr.mac import advance, attach, evict, start_endless
from twin.network.nr.mcs import MCS_TABLES
from twin.network.nr.metric import OWN
from twin.network.nr.own import compiled
from twin.network.nr.persistent import configure
from twin.network.nr.phy import GAP_DB, qam
from twin.network.nr.room import check_room, signals
from twin.network.nr.rows import bearer_rows, class_rows, link_rows
from twin.network.nr.tdd import END, START, SYMBOLS, Grid
from twin.network.topology import noise_dbm
from twin.registry import SCHEDULERS
from twin.specs.nr import CarrierSpec, QosSpec
from twin.state import C128, F64, I64, LinkState
from twin.units import time_text

FIRST_ROWS = 1024
WIDE_SCS = 480e3
"""From here on terminals have 32 HARQ processes: nrofHARQ-ProcessesForPDSCH-v1700, TS 38.214 5.1."""


class Levels(NamedTuple):
    """Powers [dBm] and noise figures [dB] of T terminals and C cells."""

    up_dbm: F64  # (T,)
    down_dbm: F64  # (C,)
    noise_up_db: F64  # (C,)
    noise_down_db: F64  # (T,)


class Carrier:
    """Terminals t have uplink 2 t and downlink 2 t + 1; classes are numbered as in `qos`."""

    def __init__(
        self,
        spec: CarrierSpec,
        qos: Sequence[QosSpec],
        terminals: Sequence[str],
        cells: int,
        seed: int,
        segment_header: int,
        ahead: int,
    ) -> None:
        self.spec, self.qos = spec, qos
        khz = round(spec.scs / 1e3)
        numerology(khz, spec.capability)
        self.prbs = spec.resource_blocks or resource_blocks(spec.frequency, spec.bandwidth, khz)
        self.prb_hz = 12.0 * spec.scs
        self.grid = make_grid(spec)
        self.cces = spec.cces or self.prbs * spec.coreset // 6
        check_room(spec, self.grid, self.prbs, self.cces, segment_header)
        self._wanted = np.full(2 * len(terminals), -1, dtype=np.int64)
        self._shortest = _shortest(self.grid)
        self.refused = 0
        self._changed = False
        self._hold(self._new_state(terminals, cells, seed, segment_header, ahead + self.grid.n2_half))

    def reseed(self, seed: int) -> None:
        """Draw errors by `seed` from now on."""
        self._hold(self.state._replace(config=self.state.config._replace(seed=seed)))

    def want_persistent(self, link: int, q: int) -> None:
        """Ask for a persistent allocation of a link, where its class has one."""
        row = self.state.classes[q]
        if row["configured" if link & 1 == cs.UP else "semi_persistent"] == 0:
            return
        old = self._wanted[link]
        if old < 0 or self.qos[q].priority < self.qos[old].priority:
            self._wanted[link] = q
            self._changed = True

    def reconfigure(self) -> None:
        """Give persistent allocations anew after links or their quality have changed."""
        self._changed = False
        if (self._wanted >= 0).any():
            self.refused = configure(self.handle, self._wanted, self._shortest)

    def measure(self, gain_db: F64, levels: Levels) -> None:
        """Take path gains (T, C)."""
        s, floor = self.state, noise_dbm(self.prb_hz, 0.0)
        s.gain[:] = 10.0 ** (gain_db / 10.0)
        per_prb = levels.down_dbm - 10.0 * np.log10(self.prbs)
        s.ratio[cs.DOWN] = 10.0 ** ((gain_db + per_prb - floor - levels.noise_down_db[:, None]) / 10.0)
        s.ratio[cs.UP] = 10.0 ** ((gain_db + levels.up_dbm[:, None] - floor - levels.noise_up_db) / 10.0)

    def set_beams(self, beams: I64, bursts: int) -> None:
        """Let cells have so many `beams` (C,) each, which SSB are sent through in so many `bursts`."""
        s = self.state
        made = cs.new_beams(len(s.gain), beams, s.load.shape[1])
        self._hold(s._replace(config=s.config._replace(ssb_bursts=bursts), **made))  # type: ignore[arg-type]

    def sound(self, slots: I64, sounders: I64) -> None:
        """Give symbols of downlink slots to sensing; see `State.sounding` (N, 3) and `State.sounders` (C, 2)."""
        self._hold(self.state._replace(sounding=slots, sounders=sounders))

    @property
    def load(self) -> F64:
        """Share of the carrier that each cell (C,) sent in, in its last downlink occasion."""
        s = self.state
        lit = [s.load[s.lit[first : first + n]].sum() for first, n in zip(s.beam_rows, s.cells["lit"], strict=False)]
        return np.asarray(np.minimum(1.0, np.array(lit) / s.load.shape[1]))

    def trace(self, links: LinkState, rows: I64, amplitude: C128 | None = None) -> None:
        """Take the paths of a new trace; `rows` (T, C) of links, -1 for none; other beams than its own by `amplitude`.

        Links of one path are flat; those of several fade over frequency and, by their Doppler, over time.
        """
        known = rows >= 0
        first, last = (np.where(known, links.path_offset[at], 0) for at in (rows, rows + 1))
        if amplitude is None:
            amplitude = np.require(links.path_amplitude, requirements=["C", "W"])  # kernels know no read-only arrays
        others = (links.path_delay, links.path_doppler)
        delay, doppler = (np.require(array, requirements=["C", "W"]) for array in others)
        s = self.state
        s.traced[0], s.fading[:], s.faded_at[:] = links.time, 1.0, -1
        self._hold(s._replace(path_first=first, path_last=last, amplitude=amplitude, delay=delay, doppler=doppler))

    def quality(self, time: int, load: F64, rise: F64, serving: I64) -> tuple[F64, F64]:
        """Return the ratios of uplinks and downlinks at `time`, (T,), see `interference.quality`."""
        up, down = np.empty(len(serving)), np.empty(len(serving))
        quality(self.handle, time, load, rise, serving, up, down)
        return up, down

    def control_power(self, gain_db: F64, noise_up_db: F64, serving: I64) -> None:
        """Cap what terminals send per PRB at P0 + 10 log10(2^mu) + alpha PL: TS 38.213 7.1.1, open loop."""
        if self.spec.p0 is None:
            return
        floor = noise_dbm(self.prb_hz, 0.0)
        rows = np.flatnonzero(serving >= 0)
        rows = rows[np.isfinite(gain_db[rows, serving[rows]])]  # without a path nothing is received, whatever is sent
        gain = gain_db[rows, serving[rows]]
        received = self.spec.p0 + 10.0 * np.log10(self.spec.scs / 15e3) + (1.0 - self.spec.alpha) * gain
        cap_power(self.handle, rows, received - floor - noise_up_db[serving[rows]])

    def set_delay(self, delay: I64) -> None:
        """Take the delays [ns] of the air between terminals and the cells that serve them, (T,).

        Raises:
            RunError: a grant would reach further ahead than can be planned.
        """
        planned = cs.RING // 2 * self.grid.period // self.grid.uplink.shape[1]
        if 2 * int(delay.max(initial=0)) > planned:
            found, most = time_text(int(delay.max())), time_text(planned // 2)
            raise RunError(f"{found} from a terminal to its cell; allowed with this pattern: up to {most}")
        self.state.links["delay"] = np.repeat(delay, 2)

    def access_wanted(self) -> list[int]:
        """Return, and forget, the terminals whose scheduling requests stay unheard."""
        count = int(self.state.counts[cs.ACCESS])
        if not count:
            return []
        self.state.counts[cs.ACCESS] = 0
        wanted: list[int] = self.state.access[:count].tolist()
        return wanted

    @property
    def missed(self) -> tuple[int, int]:
        """How many assignments and grants on PDCCH, and requests and feedback on PUCCH, were missed."""
        return int(self.state.counts[cs.MISSED]), int(self.state.counts[cs.UNHEARD])

    @property
    def outlived(self) -> int:
        """How many times a flow got its next packet only after its survival time."""
        return int(self.state.bearers["outlived"].sum())

    @property
    def preempted(self) -> int:
        """How many times an urgent transmission took resource blocks of a long one."""
        return int(self.state.counts[cs.PREEMPTED])

    @property
    def serving(self) -> I64:
        """Serving cell of each terminal, (T,), -1 where detached."""
        return np.ascontiguousarray(self.state.links["cell"][::2])

    def report(self, up_db: F64, down_db: F64) -> None:
        """Let the base station know what quality terminals see, each (T,); see `LINK`."""
        reported = self.state.links["reported_db"]
        reported[::2], reported[1::2] = up_db, down_db
        self._changed = True

    def attach(self, terminal: int, cell: int, time: int) -> None:
        """Let a terminal be served by `cell`, or by none (-1)."""
        attach(self.handle, terminal, cell, time)
        self._changed = True

    def evict(self, terminal: int, time: int) -> None:
        """Take out all packets that wait for or at a terminal: their fate is MOVED."""
        evict(self.handle, terminal, time)

    def endless(self, link: int, q: int, time: int) -> None:
        """Give a link a full buffer in class `q`."""
        start_endless(self.handle, link, q, time)

    def enter(self, entries: I64, header: int = 0, processed: bool = True) -> I64:
        """Take packets (n, 5) in, see `queues.enter`, and return their rows (n,)."""
        rows = np.empty(len(entries), dtype=np.int64)
        self._make_room(len(entries))
        enter(self.handle, entries, header, processed, rows)
        return rows

    def advance(self, until: int, answering: bool) -> int:
        """Run to `until` or to where an answer could matter; return the time that was reached."""
        if self._changed:
            self.reconfigure()
        return advance(self.handle, until, answering)

    def _make_room(self, count: int) -> None:
        """Double the rows for packets while they don't suffice."""
        s = self.state
        if s.counts[cs.FREE_PACKETS] >= count:
            return
        more = max(len(s.packets), count)
        made = cs.new_pools(len(s.packets) + more, len(s.segments) + more)
        for name in ("packets", "segments", "arrivals", "repeats"):
            made[name][: len(getattr(s, name))] = getattr(s, name)
        for name, entry in (("free_packets", cs.FREE_PACKETS), ("free_segments", cs.FREE_SEGMENTS)):
            old, left = getattr(s, name), int(s.counts[entry])
            made[name][:more] = np.arange(len(old) + more - 1, len(old) - 1, -1)
            made[name][more : more + left] = old[:left]
            s.counts[entry] += more
        self._hold(s._replace(**made))  # type: ignore[arg-type]

    def _hold(self, state: cs.State) -> None:
        self.state, self.handle = state, cs.bind(state)

    def _config(self, seed: int, segment_header: int, ahead: int) -> cs.Config:
        spec, group, scheduler = self.spec, group_size(self.prbs), SCHEDULERS[self.spec.scheduler]
        self._own = None if isinstance(scheduler, int) else compiled(spec.scheduler, scheduler)
        leak = 10.0 ** (-spec.cross_polar / 20.0)
        no_limit = 1 << 40
        return cs.Config(
            seed=seed, prbs=self.prbs, prbs_db=10.0 * float(np.log10(self.prbs)), group=group,
            frequency=spec.frequency, first_hz=0.5 * (group - self.prbs) * self.prb_hz, step_hz=group * self.prb_hz,
            dmrs=spec.dmrs, overhead=spec.overhead, coreset=spec.coreset, layers=spec.layers,
            layer_correlation=2.0 * leak / (1.0 + leak * leak), scheduler=scheduler if self._own is None else OWN,
            own=0 if self._own is None else self._own.address,
            preemption=spec.preemption, incremental=spec.combining == "ir", transmissions=spec.transmissions,
            processes=spec.processes or (32 if spec.scs >= WIDE_SCS else 16), control=spec.control == "real",
            cces=self.cces, levels=min(4, self.cces.bit_length() - 1), grants=spec.grants or no_limit,
            grant_cap=spec.grant_cap or no_limit, gap_period=spec.gap_period, gap_length=spec.gap_length,
            scheduling=spec.lead,
            persistent=any(q.uplink == "configured" or q.downlink == "semi-persistent" for q in self.qos),
            signals=signals(spec, self.grid, self.prbs), sr_period=spec.sr_period, sr_prohibit=spec.sr_prohibit,
            sr_transmissions=spec.sr_transmissions, sr_false_alarm=spec.sr_false_alarm, false_alarm=spec.false_alarm,
            sr_grant=spec.sr_grant,
            segment_header=segment_header, olla_step=spec.olla_step, pf_time=float(spec.pf_time),
            gap=10.0 ** (GAP_DB / 10.0),
            self_interference=10.0 ** (spec.self_interference / 10.0) * (spec.duplex == "full"), ahead=ahead,
            ssb_beams=spec.ssb_beams or 1, ssb_bursts=1,
        )  # fmt: skip

    def _new_state(self, terminals: Sequence[str], cells: int, seed: int, segment_header: int, ahead: int) -> cs.State:
        links, spec = 2 * len(terminals), self.spec
        mcs = np.array(MCS_TABLES[spec.mcs_table], dtype=np.int64)
        classes = class_rows(self.qos, segment_header)
        threshold = np.empty((len(classes), SIZES, mcs.shape[1]))
        thresholds(qam(), mcs, classes["target"], threshold)
        blocks = links * cs.HARQ_PROCESSES
        segments = FIRST_ROWS + blocks
        residues = max(1, int(classes["configured"].sum()), int(classes["semi_persistent"].sum()))
        return cs.State(
            config=self._config(seed, segment_header, ahead), grid=self.grid, qam=qam(), mcs=mcs,
            threshold=threshold,
            aggregation_db=aggregation_thresholds(qam()), pdcch_clear=pdcch_clear(qam()),
            sr_miss=pucch_misses(spec.sr_false_alarm), pucch_miss=pucch_misses(spec.false_alarm), classes=classes,
            bearers=bearer_rows(links, len(classes)), links=link_rows(terminals),
            blocks=records.records(records.BLOCK, blocks), words=np.zeros((blocks, 4)),
            sizes=np.zeros((SYMBOLS + 1, 2, mcs.shape[1], self.prbs + 1), dtype=np.int32),
            spread_db=np.array([10.0 * log10(max(n, 1)) for n in range(self.prbs + 1)]),
            fairness=np.array([1.0, 0.0]),
            counts=np.array([FIRST_ROWS, segments] + [0] * (cs.COUNTS - 2), dtype=np.int64),
            **cs.new_pools(FIRST_ROWS, segments), **cs.new_lists(len(terminals), cells, residues),
            **cs.new_channel(len(terminals), cells, -(-self.prbs // group_size(self.prbs))),
        )  # fmt: skip


def _shortest(grid: Grid) -> I64:
    lengths = [(way[END] - way[START]).min() for way in (grid.uplink, grid.downlink)]
    return np.array([round(int(ns) * SYMBOLS / grid.slot) for ns in lengths], dtype=np.int64)
