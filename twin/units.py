"""Quantities in TOML such as "10 ms" or "28 GHz", and the pydantic types that hold them in SI."""

from __future__ import annotations

import re
from collections.abc import Callable
from decimal import Decimal
from math import pi
from numbers import Integral, Real
from typing import Annotated, Any

from pydantic import BeforeValidator, Field, PlainSerializer

from twin.errors import brief

_NUMBER = re.compile(r"\s*([+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?)\s*(.*?)\s*$")
_LONGEST = 100
"""Characters of a quantity; what is longer is none."""
_LARGEST = 10**100
"""Whole numbers above are no sizes; their digits would take time without bound."""
_DEG = Decimal(repr(pi)) / 180

UNITS: dict[str, dict[str, Decimal]] = {
    "time": {"s": Decimal(1), "ms": Decimal("1e-3"), "us": Decimal("1e-6"), "ns": Decimal("1e-9"),
             "min": Decimal(60), "h": Decimal(3600)},
    "frequency": {"Hz": Decimal(1), "kHz": Decimal("1e3"), "MHz": Decimal("1e6"), "GHz": Decimal("1e9")},
    "length": {"m": Decimal(1), "km": Decimal(1000), "cm": Decimal("0.01"), "mm": Decimal("0.001")},
    "speed": {"m/s": Decimal(1), "km/h": Decimal(1) / Decimal("3.6"), "kn": Decimal(1852) / Decimal(3600)},
    "angle": {"rad": Decimal(1), "deg": _DEG, "mrad": Decimal("1e-3")},
    "angular speed": {"rad/s": Decimal(1), "deg/s": _DEG, "rpm": Decimal(repr(pi)) / 30},
    "mass": {"kg": Decimal(1), "g": Decimal("1e-3"), "t": Decimal(1000)},
    "force": {"N": Decimal(1), "kN": Decimal(1000)},
    "energy": {"J": Decimal(1), "kJ": Decimal(1000), "Wh": Decimal(3600), "kWh": Decimal(3_600_000)},
    "power": {"dBm": Decimal(1)},
    "gain": {"dB": Decimal(1), "dBi": Decimal(1)},
    "radar cross-section": {"dBsm": Decimal(1)},
    "data": {"B": Decimal(1), "kB": Decimal(1000), "MB": Decimal(1_000_000)},
    "data rate": {"bit/s": Decimal(1), "kbit/s": Decimal(1000), "Mbit/s": Decimal("1e6"),
                  "Gbit/s": Decimal("1e9")},
    "temperature": {"K": Decimal(1)},
    "pressure": {"Pa": Decimal(1), "hPa": Decimal(100)},
    "rain rate": {"mm/h": Decimal(1)},
    "share": {"%": Decimal("0.01")},
    "number": {"": Decimal(1)},
    "acceleration noise": {"m/s2/sqrt(Hz)": Decimal(1), "ug/sqrt(Hz)": Decimal("9.80665e-6")},
    "acceleration walk": {"m/s2/sqrt(s)": Decimal(1), "ug/sqrt(s)": Decimal("9.80665e-6")},
    "rate noise": {"rad/s/sqrt(Hz)": Decimal(1), "deg/s/sqrt(Hz)": _DEG, "deg/sqrt(h)": _DEG / 60},
    "rate walk": {"rad/s/sqrt(s)": Decimal(1), "deg/s/sqrt(s)": _DEG},
}  # fmt: skip


class QuantityError(ValueError):
    """A value isn't the quantity that it should be."""

    def __init__(self, found: object, expected: str) -> None:
        super().__init__(f"found {brief(found)}; allowed: {expected}")
        self.expected = expected


def parse_quantity(value: object, dimension: str) -> Decimal:
    """Read a number in SI or a text with a unit of `dimension` as a Decimal in SI.

    Raises:
        ValueError: not a number, or not a unit of this dimension.
    """
    units = UNITS[dimension]
    *most, last = units
    article = "an" if dimension[0] in "aeio" else "a"
    expected = f"{article} {dimension} in {', '.join(most)} or {last}" if most else f"{article} {dimension} in {last}"
    if isinstance(value, bool) or not isinstance(value, (Real, str, Decimal)):
        raise QuantityError(value, expected)
    if (isinstance(value, str) and len(value) > _LONGEST) or (isinstance(value, int) and abs(value) > _LARGEST):
        raise QuantityError(value, f"{expected}, of a size that exists")
    match = _NUMBER.match(_written(value))
    if match is None or (match[2] and match[2] not in units):
        raise QuantityError(value, expected)
    try:
        return Decimal(match[1]) * units.get(match[2], 1)
    except ArithmeticError as error:
        raise QuantityError(value, f"{expected}, of a size that exists") from error


