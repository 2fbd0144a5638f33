"""Kinds of robots: from commands to forces and torques."""
