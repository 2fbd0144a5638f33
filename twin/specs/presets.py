"""Carriers as they are built or specified: what a scenario gets by `preset`, before its own settings.

"not verified" is what was written down from memory or from practice, without the document at hand.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple


class Preset(NamedTuple):
    """Settings of a carrier, and where they are from."""

    source: str
    settings: Mapping[str, object]


PRESETS = {
    "oai-n78": Preset(
        "OpenAirInterface gNB, 106 resource blocks at n78, as fitted to 1,355 measured uplink packets: data set of "
        "samiemostafavi/edaf; benchmarks/against_oai.py",
        {
            "bandwidth": "40 MHz", "scs": "30 kHz", "pattern": "DDDSU", "special": (10, 2, 2), "mcs_table": "qam64",
            "sr_period": 4, "sr_grant": "40 B", "grant_cap": "40 B", "lead": "5 ms",
        },
    ),
    "commercial-fr1": Preset(
        "TDD of 3 downlink slots in 5, 10:2:2: ECC Report 296, TS 38.101-4 A.1.2; 8 SSB a burst: TS 38.213 4.1; a beam "
        "is used 3 ms after the acknowledged command: TS 38.214 5.1.5; scheduling and beam failure as operators "
        "configure them, not verified",
        {
            "bandwidth": "100 MHz", "scs": "30 kHz", "pattern": "DDDSU", "special": (10, 2, 2), "mcs_table": "qam256",
            "layers": 2, "overhead": 6, "k1": 2, "k2": 2, "lead": "0.5 ms", "sr_period": 4, "sr_prohibit": "10 ms",
            "cqi_period": "40 ms", "cqi_delay": "8 ms", "ssb_beams": 8, "beam_delay": "11 ms",
            "beam_failure_period": "20 ms", "beam_failure_count": 4, "beam_failure_timer": 4,
        },
    ),
    "commercial-fr2": Preset(
        "TDD of 3 downlink slots in 5 at 120 kHz: TS 38.101-4 A.1.3; a sweep of 64 beams each 20 ms: TS 38.213 4.1; a "
        "beam is used 3 ms after the acknowledged command: TS 38.214 5.1.5; scheduling and beam failure as operators "
        "configure them, not verified",
        {
            "frequency": "28 GHz", "bandwidth": "100 MHz", "scs": "120 kHz", "pattern": "DDDSU", "special": (10, 2, 2),
            "mcs_table": "qam64", "layers": 2, "overhead": 6, "k1": 5, "k2": 4, "lead": "0.5 ms", "sr_period": 8,
            "cqi_period": "20 ms", "cqi_delay": "5 ms", "ssb_beams": 64, "beam_delay": "8 ms",
            "beam_failure_period": "10 ms", "beam_failure_count": 4, "beam_failure_timer": 4,
        },
    ),
    "urllc-rel16": Preset(
        "occasions of 2 symbols, processing capability 2, the table for low spectral efficiency: TR 38.824 5 and A.2, "
        "not verified",
        {
            "frequency": "4 GHz", "bandwidth": "40 MHz", "scs": "30 kHz", "duplex": "fdd", "symbols": 2,
            "capability": 2, "mcs_table": "qam64LowSE", "preemption": True, "scheduler": "strict-priority",
            "cqi_period": "5 ms", "cqi_delay": "2 ms",
        },
    ),
    "6g-target": Preset(
        "latency of 0.1 to 1 ms: ITU-R M.2160; 120 kHz, occasions of 2 symbols and full resources in both directions "
        "are our guess at it, not verified",
        {
            "bandwidth": "400 MHz", "scs": "120 kHz", "resource_blocks": 264, "duplex": "fdd", "symbols": 2,
            "mcs_table": "qam64LowSE", "scheduler": "strict-priority", "preemption": True, "cqi_period": "2 ms",
            "cqi_delay": "1 ms",
        },
    ),
}  # fmt: skip
