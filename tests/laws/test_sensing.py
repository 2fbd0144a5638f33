"""Laws of detection: ratios for a probability, the taper's figures, and beams of an array."""

from math import inf

import numpy as np
import pytest
from scipy.optimize import brentq

from twin.link import beam_gain
from twin.sensing.arrays import Array, swept
from twin.sensing.detection import fading_probability, steady_probability, threshold
from twin.sensing.waveform import Waveform
from twin.sensing.windows import dirichlet, response, taper, weights


@pytest.mark.parametrize(("false_alarm", "steady", "fading"), [(1e-6, 13.18, 21.14), (1e-4, 11.75, 19.37)])
def test_ratio_for_nine_in_ten(false_alarm, steady, fading):
    """Of Swerling 0 and 1, with the noise known: tables of Richards, and of Skolnik's Radar Handbook."""
    level = threshold(false_alarm, inf)
    for probability, expected in ((steady_probability, steady), (fading_probability, fading)):
        found = brentq(lambda db, p=probability: p(10.0 ** (db / 10.0), level) - 0.9, 0.0, 40.0)
        assert found == pytest.approx(expected, abs=0.005)


def test_estimating_noise_costs_half_a_decibel():
    """64 cells at 1e-6: N (P^(-1/N) - 1) over -ln P; the probability of noise above it is P again."""
    assert 10.0 * np.log10(threshold(1e-6) / threshold(1e-6, inf)) == pytest.approx(0.48, abs=0.005)
    rng = np.random.default_rng(1)
    noise, other = rng.exponential(size=400_000), rng.gamma(64, 1 / 64, size=400_000)
    share = (noise > threshold(1e-3) * other).mean()
    assert share == pytest.approx(1e-3, abs=4.0 * np.sqrt(1e-3 / 400_000))


def test_the_closed_response_is_the_sum_over_subcarriers():
    place = (np.arange(3276) - 0.5 * 3275) / 3276
    w = weights(place)
    offset = np.concatenate([np.linspace(0.0, 8.0, 161), [20.0, 21.5, -2.0, -3.3]])
    summed = (w * np.exp(2j * np.pi * np.outer(offset, place))).sum(axis=1) / w.sum()
    np.testing.assert_allclose(response(offset), summed.real, atol=1e-5)
    assert 20.0 * np.log10(np.abs(response(np.arange(4.0, 60.0, 0.01))).max()) == pytest.approx(-92.0, abs=0.1)


def test_the_taper_costs_three_decibels_and_half_of_the_accuracy():
    """Equivalent noise bandwidth 2.00 cells (Harris, table 1); spread over sqrt(3) / pi without a taper."""
    place = (np.arange(1000) - 499.5) / 1000
    found = taper(place)
    assert 1000 / found.gain == pytest.approx(2.00, abs=0.005)
    rng, w = np.random.default_rng(4), weights(place)
    snr = 400.0
    tone = np.sqrt(snr / found.gain) + (rng.normal(size=(4000, 1000)) + 1j * rng.normal(size=(4000, 1000))) / np.sqrt(2)
    # The peak, to first order: the slope of |sum|^2 over its curvature.
    total, first = tone @ w, tone @ (w * 2j * np.pi * place)
    second = tone @ (w * (2j * np.pi * place) ** 2)
    peak = -(np.conj(total) * first).real / (np.abs(first) ** 2 + (np.conj(total) * second).real)
    assert peak.std() == pytest.approx(found.spread / np.sqrt(2.0 * snr), rel=4.0 / np.sqrt(2 * 4000) + 0.02)
    assert found.spread > np.sqrt(3.0) / np.pi


def test_beams_are_those_of_the_channel():
    """Gains of a DFT beam of 4 x 8 elements, and beams evenly spaced in sine space."""
    array = Array(4, 8, (0.5, 0.5), np.eye(3))
    phase, beam = np.array([0.4, -1.1]), 2.0 * np.pi * np.array([1.0 / 4, 3.0 / 8])
    found = array.alike(phase, beam) * np.sqrt(array.elements)
    assert abs(found) == pytest.approx(abs(beam_gain(4, 8, 1 * 8 + 3, *phase)), rel=1e-12)
    np.testing.assert_allclose(swept(array, 4, 1)[:, 1] / np.pi, [-0.75, -0.25, 0.25, 0.75])
    assert dirichlet(8, np.array([0.0, 2.0 * np.pi / 8])).tolist() == pytest.approx([1.0, 0.0])


def test_the_cells_of_a_waveform():
    """273 PRBs of 30 kHz: c / (2 B) = 1.525 m; 40 ms at 6 GHz: .625 m/s; .625 ms: 20 m/s."""
    times = 0.625e-3 * (np.arange(64) - 31.5)
    wave = Waveform(6e9, 30e3, 273 * 12, 2, times, 0.625e-3, False, 600.0, 0.0)
    assert wave.cell == pytest.approx(1.5252, abs=1e-4)
    assert wave.rate_cell == pytest.approx(0.62457, abs=1e-5)
    assert wave.unambiguous == pytest.approx(19.986, abs=1e-3)
    assert wave.peak_sidelobe < 1e-9
