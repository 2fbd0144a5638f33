"""What a run over a radio network approximated, refused or lost on the way, in numbers."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence

from twin.network.nr.site import Site


def tally(sites: Sequence[Site], background: Mapping[str, int], unused: Collection[str]) -> dict[str, int]:
    """Return what isn't 0 by name; `unused` are classes of service that no packet was of."""
    found = {f"background_{what}": number for what, number in background.items()}
    found["admissions_refused"] = sum(site.mobility.refused for site in sites)
    found["survival_times_exceeded"] = sum(site.carrier.outlived for site in sites)
    found["transmissions_preempted"] = sum(site.carrier.preempted for site in sites)
    found["persistent_allocations_refused"] = sum(site.carrier.refused for site in sites)
    found["pdcch_missed"] = sum(site.carrier.missed[0] for site in sites)
    found["pucch_missed"] = sum(site.carrier.missed[1] for site in sites)
    found["access_collisions"] = sum(site.access.collisions for site in sites)
    found["access_failures"] = sum(site.access.failures for site in sites)
    found |= {f"qos_unused_{kind}": 1 for kind in sorted(unused)}
    return {name: number for name, number in found.items() if number}
