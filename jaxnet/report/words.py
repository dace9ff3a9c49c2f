"""Phrases that several reports share: counts, lists of pictures, intervals, changes."""

import math
import re
from collections.abc import Iterable, Mapping

from jaxnet.evaluation.scores import Interval

SHOWN = 3  # things that a sentence names, of many


def count(number: int, kind: str) -> str:
    """Count things, as "1 pair" or "2 pairs"."""
    return f"{number:,} {kind}{'' if number == 1 else 's'}"


def some(things: Iterable[object]) -> str:
    """Name the first things, and count the others."""
    names = [str(thing) for thing in things]
    more = len(names) - SHOWN
    return ", ".join(names[:SHOWN]) + (f" and {more} more" if more > 0 else "")


def with_interval(interval: Interval, *, percent: bool) -> str:
    """Write a number with its confidence interval, as "68.0 % [54.2–79.2 %]" or "0.613"."""
    if not math.isfinite(interval.value):
        return "not defined"
    scale, digits = (100, 1) if percent else (1, 3)
    value, low, high = (f"{scale * number:.{digits}f}" for number in interval)
    unit = " %" if percent else ""
    return f"{value}{unit}" + (f" [{low}–{high}{unit}]" if math.isfinite(interval.low) else "")


def signed(number: float) -> str:
    """Write a number with its sign and two decimals; the minus is as wide as the plus."""
    return f"{number:+.2f}".replace("-", "−")


def with_outcomes(counts: Mapping[str, int]) -> str:
    """List how many networks have each outcome, as "1 dead, 63 learning"; "" is to be trained."""
    return ", ".join(
        f"{number:,} {outcome or 'to be trained'}" for outcome, number in counts.items() if number
    )


def in_short(value: float | str | tuple[float, float], digits: int = 3) -> str:
    """Write a learning rate, a pair of them, or a weight scale, with so many digits."""
    if isinstance(value, tuple):
        return " / ".join(in_short(number, digits) for number in value)
    # Rounded first, so that 100 is not written 1e+02.
    return value if isinstance(value, str) else f"{float(f'{value:.{digits}g}'):g}"


def in_python(text: str) -> str:
    """Name the options of a text as arguments: --learning-rate becomes learning_rate."""
    text = text.replace("jaxnet train --", "--")
    return re.sub(r"--([a-z-]+)", lambda option: option[1].replace("-", "_"), text)
