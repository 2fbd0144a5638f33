"""Compiled kernels, quaternions and random draws."""
