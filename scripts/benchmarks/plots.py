"""Plots as SVG, without dependencies: bars with a mark at their budget, lines over the number of models."""

from __future__ import annotations

import math
from html import escape
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

__all__ = ["Bar", "Line", "bars", "lines"]

_WIDTH = 760
_ROW, _LABEL_WIDTH, _MARGIN = 24, 400, 34
_HEIGHT, _LEFT, _BOTTOM = 300, 70, 40
_COLOURS = ("#3465a4", "#c17d11", "#4e9a06", "#75507b")
_GOOD, _BAD, _INK = "#4e9a06", "#cc0000", "#555753"


class Bar(NamedTuple):
    """A bar, as long as its share of the budget; 1 is the limit."""

    label: str
    share: float
    note: str


class Line(NamedTuple):
    """A line: its name and its points (models, value)."""

    name: str
    points: Sequence[tuple[float, float]]


def bars(title: str, rows: Sequence[Bar]) -> str:
    """Return a plot with one bar per row; bars beyond the limit are red.

    >>> bars("t", [Bar("a<b", 0.5, "0.5 x")]).count("a&lt;b")
    1
    """
    room = _WIDTH - _LABEL_WIDTH - 90
    most = max(1.2, *(min(row.share, 3.0) for row in rows)) if rows else 1.2
    parts = [_text(10, 20, title, bold=True)]
    for number, row in enumerate(rows):
        top = _MARGIN + number * _ROW
        length = min(row.share, most) / most * room
        parts += [
            _text(_LABEL_WIDTH - 8, top + 15, row.label, anchor="end"),
            _rectangle(_LABEL_WIDTH, top + 4, length, _GOOD if row.share <= 1 else _BAD),
            _text(_LABEL_WIDTH + length + 6, top + 15, row.note),
        ]
    limit, height = _LABEL_WIDTH + room / most, _MARGIN + len(rows) * _ROW + 8
    parts.append(
        f'<path d="M{limit:.1f} {_MARGIN - 4}V{height - 4}" stroke="{_INK}" stroke-dasharray="4 3"/>'
    )
    return _svg(height, parts)


def lines(title: str, unit: str, series: Sequence[Line]) -> str:
    """Return a plot of values over the number of models, both on logarithmic scales."""
    points = [point for line in series for point in line.points if min(point) > 0]
    if not points:
        return _svg(_MARGIN, [_text(10, 20, title, bold=True)])
    across, up = (_Axis.of([point[axis] for point in points]) for axis in (0, 1))
    width, height = _WIDTH - _LEFT - 170, _HEIGHT - _MARGIN - _BOTTOM

    def place(point: tuple[float, float]) -> tuple[float, float]:
        return _LEFT + across.share(point[0]) * width, _HEIGHT - _BOTTOM - up.share(point[1]) * height

    parts = [_text(10, 20, f"{title} ({unit})", bold=True)]
    for value in up.marks():
        y = place((across.low, value))[1]
        parts.append(f'<path d="M{_LEFT} {y:.1f}h{width}" stroke="#d3d7cf"/>')
        parts.append(_text(_LEFT - 6, y + 4, f"{value:g}", anchor="end"))
    foot = _HEIGHT - _BOTTOM + 18
    parts += [
        _text(place((value, up.low))[0], foot, f"{value:,.0f}", anchor="middle") for value in across.marks()
    ]
    for number, line in enumerate(series):
        parts += _drawn(line, [place(point) for point in line.points if min(point) > 0], number)
    return _svg(_HEIGHT, parts)


class _Axis(NamedTuple):
    low: float
    high: float

    @classmethod
    def of(cls, values: Sequence[float]) -> _Axis:
        low, high = math.floor(math.log10(min(values))), math.ceil(math.log10(max(values)))
        return cls(10.0**low, 10.0 ** max(high, low + 1))

    def share(self, value: float) -> float:
        return math.log(value / self.low) / math.log(self.high / self.low)

    def marks(self) -> Iterator[float]:
        value = self.low
        while value <= self.high * 1.001:
            yield value
            value *= 10


def _drawn(line: Line, places: Sequence[tuple[float, float]], number: int) -> Iterator[str]:
    colour = _COLOURS[number % len(_COLOURS)]
    path = " ".join(f"{x:.1f},{y:.1f}" for x, y in places)
    yield f'<polyline points="{path}" fill="none" stroke="{colour}" stroke-width="2"/>'
    for x, y in places:
        yield f'<circle cx="{x:.1f}" cy="{y:.1f}" r="3.5" fill="{colour}"/>'
    yield _text(_WIDTH - 162, _MARGIN + 16 + 20 * number, line.name, colour=colour)


def _rectangle(x: float, y: float, width: float, colour: str) -> str:
    return f'<rect x="{x}" y="{y}" width="{width:.1f}" height="14" fill="{colour}"/>'


def _text(
    x: float, y: float, text: str, *, anchor: str = "start", bold: bool = False, colour: str = _INK
) -> str:
    weight = ' font-weight="bold"' if bold else ""
    return (
        f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}" fill="{colour}"{weight}>{escape(text)}</text>'
    )


def _svg(height: float, parts: Sequence[str]) -> str:
    head = f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH} {height:.0f}" '
    style = 'font-family="sans-serif" font-size="13">'
    return "\n".join([head + style, '<rect width="100%" height="100%" fill="white"/>', *parts, "</svg>", ""])
