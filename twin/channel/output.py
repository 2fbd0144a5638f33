"""From the arrays of the kernels to the links that the loop passes on."""

from __future__ import annotations

import numpy as np

from twin.channel.images import REFLECTION, TRANSMISSION
from twin.channel.links import Output
from twin.channel.paths import Paths
from twin.channel.planes import Scene
from twin.state import F64, I32, TracedLinks


def traced_links(time: int, a: I32, b: I32, pair: I32, paths: Paths, scene: Scene, out: Output) -> TracedLinks:
    """Return the links of `out`; arrays that the next trace reuses are copied."""
    n = int(out.offset[-1])
    link = np.repeat(np.arange(len(a)), np.diff(out.offset))
    rows = pair[link], out.slot[:n]
    length = paths.length[rows]
    unused = np.arange(paths.kind.shape[2]) >= length[:, None]
    kind = np.where(unused, -1, paths.kind[rows]).astype(np.int32)
    index = paths.what[rows]
    static = (kind == REFLECTION) | (kind == TRANSMISSION)
    face = np.where(unused, -1, np.where(static, scene.face[np.where(static, index, 0)], index)).astype(np.int32)
    return TracedLinks(
        time=time,
        a=a,
        b=b,
        path_gain_db=_db(out.gain),
        los=out.los,
        path_offset=out.offset,
        path_amplitude=out.amplitude[:n],
        path_delay=out.delay[:n],
        path_doppler=out.doppler[:n],
        path_departure=out.departure[:n],
        path_arrival=out.arrival[:n],
        k_factor_db=_db(out.k_factor),
        delay_spread=out.delay_spread,
        doppler_spread=out.doppler_spread,
        angular_spread=out.angular_spread,
        dropped_db=_db(out.dropped),
        beam=out.beam,
        path_element=out.element[:n],
        path_phase=out.phases[:, :n],
        path_transfer=out.transfer[:n],
        path_length=length,
        path_kind=kind,
        path_face=face,
        path_vertex=np.where(unused[..., None], 0.0, paths.vertex[rows]),
    )


def _db(power: F64) -> F64:
    with np.errstate(divide="ignore"):
        return np.asarray(10.0 * np.log10(power))
