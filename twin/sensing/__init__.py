"""Sensing by the network: what base stations see of the echoes of their own signals."""
