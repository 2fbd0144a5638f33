"""Antenna patterns as their makers write them: every spelling of one pattern gives that pattern."""

import numpy as np
import pytest

from twin.channel.fields.msi import read_msi
from twin.errors import ScenarioError

HEAD = "NAME test\nMAKE own\nFREQUENCY 3500\nGAIN {gain}\nTILT MECHANICAL\n"


def loss(angle):
    """Return a loss [dB] of a main lobe: 12 (angle / 65)^2, at most 30."""
    return np.minimum(12 * ((np.asarray(angle) + 180) % 360 - 180) ** 2 / 65**2, 30.0)


def text(gain="17.0 dBi", step=1.0, write="{:.3f} {:.3f}", begin=0.0, sign=1.0, lines=None):
    angles = begin + np.arange(0, 360, step)
    cut = "".join(f"{write.format(angle, sign * loss(angle))}\n" for angle in angles[:lines])
    return HEAD.format(gain=gain) + f"HORIZONTAL {len(angles)}\n{cut}VERTICAL {len(angles)}\n{cut}"


@pytest.fixture
def read(tmp_path):
    def run(content):
        path = tmp_path / "a.msi"
        path.write_text(content, encoding="latin-1")
        return read_msi(path)

    return run


SPELLINGS = {
    "as the format has it": text(),
    "dBd": text("14.85 dBd"),
    "no unit is dBd": text("14.85"),
    "glued": text("17.0dBi"),
    "decimal commas": text("17,0 dBi").replace(".", ","),
    "tabs and CRLF": text(write="{:.3f}\t{:.3f}").replace("\n", "\r\n"),
    "lower case": text().replace("HORIZONTAL", "Horizontal").replace("VERTICAL", "vertical").replace("GAIN", "gain"),
    "from -180": text(begin=-180.0),
    "every half degree": text(step=0.5),
    "the end twice": text().replace("VERTICAL", "360.0 0.0\nVERTICAL").replace("HORIZONTAL 360", "HORIZONTAL 361"),
}


@pytest.mark.parametrize("spelling", SPELLINGS)
def test_every_spelling_gives_the_same_pattern(read, spelling):
    found = read(SPELLINGS[spelling])
    assert found.gain_dbi == pytest.approx(17.0)
    degrees = np.arange(360)
    assert found.cuts_db[0] == pytest.approx(-loss(-degrees), abs=1e-3)
    assert found.cuts_db[1] == pytest.approx(-loss(degrees), abs=1e-3)


def test_lines_every_five_degrees_are_joined(read):
    # a chord of a parabola of second derivative 24/65^2 lies above it by 5^2/8 of that at most
    found = read(text(step=5.0))
    assert found.cuts_db[1][::5] == pytest.approx(-loss(np.arange(0, 360, 5)), abs=1e-3)
    away = np.minimum(np.arange(360), 360 - np.arange(360))
    smooth = np.abs(away - 103) > 5  # but where the loss stops rising
    assert np.abs(found.cuts_db[1] + loss(np.arange(360)))[smooth].max() <= 24 / 65**2 * 25 / 8 + 1e-3


def test_losses_of_the_wrong_sign_do_not_become_gain(read, caplog):
    found = read(text(sign=-1.0))
    assert found.cuts_db.max() <= 0.0
    assert found.cuts_db[1] == pytest.approx(-loss(np.arange(360)), abs=1e-3)
    assert "all losses are negative" in caplog.text


WRONG = {
    "losses of both signs": (text().replace("90.000 23", "90.000 -23"), "found losses from -23"),
    "too far apart": (text(step=20.0), "20 degrees without one"),
    "cut off": (text(lines=200), "found 'VERTICAL 360'"),
    "no number": (text().replace("5.000 0.071", "5.000 x"), "found '5.000 x'"),
    "not finite": (text().replace("5.000 0.071", "5.000 nan"), "found '5.000 nan'"),
    "infinite angle": (text().replace("5.000 0.071", "inf 0.071"), "found 'inf 0.071'"),
    "400 digits": (text().replace("5.000 0.071", "5.000 " + "9" * 400), "expected an angle and a loss"),
    "a unit of something else": (text("17 dBm"), "expected GAIN <number> dBd|dBi"),
    "gain without a number": (text(""), "expected GAIN <number> dBd|dBi"),
    "a gain that nothing has": (text("1e300 dBi"), "expected GAIN <number> dBd|dBi"),
    "2 MB": (text() + "COMMENT\n" * 250_000, "allowed: at most 1 MB"),
}


@pytest.mark.parametrize("what", WRONG)
def test_what_is_no_pattern_says_why(read, what):
    content, message = WRONG[what]
    with pytest.raises(ScenarioError) as caught:
        read(content)
    assert message in str(caught.value) and "a.msi" in str(caught.value)
