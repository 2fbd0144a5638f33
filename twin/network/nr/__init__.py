"""The NR network, slot by slot in one compiled kernel a carrier."""
