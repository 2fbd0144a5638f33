"""Words for what happens in a run, the same in pictures, pages and tables."""

from __future__ import annotations

EVENT_WORDS = {
    "failsafe": "failsafe takes over",
    "on failsafe": "on failsafe",
    "mode": "failsafe changes mode",
    "recovered": "failsafe ends",
    "clipped": "command beyond limits",
    "zeroed": "command timed out",
    "too fast": "faster than physics resolves",
    "broken": "broken by a collision",
    "torn off": "part torn off",
    "unheard": "packet nobody hears",
}


def event_words(kind: str) -> str:
    """Return an event's kind in words; those that say it themselves stay as they are."""
    return EVENT_WORDS.get(kind, kind)
