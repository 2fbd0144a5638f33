"""One run: recorded, measured, paced, profiled, repeated."""
