"""Runs in HDF5: written without loss, read lazily."""
