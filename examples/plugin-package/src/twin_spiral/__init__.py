"""A controller and a robot for twin."""
