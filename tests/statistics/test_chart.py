"""Charts: their marks stand within the plot, and say what the lines say."""

from __future__ import annotations

import pytest

from bouncemilter.statistics import chart
from bouncemilter.statistics.report import Counts, Line


@pytest.mark.parametrize("values", [[0], [1], [3, 0, 7], [11] * 31, [1, 10**6], list(range(400))])
def test_bars(values: list[int]) -> None:
    """Every bar is as high as its number, none leaves the plot, and the axis has whole numbers."""
    drawn = chart.bars([Line(str(n), Counts(hard=n, soft=n)) for n in values])
    top = drawn.ticks[-1][1]
    assert top >= 2 * max(values)
    assert drawn.ticks[1][1] * 2 == top
    for n, column in zip(values, drawn.columns, strict=True):
        assert sum(bar.height for bar in column.bars) == pytest.approx(2 * n / top * chart.HEIGHT, abs=0.02)
        assert all(bar.y >= 0 and bar.x >= chart.LEFT and bar.x + bar.width <= 100 for bar in column.bars)
    assert len(drawn.labels) == min(3, len(values))


@pytest.mark.parametrize(("value", "top"), [(0, 2), (3, 4), (44, 60), (100, 100), (101, 200)])
def test_axis(value: int, top: int) -> None:
    """The axis ends at a round number that leaves little of the plot empty."""
    assert chart.bars([Line("1", Counts(hard=value))]).ticks[-1][1] == top


def test_curve() -> None:
    """Days without a rate are left out, days that follow each other are joined, the target is between the ends."""
    lines = [Line(str(n), Counts(hard=n), sent, n) for n, sent in ((1, 100), (5, 100), (0, None), (50, 100))]
    drawn = chart.curve(lines)
    assert drawn is not None
    assert [point.line.name for point in drawn.points] == ["1", "5", "50"]
    assert [(a.line.name, b.line.name) for a, b in drawn.segments] == [("1", "5")]
    assert all(0 <= point.y <= chart.HEIGHT for point in drawn.points)
    assert 0 < drawn.target_y < chart.HEIGHT
    assert chart.curve([Line("1")]) is None
