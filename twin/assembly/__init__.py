"""From a scenario to a twin: the only place that chooses implementations."""
