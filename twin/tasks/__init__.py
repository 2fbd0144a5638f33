"""Goals of robots, and how well they are met."""

from twin.tasks.make import make_task, tracking_error
