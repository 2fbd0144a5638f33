"""Recordings in other formats; each module is imported when it is asked for, and heavy ones come as extras."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Format:
    """How a recording is written in one format."""

    function: str  # module:function, called with the recording and a path
    ending: str  # of the file; none for a folder
    what: str
    package: str = ""  # that must be installed
    extra: str = ""  # which brings it
    places: bool = False  # also needs where on the earth the world is


FORMATS = {
    "csv": Format("csv:to_csv", "", "a folder of tables"),
    "parquet": Format("parquet:to_parquet", "", "a folder of tables", "pyarrow", "parquet"),
    "mcap": Format("mcap:to_mcap", ".mcap", "for Foxglove and other robotics tools", "mcap", "mcap"),
    "pcap": Format("pcap:to_pcapng", ".pcapng", "the packets, for Wireshark"),
    "kml": Format("places:to_kml", ".kml", "tracks, for Google Earth", places=True),
    "czml": Format("places:to_czml", ".czml", "tracks, for Cesium", places=True),
    "rrd": Format("rerun:to_rrd", ".rrd", "for the Rerun viewer", "rerun", "rerun"),
}
