"""The colour tokens, proved: inside sRGB, enough contrast, and apart for colour-blind eyes.

The numbers are read from tokens.css, so that what is proved is what is served.
"""

import itertools
import math
import re
from functools import cache

import pytest

from deskbridge.ui.assets import STATIC

Rgb = tuple[float, float, float]

MODES = ("light", "dark")
TEXT, LARGE, STRONG = 4.5, 3, 7
PAIRS = [
    ("ink", "bg", STRONG), ("ink", "surface", STRONG), ("ink", "surface-3", STRONG), ("ink", "note-bg", STRONG),
    ("ink-2", "surface", TEXT), ("ink-2", "surface-2", TEXT), ("ink-2", "surface-3", TEXT),
    ("ink-3", "bg", TEXT), ("ink-3", "surface", TEXT), ("ink-3", "surface-2", TEXT), ("ink-3", "note-bg", TEXT),
    ("ink-3", "accent-soft", TEXT),
    ("accent", "surface", TEXT), ("accent", "bg", TEXT), ("accent", "surface-2", TEXT), ("accent", "accent-soft", TEXT),
    ("on-accent", "accent", TEXT), ("on-accent", "accent-strong", TEXT),
    ("surface", "danger", TEXT), ("bg", "ink", TEXT),
    ("warn", "note-bg", TEXT), ("danger", "note-bg", TEXT),
    ("line-strong", "surface", LARGE), ("line-strong", "bg", LARGE),
    ("focus", "surface", LARGE), ("focus", "bg", LARGE), ("focus", "surface-3", LARGE),
    *[(hue, ground, TEXT) for hue in ("info", "ok", "warn", "danger") for ground in ("surface", "bg", "surface-2")],
    *[(hue, f"{hue}-soft", TEXT) for hue in ("info", "ok", "warn", "danger")],
    *[("ink", f"{hue}-soft", STRONG) for hue in ("info", "ok", "warn", "danger")],
]  # fmt: skip
# Machado et al. 2009, severity 1.0, applied in linear RGB.
BLINDNESS = {
    "protan": ((0.152286, 1.052583, -0.204868), (0.114503, 0.786281, 0.099216), (-0.003882, -0.048116, 1.051998)),
    "deutan": ((0.367322, 0.860646, -0.227968), (0.280085, 0.672501, 0.047413), (-0.011820, 0.042940, 0.968881)),
    "tritan": ((1.255528, -0.076749, -0.178779), (-0.078411, 0.930809, 0.147602), (0.004733, 0.691367, 0.303900)),
}
SMALLEST_DISTANCE = 7.0  # OKLab × 100, between the four meanings


@cache
def colours(mode: str) -> dict[str, Rgb]:
    """Every `--name: light-dark(oklch(…), oklch(…))` of the tokens, in linear RGB."""
    css = (STATIC / "css/tokens.css").read_text()
    number = r"oklch\(([\d.]+)% ([\d.]+) ([\d.]+)\)"
    found = re.findall(rf"--([\w-]+): light-dark\({number}, {number}\)", css)
    start = 1 + 3 * MODES.index(mode)
    return {row[0]: from_oklch(float(row[start]) / 100, *map(float, row[start + 1 : start + 3])) for row in found}


def from_oklch(lightness: float, chroma: float, hue: float) -> Rgb:
    a, b = chroma * math.cos(math.radians(hue)), chroma * math.sin(math.radians(hue))
    long = (lightness + 0.3963377774 * a + 0.2158037573 * b) ** 3
    medium = (lightness - 0.1055613458 * a - 0.0638541728 * b) ** 3
    short = (lightness - 0.0894841775 * a - 1.2914855480 * b) ** 3
    return (
        4.0767416621 * long - 3.3077115913 * medium + 0.2309699292 * short,
        -1.2684380046 * long + 2.6097574011 * medium - 0.3413193965 * short,
        -0.0041960863 * long - 0.7034186147 * medium + 1.7076147010 * short,
    )


def to_oklab(rgb: Rgb) -> Rgb:
    red, green, blue = clamp(rgb)
    cone = (
        math.cbrt(0.4122214708 * red + 0.5363325363 * green + 0.0514459929 * blue),
        math.cbrt(0.2119034982 * red + 0.6806995451 * green + 0.1073969566 * blue),
        math.cbrt(0.0883024619 * red + 0.2817188376 * green + 0.6299787005 * blue),
    )
    long, medium, short = cone
    return (
        0.2104542553 * long + 0.7936177850 * medium - 0.0040720468 * short,
        1.9779984951 * long - 2.4285922050 * medium + 0.4505937099 * short,
        0.0259040371 * long + 0.7827717662 * medium - 0.8086757660 * short,
    )


def clamp(rgb: Rgb) -> Rgb:
    red, green, blue = (min(1.0, max(0.0, part)) for part in rgb)
    return red, green, blue


def contrast(one: Rgb, other: Rgb) -> float:
    low, high = sorted(0.2126 * r + 0.7152 * g + 0.0722 * b for r, g, b in (clamp(one), clamp(other)))
    return (high + 0.05) / (low + 0.05)


def seen_by(rgb: Rgb, blindness: str) -> Rgb:
    red, green, blue = (sum(m * part for m, part in zip(row, rgb, strict=True)) for row in BLINDNESS[blindness])
    return red, green, blue


@pytest.mark.parametrize("mode", MODES)
def test_every_colour_exists_on_screens(mode):
    assert len(colours(mode)) == 23
    outside = {name for name, rgb in colours(mode).items() if not all(-0.002 <= part <= 1.002 for part in rgb)}
    assert not outside


@pytest.mark.parametrize("mode", MODES)
def test_contrast(mode):
    palette = colours(mode)
    weak = [
        f"{front} on {ground}: {contrast(palette[front], palette[ground]):.2f} < {least}"
        for front, ground, least in PAIRS
        if contrast(palette[front], palette[ground]) < least
    ]
    assert not weak


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("blindness", BLINDNESS)
def test_meanings_stay_apart_for_colour_blind_eyes(mode, blindness):
    palette = colours(mode)
    for one, other in itertools.combinations(("info", "ok", "warn", "danger"), 2):
        seen = [to_oklab(seen_by(palette[name], blindness)) for name in (one, other)]
        assert math.dist(*seen) * 100 >= SMALLEST_DISTANCE, (one, other)
