"""How sure a figure is: 95 % intervals of shares, of quantiles, and of the difference of two shares."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Final

Z: Final = 1.96


def wilson(good: int, count: int) -> tuple[float, float]:
    """The 95 % interval of a share (Wilson, 1927).

    >>> tuple(round(bound, 3) for bound in wilson(8, 10))
    (0.49, 0.943)
    """
    if count == 0:
        return 0.0, 1.0
    share = good / count
    centre = share + Z * Z / (2 * count)
    spread = Z * math.sqrt((share * (1 - share) + Z * Z / (4 * count)) / count)
    scale = 1 + Z * Z / count
    return (centre - spread) / scale, (centre + spread) / scale


def quantile(values: Sequence[float], share: float) -> tuple[float, float, float]:
    """The value below which so large a share lies, and its 95 % interval by order statistics.

    `values` must be sorted and not empty. The interval assumes nothing of how they are distributed.

    >>> quantile(range(1, 102), 0.5)
    (51, 41, 61)
    """
    count = len(values)
    spread = Z * math.sqrt(count * share * (1 - share))
    low, high = math.floor(count * share - spread), math.ceil(count * share + spread) - 1
    place = min(count - 1, math.ceil(count * share) - 1)
    return values[place], values[max(0, low)], values[min(count - 1, max(high, place))]


def difference(good: int, count: int, other_good: int, other_count: int) -> tuple[float, float, float]:
    """How much larger the first share is than the second, and the 95 % interval (Newcombe, 1998, method 10).

    Both counts must be positive.

    >>> tuple(round(bound, 3) for bound in difference(56, 70, 48, 80))
    (0.2, 0.052, 0.334)
    """
    share, other = good / count, other_good / other_count
    low, high = wilson(good, count)
    other_low, other_high = wilson(other_good, other_count)
    gap = share - other
    return (
        gap,
        gap - math.hypot(share - low, other_high - other),
        gap + math.hypot(high - share, other - other_low),
    )
