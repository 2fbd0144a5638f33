"""What the arm does on its own when commands stay away: brake and hold, with what it grips."""

from twin.controller import BrakeAndHold as BrakeAndHold
