"""A robot: robot.toml says what it is."""
