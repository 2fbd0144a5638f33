"""Evidence: what was asked of runs, what was answered, on what ground, signed so that a change is noticed."""
