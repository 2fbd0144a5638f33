"""Robots of a fleet: lanes, right of way and goals are the business of one fleet manager at the edge."""

from twin.controller import Fleet as Managed


class Fleet(Managed):
    """Drives one robot along the lanes that the fleet manager grants it."""
