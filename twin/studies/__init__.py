"""Many runs of one scenario: planned, run side by side, kept by what they are, and what they show together."""
