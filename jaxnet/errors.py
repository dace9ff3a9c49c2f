"""The exceptions of jaxnet, which state the problem and its remedy, and checks of arguments."""

import linecache
import math
import numbers
import traceback
from collections.abc import Collection
from typing import Any

from jaxnet.display import ipython_shell


class JaxnetError(Exception):
    """The base class of all errors that jaxnet raises intentionally.

    Args:
        found: What is wrong, as one clause that names the file, option or value.
        expected: What was expected instead.
        remedy: What the user can do about it.
    """

    def __init__(self, found: str, expected: str, remedy: str) -> None:
        super().__init__(found, expected, remedy)
        self.found = found
        self.expected = expected
        self.remedy = remedy

    def __str__(self) -> str:
        return f"{self.found}\n  expected: {self.expected}\n  to do:    {self.remedy}"

    def _render_traceback_(self) -> list[str]:
        """Return what IPython prints: the message and the line of the cell, without the frames.

        In any mode but IPython's usual one, as after `%tb Plain`, the frames are printed, too.
        """
        formatter = getattr(ipython_shell(), "InteractiveTB", None)
        if formatter is not None and formatter.mode != "Context":
            stack: list[str] = formatter.structured_traceback(type(self), self, self.__traceback__)
            return stack
        lines = f"{type(self).__name__}: {self}".splitlines()
        frames = traceback.walk_tb(self.__traceback__)
        own = [place for place in frames if place[0].f_globals.get("__name__") == "__main__"]
        if own:
            frame, number = own[-1]
            code = linecache.getline(frame.f_code.co_filename, number, frame.f_globals).strip()
            lines.append(f"  line {number}:".ljust(12) + code)
        return [*lines, "%tb Plain prints where in jaxnet it was raised"]


class DataError(JaxnetError, ValueError):
    """Pictures, labels or arrays that cannot be used."""


class ModelFileError(JaxnetError):
    """A model file that cannot be used."""


class UsageError(JaxnetError, ValueError):
    """Settings that do not fit together, or a value outside its range."""


class DivergenceError(JaxnetError):
    """A cost or a parameter that became NaN or infinite during training.

    A run whose outcome is "diverged" has finite costs, and raises nothing.

    Attributes:
        fit: The result of training up to the last finite parameters and cost.
    """

    def __init__(self, found: str, expected: str, remedy: str, fit: Any) -> None:
        super().__init__(found, expected, remedy)
        self.args = (found, expected, remedy, fit)  # what pickle passes to __init__
        self.fit = fit


def require_number(name: str, value: object, least: float, greatest: float) -> None:
    """Raise a UsageError unless `value` is a finite number from `least` to `greatest`.

    An array of shape () counts as a number. A value that JAX traces is not checked.
    """
    if isinstance(value, bool) or not (
        isinstance(value, numbers.Real) or getattr(value, "shape", None) == ()
    ):
        raise UsageError(f"{name} is {_short(value)}", "a number", f"give a number as {name}")
    try:
        number = float(value)  # type: ignore[arg-type]
    except TypeError:  # JAX raises it, since a traced value is known only when the program runs
        return
    if not (least <= number <= greatest and math.isfinite(number)):
        raise UsageError(
            f"{name} is {value}", _range("a finite number", least, greatest), f"give such a {name}"
        )


def require_integer(name: str, value: object, least: float, greatest: float = math.inf) -> None:
    """Raise a UsageError unless `value` is of an integer type, from `least` to `greatest`."""
    if not isinstance(value, numbers.Integral) or isinstance(value, bool):
        whole = (
            isinstance(value, numbers.Real)
            and not isinstance(value, bool)
            and float(value).is_integer()
        )
        raise UsageError(
            f"{name} is {_short(value)}",
            "an integer",
            f"write {name}={int(value)}" if whole else f"give an integer as {name}",  # type: ignore[call-overload]
        )
    if not least <= int(value) <= greatest:
        raise UsageError(
            f"{name} is {value}", _range("an integer", least, greatest), f"give such a {name}"
        )


def require_choice(name: str, value: object, choices: Collection[str]) -> None:
    """Raise a UsageError unless the setting `name` has one of the values in `choices`."""
    if not isinstance(value, str) or value not in choices:
        raise UsageError(
            f"{name} is {_short(value)}",
            " or ".join(f'"{choice}"' for choice in choices),
            f"choose one of these for {name}",
        )


def require_kind(name: str, value: object, *kinds: type) -> None:
    """Raise a UsageError unless an argument is of one of these classes."""
    if not isinstance(value, kinds):
        named = [kind.__name__ for kind in kinds]
        expected = " or ".join(f"{'an' if each[0] in 'AEIOU' else 'a'} {each}" for each in named)
        raise UsageError(
            f"{name} is of type {type(value).__name__}", expected, f"give {expected} as {name}"
        )


def _short(value: object) -> str:
    """Format a value in one line for a message, with its type unless it is a string."""
    if isinstance(value, str):
        return f'"{value}"'
    text = " ".join(repr(value).split())
    return f"{text if len(text) < 60 else text[:57] + '…'} of type {type(value).__name__}"


def _range(kind: str, least: float, greatest: float) -> str:
    if math.isfinite(least) and math.isfinite(greatest) and greatest < 1e300:
        return f"{kind} from {least:g} to {greatest:,.15g}"
    return f"{kind}, {least:g} or more"
