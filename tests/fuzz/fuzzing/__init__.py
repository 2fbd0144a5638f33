"""Random changes to everything that twin reads, each tried in a process of its own with limits."""
