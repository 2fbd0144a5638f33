"""What a run over a radio network approximated, refused or lost on the way, in numbers."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence

from twin.network.nr.band import Band
from twin.network.nr.tdd import SYMBOLS

MS = 1_000_000
LONGEST = "beam_recovery_longest_ms"
"""Stated even if it is 0, so that a requirement can be judged where no beam has failed."""


def tally(bands: Sequence[Band], background: Mapping[str, int], unused: Collection[str]) -> dict[str, int]:
    """Return by name what isn't 0; `unused` are classes of service that no packet was of."""
    found = {f"background_{what}": number for what, number in background.items()}
    found["admissions_refused"] = sum(band.mobility.refused for band in bands)
    found["survival_times_exceeded"] = sum(band.carrier.outlived for band in bands)
    found["transmissions_preempted"] = sum(band.carrier.preempted for band in bands)
    found["persistent_allocations_refused"] = sum(band.carrier.refused for band in bands)
    found["pdcch_missed"] = sum(band.carrier.missed[0] for band in bands)
    found["pucch_missed"] = sum(band.carrier.missed[1] for band in bands)
    found["access_collisions"] = sum(band.access.collisions for band in bands)
    found["access_failures"] = sum(band.access.failures for band in bands)
    found["arrays_ideal"] = sum(band.ideal_arrays for band in bands)
    found["sensing_per_mille"] = max((_sensing(band) for band in bands), default=0)
    found |= {f"qos_unused_{kind}": 1 for kind in sorted(unused)}
    return {name: number for name, number in (found | _beams(bands)).items() if number or name == LONGEST}


def _sensing(band: Band) -> int:
    """Return how many of a thousand symbols of a carrier are for sensing."""
    taken = band.carrier.state.sounding
    return round(1000 * float((taken[:, 1] - taken[:, 0]).sum()) / (SYMBOLS * max(len(taken), 1)))


def _beams(bands: Sequence[Band]) -> dict[str, int]:
    """Return what became of beams, where there are any; a failure that isn't over lasts until now."""
    beams = [(band, band.beams) for band in bands if band.beams is not None]
    if not beams:
        return {}
    recoveries = [duration for _, one in beams for duration in one.recoveries]
    lasting = [band.reached - since for band, one in beams for since in one.open_failures]
    return {
        "beam_switches": sum(one.switches for _, one in beams),
        "beam_failures": sum(one.failures for _, one in beams),
        "beam_recoveries": len(recoveries),
        "beam_recovery_mean_ms": round(sum(recoveries) / max(len(recoveries), 1) / MS),
        LONGEST: round(max([*recoveries, *lasting], default=0) / MS),
    }
