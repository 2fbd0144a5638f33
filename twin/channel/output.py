"""From the arrays of the kernels to the links that the loop passes on."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from twin.channel.fields.links import Output, Pairing
from twin.channel.search.images import REFLECTION, SCATTERING, TRANSMISSION
from twin.channel.search.paths import Paths
from twin.numerics.kernels import uncounted
from twin.state import F64, I32, TracedLinks


class Ways(NamedTuple):
    """Where P paths went, with up to K interactions; see TracedLinks."""

    length: I32  # (P,)
    kind: I32  # (P, K)
    face: I32  # (P, K)
    vertex: F64  # (P, K, 3) m


def traced_links(time: int, links: Pairing, paths: Paths, faces: tuple[I32, I32], out: Output) -> TracedLinks:
    """Return the links of `out`, with the `faces` of each triangle and of each tile.

    Arrays that the next trace reuses are copied.
    """
    n, k = int(out.offset[-1]), paths.kind.shape[2]
    ways = Ways(
        np.empty(n, dtype=np.int32),
        np.full((n, k), -1, dtype=np.int32),
        np.full((n, k), -1, dtype=np.int32),
        np.zeros((n, k, 3)),
    )
    _retrace(links.pair, paths, *faces, out, ways)
    with np.errstate(divide="ignore"):  # no power at all is -inf dB
        gain, k_factor, dropped = (10.0 * np.log10(power) for power in (out.gain, out.k_factor, out.dropped))
    return TracedLinks(
        time=time,
        a=links.a,
        b=links.b,
        path_gain_db=gain,
        los=out.los,
        path_offset=out.offset,
        path_amplitude=out.amplitude[:n],
        path_delay=out.delay[:n],
        path_doppler=out.doppler[:n],
        path_departure=out.departure[:n],
        path_arrival=out.arrival[:n],
        k_factor_db=k_factor,
        delay_spread=out.delay_spread,
        doppler_spread=out.doppler_spread,
        angular_spread=out.angular_spread,
        dropped_db=dropped,
        beam=out.beam,
        path_element=out.element[:n],
        path_phase=out.phases[:, :n],
        path_transfer=out.transfer[:n],
        path_length=ways.length,
        path_kind=ways.kind,
        path_face=ways.face,
        path_vertex=ways.vertex,
    )


@uncounted
def _retrace(pair: I32, paths: Paths, face: I32, tile_face: I32, out: Output, ways: Ways) -> None:
    """Write which way each path of `out` went; surfaces of the site by their faces."""
    for i in range(len(pair)):
        for p in range(out.offset[i], out.offset[i + 1]):
            g, m = pair[i], out.slot[p]
            ways.length[p] = paths.length[g, m]
            for k in range(paths.length[g, m]):
                kind, index = paths.kind[g, m, k], paths.what[g, m, k]
                ways.kind[p, k] = kind
                if kind == REFLECTION or kind == TRANSMISSION:
                    index = face[index]
                elif kind == SCATTERING:
                    index = tile_face[index]
                ways.face[p, k] = index
                for axis in range(3):
                    ways.vertex[p, k, axis] = paths.vertex[g, m, k, axis]
