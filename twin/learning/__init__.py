"""A scenario as an environment for learning: steps from decision to decision, latency included."""
