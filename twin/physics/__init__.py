"""Rigid bodies under forces: PyBullet, and the dynamics that turn commands into wrenches."""
