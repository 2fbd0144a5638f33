"""Twin: drones, robots and buoys under control over a 6G network, on one clock."""

__version__ = "0.1.0"
