"""What targets send back: products of two traced legs, from a transmitter to a target and on to a receiver.

A target is a passive radio on its body, in two polarisations, so that the links of a trace are its legs: no search and
no field is new. By reciprocity a leg is that of a receiver as well.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from twin.channel.rcs import Scatterers
from twin.link import Radio
from twin.specs import AntennaSpec
from twin.state import C128, F64, I32, I64, BodyState, Bool, TracedLinks

_POLARISATIONS = (AntennaSpec(slant=0.0), AntennaSpec(slant=0.5 * np.pi))
"""Of the two radios of a target: theta and phi about z of its body."""


def target_radios(first: int, bodies: Sequence[tuple[int, int]], carrier: float) -> list[Radio]:
    """Return two passive radios a target, theta before phi, counted from `first`.

    `bodies` are (owner, body) of each target: links with radios of its owner are left out, and its own hull isn't in
    the way.
    """
    return [
        Radio(first + 2 * t + p, owner, body, (0.0, 0.0, 0.0), carrier, antenna=antenna)
        for t, (owner, body) in enumerate(bodies)
        for p, antenna in enumerate(_POLARISATIONS)
    ]


class Legs(NamedTuple):
    """P paths between S sites and T targets, those of one pair one after another."""

    first: I64  # (S, T) row of the first path
    paths: I64  # (S, T) how many
    field: C128  # (P, 2) theta and phi at the target, of a unit wave from one element of the site's array
    delay: F64  # (P,) s
    doppler: F64  # (P,) Hz
    departure: F64  # (P, 3) unit vector from the site, world axes
    arrival: F64  # (P, 3) unit vector from the target towards the wave's origin, world axes
    phase: F64  # (P, 2) rad, between rows and between columns of the site's array
    bounces: I32  # (P,) interactions on the way


class Returns(NamedTuple):
    """M returns, in the order of pairs, targets, and paths out and back."""

    pair: I64  # (M,) row of the pairs (transmitter, receiver)
    target: I64  # (M,)
    legs: I64  # (M, 2) path out, path back
    amplitude: C128  # (M,) between single elements of the two arrays
    delay: F64  # (M,) s
    doppler: F64  # (M,) Hz
    phase: F64  # (2, M, 2) rad, between rows and between columns of the transmitter's and of the receiver's array
    arrival: F64  # (M, 3) unit vector from the receiver towards the wave's origin, world axes
    rcs_db: F64  # (M,) dBsm
    bounces: I32  # (M,) interactions of both legs but for the target


def legs_of(links: TracedLinks, sites: Sequence[int], targets: Sequence[int]) -> Legs:
    """Return the legs between radios `sites` and targets, of which `targets` are the first radios.

    The radios of targets must come after those of sites, and no path may have been dropped of `links`.
    """
    row = {pair: i for i, pair in enumerate(zip(links.a.tolist(), links.b.tolist(), strict=True))}
    shape = (len(sites), len(targets))
    theta = np.array([[row.get((s, t), -1) for t in targets] for s in sites], dtype=np.int64).reshape(shape)
    phi = np.array([[row.get((s, t + 1), -1) for t in targets] for s in sites], dtype=np.int64).reshape(shape)
    count = np.where(theta < 0, 0, np.diff(links.path_offset)[theta])
    first, across = links.path_offset[theta], links.path_offset[phi]
    ends = np.concatenate([[0], np.cumsum(count)])
    within = np.arange(ends[-1]) - np.repeat(ends[:-1], count.ravel())
    of_theta = np.repeat(first.ravel(), count.ravel()) + within
    of_phi = np.repeat(across.ravel(), count.ravel()) + within
    return Legs(
        ends[:-1].reshape(shape), count, np.column_stack([links.path_element[of_theta], links.path_element[of_phi]]),
        links.path_delay[of_theta], links.path_doppler[of_theta], links.path_departure[of_theta],
        links.path_arrival[of_theta], links.path_phase[0, of_theta], links.path_length[of_theta],
    )  # fmt: skip


def returns_of(
    legs: Legs, pairs: I64, targets: Scatterers, turn: F64, wavelength: float, floor_db: float = 60.0
) -> Returns:
    """Return what the targets send back for `pairs` (K, 2) of sites, transmitter and receiver.

    `turn` (T, 3, 3) leads from body to world axes. The amplitude is the product of both legs and the polarisation
    matrix, times sqrt(4 pi sigma) / lambda (TR 38.901, equation 7.9.4-14). Pairs of legs whose product is `floor_db`
    below the strongest one of their target are left out.
    """
    pair, target, out, back = _combinations(legs, pairs)
    power = (np.abs(legs.field) ** 2).sum(axis=1)
    kept = _strong(power[out] * power[back], pair * legs.paths.shape[1] + target, floor_db)
    pair, target, out, back = pair[kept], target[kept], out[kept], back[kept]
    incident = np.einsum("mji,mj->mi", turn[target], legs.arrival[out])
    scattered = np.einsum("mji,mj->mi", turn[target], legs.arrival[back])
    level, matrix = targets.matrices(target, incident, scattered)
    product = np.einsum("mi,mij,mj->m", legs.field[back], matrix, legs.field[out])
    return Returns(
        pair, target, np.column_stack([out, back]),
        product * (np.sqrt(4.0 * np.pi) * 10.0 ** (level / 20.0) / wavelength),
        legs.delay[out] + legs.delay[back], legs.doppler[out] + legs.doppler[back],
        np.stack([legs.phase[out], legs.phase[back]]), legs.departure[back], level,
        legs.bounces[out] + legs.bounces[back],
    )  # fmt: skip


def _combinations(legs: Legs, pairs: I64) -> tuple[I64, I64, I64, I64]:
    """Return pair, target, path out and path back of all combinations of legs."""
    sent, heard = pairs[:, 0], pairs[:, 1]
    across = legs.paths[heard].ravel()
    count = legs.paths[sent].ravel() * across
    group = np.repeat(np.arange(len(count)), count)
    k = np.arange(len(group)) - np.repeat(np.cumsum(count) - count, count)
    out = legs.first[sent].ravel()[group] + k // across[group]
    back = legs.first[heard].ravel()[group] + k % across[group]
    pair, target = np.divmod(group, max(1, legs.paths.shape[1]))
    return pair, target, out, back


def _strong(power: F64, group: I64, floor_db: float) -> Bool:
    most = np.zeros(int(group.max(initial=-1)) + 1)
    np.maximum.at(most, group, power)
    return np.asarray((power > 0.0) & (power >= most[group] * 10.0 ** (-floor_db / 10.0)))


def body_axes(bodies: BodyState, rows: I64) -> F64:
    """Return the axes (T, 3, 3) of bodies `rows` (T,), body to world."""
    x, y, z, w = bodies.orientation[rows].T
    return np.stack([
        np.stack([1.0 - 2.0 * (y * y + z * z), 2.0 * (x * y - z * w), 2.0 * (x * z + y * w)], axis=-1),
        np.stack([2.0 * (x * y + z * w), 1.0 - 2.0 * (x * x + z * z), 2.0 * (y * z - x * w)], axis=-1),
        np.stack([2.0 * (x * z - y * w), 2.0 * (y * z + x * w), 1.0 - 2.0 * (x * x + y * y)], axis=-1),
    ], axis=-2)  # fmt: skip
