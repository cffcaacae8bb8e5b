"""Every pair of text and ground in the palette can be read: WCAG 2.2 AA, 4.5 to 1."""

from __future__ import annotations

import re

import pytest

from bot.console.pages import STATIC

TOKENS = dict(re.findall(r"--([\w-]+): (#[0-9a-f]{6})", (STATIC / "tokens.css").read_text(encoding="utf-8")))
PAIRS = [
    *((text, ground) for text in ("ink", "quiet") for ground in ("paper", "ground", "sunken")),
    *((text, ground) for text in ("accent", "red", "amber") for ground in ("paper", "ground")),
    ("accent-ink", "accent"),
    ("accent-ink", "red"),
    ("accent-strong", "accent-soft"),
    ("red", "red-soft"),
    ("amber", "amber-soft"),
    ("amber", "note"),
    ("blue", "blue-soft"),
    ("violet", "violet-soft"),
    ("quiet", "red-soft"),
    ("quiet", "amber-soft"),
    ("quiet", "accent-soft"),
    ("rail-ink", "rail"),
]


def _luminance(colour: str) -> float:
    parts = (int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5))
    red, green, blue = (
        part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts
    )
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


@pytest.mark.parametrize(("text", "ground"), PAIRS)
def test_it_can_be_read(text: str, ground: str) -> None:
    dark, light = sorted((_luminance(TOKENS[text]), _luminance(TOKENS[ground])))
    assert (light + 0.05) / (dark + 0.05) >= 4.5
