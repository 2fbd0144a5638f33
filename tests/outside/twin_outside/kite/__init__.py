"""A robot: a ball of 1 kg that the wind blows about."""