def _written(value: Real | str | Decimal) -> str:
    """Return a value as it is written; numbers of NumPy spell their type out."""
    if isinstance(value, str):
        return value
    if isinstance(value, Decimal):
        return str(value)
    return str(int(value)) if isinstance(value, Integral) else repr(float(value))


def _seconds_as_ns(value: object) -> int:
    return _whole(parse_quantity(value, "time") * 1_000_000_000, value, "nanoseconds")


def _hertz_as_int(value: object) -> int:
    return _whole(parse_quantity(value, "frequency"), value, "hertz")


def _bytes(value: object) -> int:
    return _whole(parse_quantity(value, "data"), value, "bytes")


def _whole(number: Decimal, value: object, what: str) -> int:
    if abs(number) >= 2**63 or number != number.to_integral_value():
        raise QuantityError(value, f"a whole number of {what}, less than 2**63")
    return int(number)


def duration_text(nanoseconds: int) -> str:
    """Return a time as TOML spells it, exactly, in the largest unit that leaves a whole number."""
    for unit, size in (("s", 10**9), ("ms", 10**6), ("us", 10**3)):
        if nanoseconds % size == 0:
            return f"{nanoseconds // size} {unit}"
    return f"{nanoseconds} ns"


def time_text(nanoseconds: int) -> str:
    """Return a time as people read it: four digits, in the largest unit that leaves one before the point."""
    for unit, size in (("s", 10**9), ("ms", 10**6), ("us", 10**3)):
        if abs(nanoseconds) >= size:
            return f"{float(f'{nanoseconds / size:.4g}'):g} {unit}"
    return f"{nanoseconds} ns" if nanoseconds else "0 s"


def _real(dimension: str) -> Callable[[object], float]:
    return lambda value: float(parse_quantity(value, dimension))


def _type(dimension: str, reader: Callable[[object], Any] | None = None) -> BeforeValidator:
    return BeforeValidator(reader or _real(dimension), json_schema_input_type=str | float)


def unit(text: str) -> Any:
    """Return a note on what a number is counted in, which schemas and `twin describe` show."""
    return Field(json_schema_extra={"unit": text})


_IN_NS = Field(json_schema_extra={"x-kept-as": "ns"})
DurationNs = Annotated[
    int, _type("time", _seconds_as_ns), _IN_NS, PlainSerializer(duration_text, return_type=str)
]
"""A time, kept as int nanoseconds; a bare number is in seconds."""
NonNegativeNs = Annotated[
    int, _type("time", _seconds_as_ns), _IN_NS, Field(ge=0), PlainSerializer(duration_text, return_type=str)
]
RateHz = Annotated[int, _type("frequency", _hertz_as_int), unit("Hz"), Field(gt=0)]
"""A rate of ticks or samples, kept as int hertz."""
Bytes = Annotated[int, _type("data", _bytes), unit("B"), Field(ge=0)]
Seconds = Annotated[float, _type("time"), unit("s")]
Hertz = Annotated[float, _type("frequency"), unit("Hz")]
Metres = Annotated[float, _type("length"), unit("m")]
Speed = Annotated[float, _type("speed"), unit("m/s")]
Radians = Annotated[float, _type("angle"), unit("rad")]
RadiansPerSecond = Annotated[float, _type("angular speed"), unit("rad/s")]
Kilograms = Annotated[float, _type("mass"), unit("kg")]
Newtons = Annotated[float, _type("force"), unit("N")]
Joules = Annotated[float, _type("energy"), unit("J")]
PowerDbm = Annotated[float, _type("power"), unit("dBm")]
GainDb = Annotated[float, _type("gain"), unit("dB")]
Dbsm = Annotated[float, _type("radar cross-section"), unit("dBsm")]
"""A radar cross-section over a square metre, in dB."""
BitRate = Annotated[float, _type("data rate"), unit("bit/s")]
Kelvin = Annotated[float, _type("temperature"), unit("K")]
Pascal = Annotated[float, _type("pressure"), unit("Pa")]
AccelerationNoise = Annotated[float, _type("acceleration noise"), unit("m/s2/sqrt(Hz)"), Field(ge=0)]
"""Noise density of an accelerometer, as data sheets have it."""
AccelerationWalk = Annotated[float, _type("acceleration walk"), unit("m/s2/sqrt(s)"), Field(ge=0)]
RateNoise = Annotated[float, _type("rate noise"), unit("rad/s/sqrt(Hz)"), Field(ge=0)]
"""Noise density of a gyro, which is its angle random walk: 1 deg/sqrt(h) is 1/60 deg/s/sqrt(Hz)."""
RateWalk = Annotated[float, _type("rate walk"), unit("rad/s/sqrt(s)"), Field(ge=0)]
RainRate = Annotated[float, _type("rain rate"), unit("mm/h")]
