"""Promise against actual, drawn as SVG: pure, by attributes alone, so that no policy has to allow styles."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from xml.sax.saxutils import escape

WIDTH, PANEL = 860, 200  # of a drawing, and the height of each part of it
LEFT, RIGHT, TOP, BOTTOM = 52, 16, 34, 28
# Words take the colour of the page that they stand on, light or dark.
INK, EDGE = "currentColor", "#94a3b8"
BAR, LINE, OUT, DOT, BAND = "#0f766e", "#b45309", "#b91c1c", "#0f766e", "#ccfbf1"


@dataclass(frozen=True, slots=True)
class Day:
    """The waits that began on a day: the share inside the range told, and the mean error of its middle in minutes."""

    on: date
    waits: int
    inside: float
    mean_error: float
    mean_wait: float


def days(rows: Sequence[Day], *, title: str, goal: tuple[float, float]) -> str:
    """Above, the share inside the range of each day, with the `goal` as a band; below, mean wait and mean error."""
    return document(2 * PANEL, title, [*shares(rows, goal), *errors(rows)])


def shares(rows: Sequence[Day], goal: tuple[float, float]) -> Iterable[str]:
    yield from frame(0, "Waits inside the range that was told", ["0 %", "50 %", "100 %"])
    low, high = goal
    yield rectangle(LEFT, height(0, high), WIDTH - LEFT - RIGHT, height(0, low) - height(0, high), BAND)
    for number, day in enumerate(rows):
        x, width = column(number, len(rows))
        top = height(0, day.inside)
        words = f"{day.on}: {day.inside:.0%} of {day.waits} waits inside"
        yield rectangle(x, top, width, height(0, 0) - top, BAR if day.inside >= low else OUT, words)
    yield from dates(0, rows)


def errors(rows: Sequence[Day]) -> Iterable[str]:
    most = max([*(day.mean_wait for day in rows), *(day.mean_error for day in rows), 1.0])
    yield from frame(1, "Minutes: mean wait (bars), mean error of the middle of the range (line)", scale(most))
    for number, day in enumerate(rows):
        x, width = column(number, len(rows))
        top = height(1, day.mean_wait / most)
        words = f"{day.on}: mean wait {day.mean_wait:.1f} min, mean error {day.mean_error:.1f} min"
        yield rectangle(x, top, width, height(1, 0) - top, EDGE, words)
    points = " ".join(
        f"{middle(number, len(rows)):.1f},{height(1, day.mean_error / most):.1f}" for number, day in enumerate(rows)
    )
    if len(rows) > 1:
        yield f'<polyline points="{points}" fill="none" stroke="{LINE}" stroke-width="2"/>'
    for number, day in enumerate(rows):
        yield dot(middle(number, len(rows)), height(1, day.mean_error / most), LINE, 3)
    yield from dates(1, rows)


def against(pairs: Sequence[tuple[float, float]], *, title: str, panel: int, most: float) -> Iterable[str]:
    """What was told (across) against what was (up), in minutes, each a dot; on the line they are the same."""
    yield from frame(panel, title, scale(most))
    across = WIDTH - LEFT - RIGHT
    yield (
        f'<line x1="{LEFT}" y1="{height(panel, 0):.1f}" x2="{WIDTH - RIGHT}" y2="{height(panel, 1):.1f}" '
        f'stroke="{LINE}"/>'
    )
    for told, waited in pairs:
        if told <= most and waited <= most:
            yield dot(LEFT + across * told / most, height(panel, waited / most), DOT, 1.2, 0.35)
    for part in (0.5, 1):
        yield words_at(LEFT + across * part, height(panel, 0) + 16, f"{most * part:.0f} told", "end")


def document(tall: float, title: str, parts: Iterable[str]) -> str:
    """The SVG of `parts`, as high as `tall`."""
    opening = (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {tall:.0f}" width="100%" role="img" '
        f'font-family="sans-serif" font-size="12"><title>{escape(title)}</title>'
    )
    return "\n".join([opening, *parts, "</svg>\n"])


def frame(panel: int, title: str, marks: Sequence[str]) -> Iterable[str]:
    """The heading of a panel, and its horizontal lines, with their words from below."""
    yield words_at(LEFT, panel * PANEL + 18, title, "start")
    for number, mark in enumerate(marks):
        y = height(panel, number / (len(marks) - 1))
        yield f'<line x1="{LEFT}" y1="{y:.1f}" x2="{WIDTH - RIGHT}" y2="{y:.1f}" stroke="{EDGE}" stroke-width="0.5"/>'
        yield words_at(LEFT - 6, y + 4, mark, "end")


def dates(panel: int, rows: Sequence[Day]) -> Iterable[str]:
    every = max(1, -(-len(rows) // 10))
    for number in range(0, len(rows), every):
        yield words_at(middle(number, len(rows)), height(panel, 0) + 16, f"{rows[number].on:%b %-d}", "middle")


def scale(most: float) -> list[str]:
    return ["0", f"{most / 2:.0f}" if most >= 4 else f"{most / 2:.1f}", f"{most:.0f}" if most >= 4 else f"{most:.1f}"]


def height(panel: int, part: float) -> float:
    """How far down `part` (0 to 1) of a panel's height is."""
    tall = PANEL - TOP - BOTTOM
    return panel * PANEL + TOP + tall * (1 - min(max(part, 0.0), 1.0))


def column(number: int, count: int) -> tuple[float, float]:
    """Where a day's bar begins, and how wide it is."""
    each = (WIDTH - LEFT - RIGHT) / max(count, 1)
    return LEFT + number * each + each * 0.15, each * 0.7


def middle(number: int, count: int) -> float:
    x, width = column(number, count)
    return x + width / 2


def rectangle(x: float, y: float, width: float, tall: float, colour: str, words: str = "") -> str:
    said = f"<title>{escape(words)}</title>" if words else ""
    return f'<rect x="{x:.1f}" y="{y:.1f}" width="{width:.1f}" height="{tall:.1f}" fill="{colour}">{said}</rect>'


def dot(x: float, y: float, colour: str, radius: float, opacity: float = 1) -> str:
    return f'<circle cx="{x:.1f}" cy="{y:.1f}" r="{radius}" fill="{colour}" fill-opacity="{opacity}"/>'


def words_at(x: float, y: float, words: str, anchor: str) -> str:
    return f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}" fill="{INK}">{escape(words)}</text>'
