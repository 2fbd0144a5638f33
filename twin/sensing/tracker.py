"""Tracks of what base stations detect: an extended Kalman filter each, gated, assigned, confirmed, merged.

Y. Bar-Shalom, P. Willett, X. Tian, Tracking and Data Fusion, 2011: nearly constant velocity (white acceleration),
global nearest neighbour, M hits to confirm. The filter resolves the ambiguity of rates: it knows where a track was.
Robots that report where they are have tracks of their name; what flies without a word stays unknown.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from pydantic import Field
from scipy.optimize import linear_sum_assignment
from scipy.stats import chi2

from twin.clock import NS
from twin.numerics.bistatic import places
from twin.scan import Scan
from twin.sensing.measurement import expected, measured, unwrapped
from twin.sensing.reports import Report, Reported, Reports, moved
from twin.specs.base import Spec
from twin.state import F64, I64, Bool
from twin.units import Metres, Seconds, Speed

_UNKNOWN = 1e6
"""Variance [m2/s2] of a rate that isn't used."""


class TrackerSpec(Spec):
    """How tracks are kept."""

    agility: float = Field(default=4.0, gt=0)  # m2/s3, density of the acceleration's noise
    speed: Speed = Field(default=15.0, gt=0)  # standard deviation of a new track's velocity, per axis
    gate: float = Field(default=0.999, gt=0.5, lt=1)  # share of a track's own detections that its gate holds
    hits: int = Field(default=4, ge=1)  # detections until a track is confirmed
    tentative: Seconds = Field(default=0.4, gt=0)  # without a detection, until a track is dropped that isn't
    coast: Seconds = Field(default=1.0, gt=0)  # and one that is
    extent: Metres = Field(default=0.3, ge=0)  # deviation of a body's echo from its centre
    merge: Metres = Field(default=5.0, ge=0)  # between tracks that are one


class Tracks(NamedTuple):
    """n tracks."""

    number: I64  # (n,) of each, never given again
    identity: NDArray[np.str_]  # (n,) robot that says that it is there; empty: unknown
    state: F64  # (n, 6) m, m/s
    covariance: F64  # (n, 6, 6)
    hits: I64  # (n,)
    born: I64  # (n,) ns
    seen: I64  # (n,) ns, last detection

    def at(self, rows: I64 | Bool) -> Tracks:
        """Return some of them."""
        return Tracks._make(column[rows] for column in self)


class Tracked(NamedTuple):
    """What a tracker tells of n confirmed tracks."""

    time: int  # ns, of the newest scan in them
    number: I64  # (n,)
    identity: NDArray[np.str_]  # (n,) robot that says that it is there; empty: unknown
    state: F64  # (n, 6) m, m/s
    covariance: F64  # (n, 6, 6)


