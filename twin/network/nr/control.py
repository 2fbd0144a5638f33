"""Control channels that fail: PDCCH by its code, PUCCH by detecting energy. Kernels over `State`.

PDCCH: a message in 2^level control channel elements over the whole carrier (interleaved) is missed with the error
probability of its code word, as data is.

PUCCH format 0 is a sequence of 12 resource elements in one resource block and one symbol, detected without knowing its
phase. With E = 12 g, g the ratio of one element, and a threshold that noise alone exceeds with probability F, it is
missed with probability 1 - Q1(sqrt(2 E), sqrt(-2 ln F)), Q1 Marcum's function: the noncentral chi-square distribution
with 2 degrees of freedom (Proakis, Digital Communications, 2.3). Requests have a threshold of their own: nearly all of
their occasions are empty, and each false one costs a grant. An acknowledgement differs from its opposite by the
sequence: one is taken for the other with probability exp(-E / 2) / 2 (orthogonal signals, 4.5-4).
"""

from __future__ import annotations

import numpy as np
from scipy.stats import ncx2

from twin.network.nr.carrier_state import DOWN, HARQ_PROCESSES, MISSED, UNHEARD, UP, State
from twin.network.nr.interference import downlink_ratio, fade, uplink_power
from twin.network.nr.link_adaptation import DATA_RE_PER_REG, DCI_BITS, REGS_PER_CCE, required_db
from twin.network.nr.phy import Qam, block_error, per_symbol
from twin.numerics.draws import key, uniform
from twin.numerics.kernels import kernel
from twin.state import F64

_PDCCH, _PUCCH, _TAKEN, _ALARM = (key(f"network.control.{name}") for name in ("pdcch", "pucch", "taken", "alarm"))
PUCCH_ELEMENTS = 12.0
ENERGY_STEP, ENERGIES = 0.05, 181
"""Entry i of `State.sr_miss` and `pucch_miss` is for the energy (i ENERGY_STEP)^2; above them nothing is missed."""
CLEAR = 1e-9
"""Error probability that is taken for 0."""
MOST_ENERGY = (ENERGY_STEP * ENERGIES) ** 2
"""From here on nothing is missed, and no acknowledgement taken for its opposite."""
DEEPEST_FADE = 100.0
"""Below the mean of all paths: what is clear by more than that needs no closer look."""


def pdcch_clear(tables: Qam) -> F64:
    """Return the linear ratio above which a PDCCH of each aggregation level is never missed, (5,)."""
    elements = REGS_PER_CCE * DATA_RE_PER_REG
    db = [required_db(tables, 2, DCI_BITS, elements * 2.0**level, CLEAR) for level in range(5)]
    return np.power(10.0, np.array(db) / 10.0)


def pucch_misses(false_alarm: float) -> F64:
    """Return the probability that PUCCH is missed, (ENERGIES,)."""
    energy = (np.arange(ENERGIES) * ENERGY_STEP) ** 2
    missed: F64 = ncx2.cdf(-2.0 * np.log(false_alarm), 2, np.maximum(2.0 * energy, 1e-12))
    return missed


@kernel
def pdcch_error(s: State, level: int, ratio: float) -> float:
    """Return the probability that a message at a linear ratio is missed."""
    elements = REGS_PER_CCE * DATA_RE_PER_REG * 2.0**level
    capacity, dispersion = per_symbol(s.qam, 2, ratio / s.config.gap)
    return float(block_error(DCI_BITS, elements, elements * capacity, elements * dispersion))


@kernel
def _pdcch_ratio(s: State, terminal: int, cell: int, time: int) -> float:
    """Return the flat ratio of the same mean log2(1 + ratio) over the carrier."""
    flat = s.path_last[terminal, cell] - s.path_first[terminal, cell] < 2
    if flat and s.cells.size == 1:
        return float(s.ratio[DOWN, terminal, cell])
    mean, before, log = 0.0, -1.0, 0.0
    groups = s.load.shape[1]
    for g in range(groups):
        ratio = downlink_ratio(s, terminal, cell, g, time)
        if ratio != before:
            before, log = ratio, np.log1p(ratio)
        mean += log / groups
    return float(np.expm1(mean))


@kernel
def misses_pdcch(s: State, h: int, time: int) -> bool:
    """Tell whether a terminal misses the assignment or grant of a block, sent at `time` [ns]."""
    link, level = h // HARQ_PROCESSES, s.blocks[h].level
    if not s.config.control:
        return False
    ratio = _pdcch_ratio(s, link >> 1, s.blocks[h].cell, time)
    if ratio >= s.pdcch_clear[level]:
        return False
    missed = _draw(s, _PDCCH, link) < pdcch_error(s, level, ratio)
    if missed:
        s.counts[MISSED] += 1
    return bool(missed)


@kernel
def pucch_energy(s: State, link: int, time: int) -> float:
    """Return the energy to noise of a terminal's PUCCH, which hops between the edges of the carrier."""
    terminal, cell = link >> 1, s.links[link].cell
    mean = PUCCH_ELEMENTS * s.ratio[UP, terminal, cell] * uplink_power(s, terminal, cell, 1)
    if mean > DEEPEST_FADE * MOST_ENERGY:
        return float(mean)
    fade(s, terminal, cell, time)
    last = s.fading.shape[2] - 1
    return float(0.5 * mean * (s.fading[terminal, cell, 0] + s.fading[terminal, cell, last]))


@kernel
def _missed(misses: F64, energy: float) -> float:
    """Return the probability that PUCCH is missed, from its table (ENERGIES,)."""
    if energy >= MOST_ENERGY:
        return 0.0
    place = np.sqrt(energy) / ENERGY_STEP
    i = int(place)
    if i >= ENERGIES - 1:
        return 0.0
    return float(misses[i] + (place - i) * (misses[i + 1] - misses[i]))


@kernel
def misses_pucch(s: State, link: int, time: int) -> bool:
    """Tell whether the base station misses a scheduling request."""
    if not s.config.control:
        return False
    probability = _missed(s.sr_miss, pucch_energy(s, link, time))
    missed = probability > CLEAR and _draw(s, _PUCCH, link) < probability
    if missed:
        s.counts[UNHEARD] += 1
    return bool(missed)


@kernel
def acknowledged(s: State, h: int, good: bool, time: int) -> bool:
    """Tell whether the base station takes the feedback to a downlink block for an acknowledgement.

    It may miss one and send again, take a refusal for one, or hear one where the terminal sent nothing, because it
    missed the assignment; then the block is lost.
    """
    link = h // HARQ_PROCESSES
    if not s.config.control:
        return good
    if s.blocks[h].missed == 1:
        return bool(_draw(s, _TAKEN, link) < s.config.false_alarm)
    energy = pucch_energy(s, link, time)
    if energy >= MOST_ENERGY:
        return good
    swapped = 0.5 * np.exp(-0.5 * energy)
    probability = _missed(s.pucch_miss, energy) + swapped if good else swapped
    if probability < CLEAR:
        return good
    other = _draw(s, _PUCCH, link) < probability
    if other and good:
        s.counts[UNHEARD] += 1
    return bool(good != other)


@kernel
def occasions_to_alarm(s: State, link: int) -> int:
    """Return after how many of its occasions the next false alarm of a scheduling request comes."""
    return int(1.0 + np.log(_draw(s, _ALARM, link)) / np.log1p(-s.config.sr_false_alarm))


@kernel
def _draw(s: State, stream: np.uint64, link: int) -> float:
    number = s.links[link].controls
    s.links[link].controls = number + 1
    return uniform(s.config.seed, stream, s.links[link].key, number, link & 1)
