"""What became of the packets of a recorded run, flow by flow."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from twin.recording.reader import Recording


def packet_fates(path: Path) -> dict[tuple[str, str, str], NDArray[Any]]:
    """Return the packets of each flow (names of source and destination, kind) in the order of their setting out.

    Raises:
        RecordingError: the recording can't be read.
    """
    with Recording(path) as recording:
        packets = recording.packets()
        names = [robot.name for robot in recording.robots]
    packets = packets[np.lexsort((packets["sequence"], packets["created"]))]
    flows, row_flow = np.unique(packets[["source", "destination", "kind"]], return_inverse=True)
    return {
        (names[source], names[destination], kind): packets[row_flow == i]
        for i, (source, destination, kind) in enumerate(flows.tolist())
    }
