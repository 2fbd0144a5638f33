"""Fleets of mobile robots at the edge: lanes, right of way, driving along lanes."""
