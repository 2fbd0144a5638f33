from decimal import Decimal
from math import pi
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import TypeAdapter

from twin.specs import AntennaSpec
from twin.units import UNITS, Bytes, DurationNs, QuantityError, RateHz, duration_text, parse_quantity, time_text

DURATION = TypeAdapter(DurationNs)


@pytest.mark.parametrize(
    ("written", "dimension", "si"),
    [
        ("10 ms", "time", "0.01"),
        ("10ms", "time", "0.01"),
        (" 1.5 h ", "time", "5400"),
        ("28 GHz", "frequency", "28e9"),
        ("36 km/h", "speed", "10"),
        ("1 kn", "speed", "0.5144444444444444444444444444"),
        ("-30 dBm", "power", "-30"),
        ("2e3 hPa", "pressure", "2e5"),
        (".5 t", "mass", "500"),
        (3, "length", "3"),
        (0.25, "length", "0.25"),
        ("7", "length", "7"),
    ],
)
def test_a_quantity_is_read_in_si(written, dimension, si):
    assert abs(parse_quantity(written, dimension) - Decimal(si)) <= Decimal("1e-27") * abs(Decimal(si))


@pytest.mark.parametrize("value", [np.float64(1.5), np.float32(1.5), np.float16(1.5), np.radians(np.degrees(1.5))])
def test_numbers_of_numpy_are_numbers(value):
    assert AntennaSpec(azimuth=value).azimuth == 1.5
    assert parse_quantity(np.int64(3), "length") == parse_quantity(np.uint8(3), "length") == 3


@pytest.mark.parametrize("value", [10**400, 1 << 100_000, "9" * 5000, "1e999999999 rad", np.nan, np.True_, np.ones(2)],
                         ids=range(7))
def test_what_is_no_size_is_refused_in_a_line(value):
    with pytest.raises(QuantityError, match="allowed: an angle in rad, deg or mrad") as caught:
        parse_quantity(value, "angle")
    assert len(str(caught.value)) < 200


def test_angles_are_radians():
    assert float(parse_quantity("180 deg", "angle")) == pi
    assert float(parse_quantity("60 rpm", "angular speed")) == pytest.approx(2 * pi, rel=1e-15)


def test_the_conventions_list_every_unit():
    text = (Path(__file__).resolve().parents[1] / "docs" / "conventions.md").read_text()
    rows = [line.strip("| ").split(" | ") for line in text.splitlines() if line.startswith("| ")]
    listed = {row[0]: row[1].split(" (")[0].split(", ") for row in rows if row[0] in UNITS}
    with_units = {dimension: list(units) for dimension, units in UNITS.items() if list(units) != [""]}
    assert listed == with_units


@pytest.mark.parametrize("dimension", UNITS)
def test_a_wrong_value_is_answered_by_what_was_found_and_every_allowed_unit(dimension):
    for value in (
        "3 parsec",
        "parsec",
        "",
        "nan",
        "inf",
        float("nan"),
        float("inf"),
        True,
        None,
        [1],
        "1 2",
        "--1",
    ):
        with pytest.raises(QuantityError) as error:
            parse_quantity(value, dimension)
        assert f"found {value!r}" in str(error.value)
        assert all(unit in str(error.value) for unit in UNITS[dimension])


@pytest.mark.parametrize("value", ["1e99999999999999999999 s", "1e400 s", "300 h" + "0" * 5000])
def test_a_size_beyond_all_clocks_is_refused_at_once(value):
    with pytest.raises(ValueError, match="allowed"):
        DURATION.validate_python(value)


def test_int64_is_the_end_of_time():
    assert DURATION.validate_python(f"{2**63 - 1} ns") == 2**63 - 1
    with pytest.raises(ValueError, match=r"less than 2\*\*63"):
        DURATION.validate_python(f"{2**63} ns")


@pytest.mark.parametrize(("model", "value"), [(DurationNs, "0.5 ns"), (RateHz, "0.5 Hz"), (Bytes, "0.5 B")])
def test_what_is_counted_is_whole(model, value):
    with pytest.raises(ValueError, match=f"found '{value}'; allowed: a whole number"):
        TypeAdapter(model).validate_python(value)


@given(st.integers(min_value=-(2**62), max_value=2**62))
def test_a_duration_survives_text_to_the_nanosecond(nanoseconds):
    assert DURATION.validate_python(duration_text(nanoseconds)) == nanoseconds


def test_a_tenth_of_a_second_is_exact():
    assert DURATION.validate_python(0.1) == 100_000_000
    assert DURATION.validate_python("0.000000001 s") == 1


@pytest.mark.parametrize(
    ("nanoseconds", "text"),
    [(98_880_169, "98.88 ms"), (2_000_000_000, "2 s"), (999, "999 ns"), (1_500, "1.5 us"), (0, "0 s"),
     (123_456_000_000_000, "123500 s")],
)  # fmt: skip
def test_a_time_for_people_has_four_digits(nanoseconds, text):
    assert time_text(nanoseconds) == text
