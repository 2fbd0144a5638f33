"""What a run over a radio network approximated, refused or lost on the way, in numbers."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence

from twin.network.nr.band import Band

MS = 1_000_000


def tally(bands: Sequence[Band], background: Mapping[str, int], unused: Collection[str]) -> dict[str, int]:
    """Return what isn't 0 by name; `unused` are classes of service that no packet was of."""
    found = {f"background_{what}": number for what, number in background.items()}
    found["admissions_refused"] = sum(band.mobility.refused for band in bands)
    found["survival_times_exceeded"] = sum(band.carrier.outlived for band in bands)
    found["transmissions_preempted"] = sum(band.carrier.preempted for band in bands)
    found["persistent_allocations_refused"] = sum(band.carrier.refused for band in bands)
    found["pdcch_missed"] = sum(band.carrier.missed[0] for band in bands)
    found["pucch_missed"] = sum(band.carrier.missed[1] for band in bands)
    found["access_collisions"] = sum(band.access.collisions for band in bands)
    found["access_failures"] = sum(band.access.failures for band in bands)
    beams = [band.beams for band in bands if band.beams is not None]
    found["beam_switches"] = sum(one.switches for one in beams)
    found["beam_failures"] = sum(one.failures for one in beams)
    recoveries = [duration for one in beams for duration in one.recoveries]
    found["beam_recoveries"] = len(recoveries)
    if recoveries:
        found["beam_recovery_mean_ms"] = round(sum(recoveries) / len(recoveries) / MS)
        found["beam_recovery_longest_ms"] = round(max(recoveries) / MS)
    found["mrc_arrays_ideal"] = sum(band.maximum_ratio for band in bands)
    found |= {f"qos_unused_{kind}": 1 for kind in sorted(unused)}
    return {name: number for name, number in found.items() if number}
