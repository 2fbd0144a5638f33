"""Laws of radio propagation, asserted with the values of closed forms."""

import numpy as np
import pytest

from twin.channel.freespace import FreeSpace
from twin.link import SPEED_OF_LIGHT, Radio, frequency_response
from twin.state import BodyState


def bodies(*positions, velocity=(0.0, 0.0, 0.0)):
    n = len(positions)
    return BodyState(
        position=np.array(positions, dtype=float).reshape(n, 3),
        orientation=np.tile([0.0, 0.0, 0.0, 1.0], (n, 1)),
        velocity=np.tile(np.array(velocity, dtype=float), (n, 1)),
        angular_velocity=np.zeros((n, 3)),
        joint_position=np.zeros(0),
        joint_velocity=np.zeros(0),
        joint_offset=np.zeros(n + 1, dtype=np.int64),
    )


def two_radios(carrier=3.5e9):
    return [
        Radio(index=0, owner=0, body=None, mount=(0.0, 0.0, 0.0), carrier=carrier),
        Radio(index=1, owner=1, body=0, mount=(0.0, 0.0, 0.0), carrier=carrier),
    ]


class TestFreeSpace:
    @pytest.mark.parametrize("carrier", [0.5e9, 3.5e9, 28e9, 140e9, 300e9])
    @pytest.mark.parametrize("distance", [1.0, 100.0, 12_345.0])
    def test_friis(self, carrier, distance):
        links = FreeSpace(two_radios(carrier)).trace(0, bodies((distance, 0.0, 0.0)))
        friis = 20 * np.log10(SPEED_OF_LIGHT / carrier / (4 * np.pi * distance))
        assert links.path_gain_db[0] == pytest.approx(friis, abs=1e-9)
        assert links.path_delay[0] == pytest.approx(distance / SPEED_OF_LIGHT, rel=1e-15)

    def test_phase_is_that_of_the_distance(self):
        wavelength = SPEED_OF_LIGHT / 3.5e9
        channel = FreeSpace(two_radios())
        whole = channel.trace(0, bodies((1000 * wavelength, 0.0, 0.0))).path_amplitude[0]
        quarter = channel.trace(0, bodies((1000.25 * wavelength, 0.0, 0.0))).path_amplitude[0]
        assert np.angle(whole) == pytest.approx(0.0, abs=1e-9)
        assert np.angle(quarter) == pytest.approx(-np.pi / 2, abs=1e-9)

    def test_doppler_is_the_rate_of_phase(self):
        """A node that leaves at 30 m/s: between two traces the kernels turn the phase as the motion does."""
        channel, step = FreeSpace(two_radios(28e9)), 1e-3
        before = channel.trace(0, bodies((200.0, 0.0, 0.0), velocity=(30.0, 0.0, 0.0)))
        after = channel.trace(1_000_000, bodies((200.0 + 30.0 * step, 0.0, 0.0), velocity=(30.0, 0.0, 0.0)))
        assert before.path_doppler[0] == pytest.approx(-30.0 * 28e9 / SPEED_OF_LIGHT, rel=1e-12)
        advanced = frequency_response(before, np.array([28e9]), step, 0.0, 0.0, 1)[0, 0]
        assert np.angle(advanced / after.path_amplitude[0]) == pytest.approx(0.0, abs=1e-6)

    def test_response_over_frequency_is_the_delay(self):
        links = FreeSpace(two_radios()).trace(0, bodies((300.0, 0.0, 0.0)))
        offsets = -50e6 + 1e6 * np.arange(101)
        found = frequency_response(links, np.array([3.5e9]), 0.0, offsets[0], 1e6, 101)[0]
        expected = links.path_amplitude[0] * np.exp(-2j * np.pi * offsets * links.path_delay[0])
        np.testing.assert_allclose(found, expected, rtol=1e-10)
