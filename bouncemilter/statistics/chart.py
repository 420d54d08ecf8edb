"""Where the marks of a chart stand: heights in pixels, places across in percent, so that no text shrinks on a phone."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from bouncemilter.statistics.report import TARGET, Line

HEIGHT: Final = 150.0
"""Of the plot, in pixels."""
LEFT: Final = 10.0
"""Percent that the labels of the upright axis take."""
_LINE: Final = 14.0
"""Pixels of a line of text: labels that are closer lie on each other."""
PARTS: Final = ("hard", "soft", "block")


@dataclass(frozen=True, slots=True)
class Bar:
    """One part of one day's bar."""

    part: str
    x: float
    width: float
    y: float
    height: float


@dataclass(frozen=True, slots=True)
class Column:
    """One day."""

    line: Line
    x: float
    """Its middle."""
    bars: tuple[Bar, ...]


@dataclass(frozen=True, slots=True)
class Bars:
    """A bar for each day, of its parts one above the other."""

    columns: tuple[Column, ...]
    ticks: tuple[tuple[float, int], ...]
    """(y, value)"""
    labels: tuple[tuple[float, str, str], ...]
    """(x, text, where the text begins: start, middle or end)"""


@dataclass(frozen=True, slots=True)
class Point:
    """A day's share of delivered messages."""

    line: Line
    x: float
    y: float


@dataclass(frozen=True, slots=True)
class Curve:
    """The share of delivered messages, with the target."""

    points: tuple[Point, ...]
    segments: tuple[tuple[Point, Point], ...]
    """Between days that follow each other."""
    target_y: float
    ticks: tuple[tuple[float, float], ...]
    """(y, share)"""
    labels: tuple[tuple[float, str, str], ...]


def bars(lines: Sequence[Line]) -> Bars:
    """What came back each day."""
    top = _round_up(max((line.counts.failed for line in lines), default=0))
    step = (100 - LEFT) / max(1, len(lines))
    columns = []
    for index, line in enumerate(lines):
        x, y, found = LEFT + step * index, HEIGHT, []
        for part in PARTS:
            height = getattr(line.counts, part) / top * HEIGHT
            y -= height
            if height:
                found.append(Bar(part, _two(x + step * 0.12), _two(step * 0.76), _two(y), _two(height)))
        columns.append(Column(line, _two(x + step / 2), tuple(found)))
    ticks = tuple((_two(HEIGHT - HEIGHT * share), int(top * share)) for share in (0.0, 0.5, 1.0))
    return Bars(tuple(columns), ticks, _labels(lines, step))


def curve(lines: Sequence[Line]) -> Curve | None:
    """The share of each day; None where none is known."""
    known = [line.arrived for line in lines if line.arrived is not None]
    if not known:
        return None
    # So much below the target that the worst day is on it; the top is always 100 %.
    bottom = min(0.95, *(int(share * 20) / 20 for share in known))
    step = (100 - LEFT) / max(1, len(lines))

    def height(share: float) -> float:
        return _two(HEIGHT - (share - bottom) / (1 - bottom) * HEIGHT)

    points = {
        index: Point(line, _two(LEFT + step * (index + 0.5)), height(line.arrived))
        for index, line in enumerate(lines)
        if line.arrived is not None
    }
    segments = tuple((point, points[index + 1]) for index, point in points.items() if index + 1 in points)
    target = height(TARGET)
    shares = (bottom, 1.0) if target > _LINE else (bottom,)
    ticks = tuple((height(share), share) for share in shares)
    return Curve(tuple(points.values()), segments, target, ticks, _labels(lines, step))


def _labels(lines: Sequence[Line], step: float) -> tuple[tuple[float, str, str], ...]:
    if not lines:
        return ()
    last = len(lines) - 1
    chosen = sorted({0, last // 2, last} if last > 1 else {0, last})
    anchors = {0: "start", last: "end"} if last else {0: "middle"}
    return tuple(
        (
            _two(LEFT + step * (index + {"start": 0.0, "middle": 0.5, "end": 1.0}[anchors.get(index, "middle")])),
            lines[index].name,
            anchors.get(index, "middle"),
        )
        for index in chosen
    )


def _round_up(value: int) -> int:
    """The next of 2, 4, 6, 8, 10, 20, 40, 60, …: halves are whole numbers."""
    unit = 1
    while value > 10 * unit:
        unit *= 10
    return next(top * unit for top in (2, 4, 6, 8, 10) if value <= top * unit)


def _two(value: float) -> float:
    return round(value, 2)
