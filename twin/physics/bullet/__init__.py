"""Bullet's side of physics: its worlds, who shares one, and what moves without it."""
