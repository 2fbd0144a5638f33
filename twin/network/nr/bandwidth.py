"""Resource blocks of a carrier by bandwidth and subcarrier spacing."""

from __future__ import annotations

from twin.errors import ScenarioError

FR1 = {
    15: {5: 25, 10: 52, 15: 79, 20: 106, 25: 133, 30: 160, 40: 216, 50: 270},
    30: {5: 11, 10: 24, 15: 38, 20: 51, 25: 65, 30: 78, 40: 106, 50: 133, 60: 162, 70: 189, 80: 217, 90: 245,
         100: 273},
    60: {10: 11, 15: 18, 20: 24, 25: 31, 30: 38, 40: 51, 50: 65, 60: 79, 70: 93, 80: 107, 90: 121, 100: 135},
}  # fmt: skip
"""TS 38.101-1 Table 5.3.2-1: kHz -> MHz -> N_RB."""
FR2 = {
    60: {50: 66, 100: 132, 200: 264},
    120: {50: 32, 100: 66, 200: 132, 400: 264},
    480: {400: 66, 800: 124, 1600: 248},
    960: {400: 33, 800: 62, 1600: 124, 2000: 148},
}
"""TS 38.101-2 Table 5.3.2-1."""
FR2_START = 24.25e9
"""Hz, where frequency range 2 begins: TS 38.104 table 5.1-1."""


def resource_blocks(frequency: float, bandwidth: float, scs_khz: int) -> int:
    """Return N_RB of a carrier [Hz, Hz, kHz].

    Raises:
        ScenarioError: the tables have no such carrier; `resource_blocks` can be stated instead.
    """
    tables = FR2 if frequency >= FR2_START else FR1
    row = tables.get(scs_khz)
    if row is None:
        allowed = ", ".join(f"{khz} kHz" for khz in tables)
        message = f"no bandwidths are defined for {scs_khz} kHz at {frequency / 1e9:g} GHz"
        raise ScenarioError(f"{message}; defined: {allowed}; or state resource_blocks", key="scs")
    if bandwidth / 1e6 not in row:
        allowed = ", ".join(f"{mhz} MHz" for mhz in row)
        message = f"{bandwidth / 1e6:g} MHz is not defined for {scs_khz} kHz"
        raise ScenarioError(f"{message}; defined: {allowed}; or state resource_blocks", key="bandwidth")
    return row[int(bandwidth / 1e6)]


def group_size(prbs: int) -> int:
    """Return the PRBs of a resource-block group, configuration 1: TS 38.214 Table 5.1.2.2.1-1."""
    return 2 if prbs <= 36 else 4 if prbs <= 72 else 8 if prbs <= 144 else 16
