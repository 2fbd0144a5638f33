"""Where detections of a transmitter and a receiver are."""

from __future__ import annotations

import numpy as np

from twin.scan import Scan
from twin.state import F64


def places(scan: Scan) -> F64:
    """Return where detections are, (n, 3) m: on their ray, where the way there and back is as long as measured.

    Of a way L by way of a transmitter at b from the receiver: (L^2 - b^2) / (2 (L - b . u)) along the ray u.
    """
    apart = scan.transmitter - scan.receiver
    way = 2.0 * scan.range
    far = (way**2 - apart @ apart) / np.maximum(2.0 * (way - scan.direction @ apart), 1e-9)
    return np.asarray(scan.receiver + np.maximum(far, 0.0)[:, None] * scan.direction)