class Tracker:
    """Keeps the tracks of one place; `update` with each scan, in the order in which they arrive."""

    def __init__(self, spec: TrackerSpec | None = None) -> None:
        self.spec = spec or TrackerSpec()
        none = np.zeros(0, dtype=np.int64)
        nobody = np.zeros(0, dtype=np.str_)
        self.tracks = Tracks(none, nobody, np.zeros((0, 6)), np.zeros((0, 6, 6)), none, none, none)
        self.time, self.late, self._given = 0, 0, 0
        self._limit, self._wide = (float(chi2.ppf(self.spec.gate, k)) for k in (4, 6))
        self._reports = Reports(self.spec.agility)

    @property
    def confirmed(self) -> Tracks:
        """Those with enough detections."""
        return self.tracks.at(self.tracks.hits >= self.spec.hits)

    def update(self, scan: Scan) -> None:
        """Take a scan in; one that is older than what is known already is counted as `late` and left out."""
        if scan.time < self.time:
            self.late += 1
            return
        self._predict(scan.time)
        self._fuse(self._reports.taken(scan.time))
        taken = self._correct(scan)
        self._begin(scan, ~taken)
        self._drop()
        self._merge()

    def hear(self, report: Report) -> None:
        """Take in what a robot says of itself, with the next scan that isn't older."""
        self._reports.hear(report)

    def _predict(self, time: int) -> None:
        dt, tracks = (time - self.time) / NS, self.tracks
        self.time = time
        if dt > 0.0 and len(tracks.number):
            state, covariance = moved(tracks.state, tracks.covariance, dt, self.spec.agility)
            self.tracks = tracks._replace(state=state, covariance=covariance)

    def _fuse(self, said: Reported) -> None:
        """Correct the tracks of robots by what they say.

        One that is too far from it was another's, and is unknown from now on. Who has no track takes the nearest
        unknown one that can be his, else a new one, confirmed from the start.
        """
        if not len(said.name):
            return
        names = {name: row for row, name in enumerate(self.tracks.identity.tolist()) if name}
        rows = np.array([names.get(name, -1) for name in said.name.tolist()], dtype=np.int64)
        identity = self.tracks.identity.astype(object)
        for k in range(len(rows)):
            if rows[k] < 0 or self._apart(said, k, rows[k : k + 1])[0] > self._wide:
                if rows[k] >= 0:
                    identity[rows[k]] = ""
                unknown = np.flatnonzero(identity == "")
                distance = self._apart(said, k, unknown)
                near = len(unknown) > 0 and distance.min() < self._wide
                rows[k] = unknown[distance.argmin()] if near else -1
                if near:
                    identity[rows[k]] = said.name[k]
        self.tracks = self.tracks._replace(identity=identity.astype(np.str_))
        old, new = np.flatnonzero(rows >= 0), np.flatnonzero(rows < 0)
        slope = np.broadcast_to(np.eye(6), (len(old), 6, 6))
        total = self.tracks.covariance[rows[old]] + said.covariance[old]
        self._filter(slope, total, said.state[old] - self.tracks.state[rows[old]], rows[old], self.time)
        self._add(said.name[new], said.state[new], said.covariance[new], self.spec.hits)

    def _apart(self, said: Reported, k: int, rows: I64) -> F64:
        """Return the squared distances (n,), in deviations, of what robot `k` says from tracks."""
        off = said.state[k] - self.tracks.state[rows]
        total = self.tracks.covariance[rows] + said.covariance[k]
        return np.asarray((off * np.linalg.solve(total, off[..., None])[..., 0]).sum(axis=1))

    def _noise(self, scan: Scan) -> F64:
        """Return the variances (n, 4) of a scan's measurements, with what the body's extent adds."""
        extent = self.spec.extent / np.maximum(scan.range, 1.0)
        more = np.stack([np.full(len(extent), self.spec.extent), np.zeros(len(extent)), extent, extent], axis=1)
        return np.asarray(scan.deviation**2 + more**2)

    def _correct(self, scan: Scan) -> Bool:
        """Give detections to tracks, at the least sum of distances; return which detections were taken."""
        taken, tracks = np.zeros(len(scan.range), dtype=bool), self.tracks
        if not len(tracks.number) or not len(taken):
            return taken
        there, noise = expected(scan, tracks.state), self._noise(scan)
        off = measured(scan)[None] - there.value[:, None]
        off[..., 1] = unwrapped(off[..., 1], scan.ambiguity)
        spread = np.einsum("nij,njk,nlk->nil", there.slope, tracks.covariance, there.slope)
        total = spread[:, None] + noise[None, :, :, None] * np.eye(4)
        total[..., 1, 1] += np.where(_is_ambiguous(spread[:, 1, 1], scan.ambiguity), _UNKNOWN, 0.0)[:, None]
        distance = np.einsum("nmi,nmi->nm", off, np.linalg.solve(total, off[..., None])[..., 0])
        cost = distance + np.linalg.slogdet(total)[1]
        within = distance < self._limit
        least = cost[within].min(initial=0.0)
        # Staying without a detection costs as much for any track; what is out of the gate more than all that.
        rows, columns = linear_sum_assignment(np.where(within, cost - least - self._limit - 100.0, 0.0))
        pairs = within[rows, columns]
        rows, columns = rows[pairs], columns[pairs]
        self._filter(there.slope[rows], total[rows, columns], off[rows, columns], rows, scan.time)
        taken[columns] = True
        taken |= within.any(axis=0)
        return taken

    def _filter(self, slope: F64, total: F64, off: F64, rows: I64, time: int) -> None:
        tracks = self.tracks
        state, covariance = tracks.state.copy(), tracks.covariance.copy()
        hits, seen = tracks.hits.copy(), tracks.seen.copy()
        gain = np.linalg.solve(total, slope @ covariance[rows]).transpose(0, 2, 1)
        state[rows] += np.einsum("nij,nj->ni", gain, off)
        left = covariance[rows] - gain @ total @ gain.transpose(0, 2, 1)
        covariance[rows] = 0.5 * (left + left.transpose(0, 2, 1))
        hits[rows] += 1
        seen[rows] = time
        self.tracks = tracks._replace(state=state, covariance=covariance, hits=hits, seen=seen)

    def _begin(self, scan: Scan, free: Bool) -> None:
        """Begin a track at each detection that is in no track's gate, moving as it was measured."""
        rows = np.flatnonzero(free)
        if not len(rows):
            return
        at = places(scan)[rows]
        state = np.concatenate([at, np.zeros((len(rows), 3))], axis=1)
        there = expected(scan, state)
        along = there.slope[:, 1, 3:]
        size = np.maximum((along * along).sum(axis=1), 1e-6)
        noise = self._noise(scan)[rows]
        prior = np.zeros((len(rows), 6, 6))
        prior[:, :3, :3] = self._place_covariance(there.slope[:, [0, 2, 3], :3], noise[:, [0, 2, 3]])
        known = 0.0 if _is_ambiguous(np.array([self.spec.speed**2]), scan.ambiguity)[0] else 1.0
        state[:, 3:] = known * along * (scan.rate[rows] / size)[:, None]
        across = np.eye(3) - known * along[:, :, None] * along[:, None, :] / size[:, None, None]
        prior[:, 3:, 3:] = self.spec.speed**2 * across + 1.0 * np.eye(3)
        self._add(np.full(len(rows), "", dtype=np.str_), state, prior, 1)

    def _add(self, identity: NDArray[np.str_], state: F64, covariance: F64, hits: int) -> None:
        n = len(state)
        new, now = np.arange(self._given, self._given + n), np.full(n, self.time, dtype=np.int64)
        self._given += n
        added = Tracks(new, identity, state, covariance, np.full(n, hits, dtype=np.int64), now, now)
        self.tracks = Tracks._make(np.concatenate([self.tracks[k], added[k]]) for k in range(len(added)))

    @staticmethod
    def _place_covariance(slope: F64, variance: F64) -> F64:
        """Return the covariance (n, 3, 3) of places by range and two sines, by their slopes (n, 3, 3)."""
        information = np.einsum("nki,nk,nkj->nij", slope, 1.0 / np.maximum(variance, 1e-12), slope)
        return np.asarray(np.linalg.inv(information + 1e-9 * np.eye(3)))

    def _drop(self) -> None:
        since = (self.time - self.tracks.seen) / NS
        patience = np.where(self.tracks.hits >= self.spec.hits, self.spec.coast, self.spec.tentative)
        self.tracks = self.tracks.at(since <= patience)

    def _merge(self) -> None:
        """Of tracks at one place those of robots stay, or else the one with most detections."""
        tracks = self.tracks
        known = tracks.identity != ""
        order = np.lexsort((tracks.number, -tracks.hits, ~known))
        kept: list[int] = []
        for row in order.tolist():
            near = np.linalg.norm(tracks.state[kept, :3] - tracks.state[row, :3], axis=1) < self.spec.merge
            if known[row] or not (near & (tracks.hits[kept] >= self.spec.hits)).any():
                kept.append(row)
        self.tracks = tracks.at(np.array(sorted(kept), dtype=np.int64))


def _is_ambiguous(variance: F64, ambiguity: float) -> Bool:
    """Tell whether rates of such variances (n,) [m2/s2] may be off by a multiple of `ambiguity` [m/s], 0 for none."""
    return np.asarray((ambiguity > 0.0) & (np.sqrt(variance) > ambiguity / 6.0))
