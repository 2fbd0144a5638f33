"""Free space with line of sight through the world: the simplest channel, and the oracle of the others."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np

from twin.channel.fields.sea import SeaSurface, lines_over_sea
from twin.channel.radios import Radios
from twin.link import SPEED_OF_LIGHT, Radio
from twin.numerics.kernels import kernel
from twin.state import C128, F64, I32, BodyState, Bool, LinkState
from twin.world.bvh import Bvh, occluded_pairs


class FreeSpace:
    """Friis' law for every pair of radios; a path that the world blocks loses `blockage_loss_db`.

    Nearer than wavelength / (4 pi) Friis' law would give a gain above 0 dB: the amplitude stays at its value
    there, and `counts` says how many links at how many traces that happened to. `peers`: see `Radios`.
    """

    def __init__(
        self, radios: Sequence[Radio], bvh: Bvh | None = None, blockage_loss_db: float = 25.0,
        sea: SeaSurface | None = None, peers: bool | None = None,
    ) -> None:  # fmt: skip
        self.radios = Radios(radios, peers)
        self.bvh, self.sea = bvh, sea
        self.blockage_loss_db = blockage_loss_db
        self._clipped = 0

    @property
    def counts(self) -> Mapping[str, int]:
        """Links nearer than that, summed over traces."""
        return {"links_clipped_at_0_db": self._clipped} if self._clipped else {}

    def trace(self, time: int, bodies: BodyState) -> LinkState:
        """Return one path a link at `time` [ns].

        Raises:
            RunError: a radio's position or velocity isn't a finite number.
        """
        radios = self.radios
        a, b = radios.a, radios.b
        position, velocity = radios.motion(time, bodies)
        if self.bvh is None:
            los = np.ones(a.size, dtype=np.bool_)
        else:
            los = ~occluded_pairs(self.bvh, position[a], position[b])
        gain_db = radios.gain_db[a] + radios.gain_db[b] - np.where(los, 0.0, self.blockage_loss_db)
        count = a.size
        direct = Direct(np.empty(count, np.complex128), np.empty(count), np.empty(count), np.empty((count, 3)))
        self._clipped += _friis(Pairs(a, b, radios.carrier, gain_db), position, velocity, direct)
        amplitude = direct.amplitude
        if self.sea is not None:
            los = self._over_sea(time, position, amplitude) & los
        return LinkState(
            time=time,
            a=a,
            b=b,
            path_gain_db=20.0 * np.log10(np.abs(amplitude)),
            los=los,
            path_offset=np.arange(a.size + 1, dtype=np.int64),
            path_amplitude=amplitude,
            path_delay=direct.delay,
            path_doppler=direct.doppler,
            path_departure=direct.departure,
            path_arrival=-direct.departure,
        )

    def _over_sea(self, time: int, position: F64, amplitude: C128) -> Bool:
        """Take from the amplitudes what the sea takes; tell which links it leaves alone."""
        assert self.sea is not None
        radios = self.radios
        carriers, band = np.unique(radios.carrier, return_inverse=True)
        left = np.empty(radios.a.size)
        over = self.sea.at(time, carriers, np.zeros(0, dtype=np.bool_))
        lines_over_sea(over, band.astype(np.int32), radios.carrier, position, radios.a, radios.b, left)
        amplitude *= left
        return np.asarray(left == 1.0)


class Pairs(NamedTuple):
    """The L links among R radios."""

    a: I32  # (L,) radio
    b: I32  # (L,) radio
    carrier: F64  # (R,) Hz
    gain_db: F64  # (L,) of both antennas


class Direct(NamedTuple):
    """The direct path of each of L links."""

    amplitude: C128  # (L,)
    delay: F64  # (L,) s
    doppler: F64  # (L,) Hz
    departure: F64  # (L, 3) unit vectors from a to b


@kernel
def _friis(pairs: Pairs, position: F64, velocity: F64, out: Direct) -> int:
    """Write the direct path of each link (H. T. Friis, Proc. IRE 34, 1946); return how many were too near."""
    clipped = 0
    for i in range(pairs.a.size):
        a, b = pairs.a[i], pairs.b[i]
        towards = position[b] - position[a]
        distance = np.sqrt(np.sum(towards * towards))
        if distance > 0.0:
            towards /= distance
        else:
            towards[0] = 1.0
        wavelength = SPEED_OF_LIGHT / pairs.carrier[a]
        spread = wavelength / (4.0 * np.pi)
        if distance < spread:
            clipped += 1
        gain = 10.0 ** (pairs.gain_db[i] / 20.0) * spread / max(distance, spread)
        cycles = distance / wavelength
        angle = -2.0 * np.pi * (cycles - np.floor(cycles))
        out.amplitude[i] = complex(gain * np.cos(angle), gain * np.sin(angle))
        out.delay[i] = distance / SPEED_OF_LIGHT
        out.doppler[i] = -np.sum((velocity[b] - velocity[a]) * towards) / wavelength
        out.departure[i] = towards
    return clipped
