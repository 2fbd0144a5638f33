"""Goals of robots, and how well they are met."""
