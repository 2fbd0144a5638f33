"""From the name that a file gives a material to one of ITU-R P.2040 (or water, P.527)."""

from __future__ import annotations

import re

MATERIALS = (
    "very_dry_ground", "medium_dry_ground", "wet_ground", "ceiling_board", "sea_water", "fresh_water",
    "concrete", "brick", "plasterboard", "wood", "glass", "chipboard", "plywood", "marble", "floorboard", "metal",
)  # fmt: skip
DEFAULT = "concrete"
_WORDS = {
    "metal": ("steel", "iron", "aluminium", "aluminum", "copper", "zinc", "tin", "chrome", "metallic"),
    "glass": ("window", "windows", "glazing", "mirror"),
    "wood": ("timber", "wooden", "oak", "pine"),
    "brick": ("bricks", "clay", "tiles", "tile"),
    "plasterboard": ("gypsum", "drywall", "plaster"),
    "concrete": ("asphalt", "cement", "stone", "paving", "screed"),
    "medium_dry_ground": ("grass", "soil", "ground", "earth", "sand"),
    "fresh_water": ("water",),
}
_KNOWN = {**{name: name for name in MATERIALS}, **{word: name for name, words in _WORDS.items() for word in words}}


def material_of(*names: str | None) -> str | None:
    """Return the material that the first telling name stands for: `itu_glass`, `mat-Steel.001`; None if none does."""
    for name in names:
        words = re.sub(r"([a-z])([A-Z])", r"\1_\2", name or "").lower()
        text = f"_{re.sub(r'[^a-z]+', '_', words)}_"
        for word, material in _KNOWN.items():
            if f"_{word}_" in text:
                return material
    return None
