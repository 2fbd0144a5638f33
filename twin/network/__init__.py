"""Carrying packets: when, whether, and in what order they arrive."""
