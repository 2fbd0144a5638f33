"""Draw what one mast covers at street level, by ray tracing, and how much of the area that is."""

from pathlib import Path

import numpy as np

import twin
from twin.analysis.rays import draw_map
from twin.channel.coverage import QUANTITIES, Grid, Transmitter, coverage
from twin.specs import RayTracingSpec

city = twin.open_world("city")
mast = Transmitter("mast", (100.0, 0.0, 40.0))
x, y = np.arange(-20.0, 221.0, 16.0), np.arange(-120.0, 121.0, 16.0)


def outdoors(points):
    """Tell which points (n, 3) m are inside of nothing."""
    return np.array([thing is None for thing in city.inside(points)])


paths = RayTracingSpec(order=1, diffraction=False)
found = coverage(city.geometry, [mast], Grid(x, y, 1.5), 3.5e9, paths, outdoors=outdoors)
gain = found.quantity("gain")
draw_map(x, y, gain, QUANTITIES["gain"], [("mast", np.array(mast.position))], city.geometry, Path("coverage.png"))
print(f"coverage.png: {np.nanmean(found.rss_dbm > -100.0):.0%} of the outdoor points get more than -100 dBm")
