"""Metrics, comparisons, pictures and reports of runs."""
