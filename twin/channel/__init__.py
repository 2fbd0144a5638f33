"""Propagation between radios."""
