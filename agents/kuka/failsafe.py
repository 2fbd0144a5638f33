"""What the arm does on its own when commands stay away: brake and hold, with what it grips."""

from twin.robots.failsafes import BrakeAndHold as BrakeAndHold
