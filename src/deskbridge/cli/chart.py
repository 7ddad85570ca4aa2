"""Figures as a picture: groups of bars, with what they are and a scale."""

from dataclasses import dataclass
from io import BytesIO
from pathlib import Path

from PIL import Image, ImageDraw, ImageFont

WIDTH, HEIGHT = 1200, 640
LEFT, RIGHT, TOP, BOTTOM = 90, 30, 90, 130
COLOURS = ("#2f6fb7", "#d97a2b", "#5b8c5a")
INK, GRID = "#1f2328", "#d8dee4"
MOST_LABELS = 16


@dataclass(frozen=True)
class Chart:
    """What is drawn: for each label one bar of each series."""

    title: str
    labels: list[str]
    series: dict[str, list[float]]


def draw(chart: Chart, path: Path) -> None:
    """Draw a chart into a PNG file, whole or not at all; raises `OSError`."""
    picture = Image.new("RGB", (WIDTH, HEIGHT), "white")
    pen = ImageDraw.Draw(picture)
    top = _round_up(max((value for values in chart.series.values() for value in values), default=0.0))
    _draw_frame(pen, chart, top)
    _draw_bars(pen, chart, top)
    _draw_labels(picture, chart)
    content = BytesIO()
    picture.save(content, "PNG")
    part = path.with_name(f".{path.name}.part")
    try:
        part.write_bytes(content.getvalue())
        part.replace(path)
    finally:
        part.unlink(missing_ok=True)


def _round_up(highest: float) -> float:
    """Return the top of the scale: a number that five steps divide well."""
    step = 1.0
    while step * 5 < highest:
        step *= 2 if str(step)[0] in "15" else 2.5
    return step * 5


def _font(size: int) -> ImageFont.FreeTypeFont | ImageFont.ImageFont:
    return ImageFont.load_default(size)


def _draw_frame(pen: ImageDraw.ImageDraw, chart: Chart, top: float) -> None:
    pen.text((LEFT, 20), chart.title, INK, _font(28))
    for step in range(6):
        y = HEIGHT - BOTTOM - step * (HEIGHT - TOP - BOTTOM) / 5
        pen.line((LEFT, y, WIDTH - RIGHT, y), GRID)
        pen.text((LEFT - 10, y), f"{top * step / 5:g}", INK, _font(16), anchor="rm")
    for place, name in enumerate(chart.series):
        x = LEFT + 180 * place
        pen.rectangle((x, 60, x + 14, 74), COLOURS[place])
        pen.text((x + 22, 67), name, INK, _font(16), anchor="lm")


def _draw_bars(pen: ImageDraw.ImageDraw, chart: Chart, top: float) -> None:
    slot = (WIDTH - LEFT - RIGHT) / max(1, len(chart.labels))
    width = slot * 0.8 / len(chart.series)
    for place, values in enumerate(chart.series.values()):
        for index, value in enumerate(values):
            x = LEFT + index * slot + slot * 0.1 + place * width
            y = HEIGHT - BOTTOM - value / top * (HEIGHT - TOP - BOTTOM)
            pen.rectangle((x, y, x + max(1.0, width - 1), HEIGHT - BOTTOM), COLOURS[place])


def _draw_labels(picture: Image.Image, chart: Chart) -> None:
    """Write labels upwards at a slant; of many, some."""
    slot = (WIDTH - LEFT - RIGHT) / max(1, len(chart.labels))
    every = -(-len(chart.labels) // MOST_LABELS) or 1
    for index in range(0, len(chart.labels), every):
        label = Image.new("RGBA", (170, 20), (255, 255, 255, 0))
        ImageDraw.Draw(label).text((168, 10), chart.labels[index][:20], INK, _font(14), anchor="rm")
        turned = label.rotate(35, expand=True)
        x = round(LEFT + (index + 0.5) * slot - turned.width + 8)
        picture.paste(turned, (x, HEIGHT - BOTTOM + 6), turned)
