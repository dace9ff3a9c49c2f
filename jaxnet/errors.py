"""What can go wrong: each error says what was found, what was expected, and what to do."""

import numbers
from collections.abc import Collection
from typing import Any


class JaxnetError(Exception):
    """The root of every error that jaxnet raises on purpose.

    Args:
        found: What is there, as one clause that names the file, option or value.
        expected: What should have been there.
        remedy: What the reader can do about it.
    """

    def __init__(self, found: str, expected: str, remedy: str) -> None:
        super().__init__(found, expected, remedy)
        self.found = found
        self.expected = expected
        self.remedy = remedy

    def __str__(self) -> str:
        return f"{self.found}\n  expected: {self.expected}\n  to do:    {self.remedy}"


class DataError(JaxnetError):
    """Pictures or labels that cannot be used."""


class ModelFileError(JaxnetError):
    """A model file that cannot be used."""


class UsageError(JaxnetError):
    """Settings that do not fit together, or a value outside its range."""


class DivergenceError(JaxnetError):
    """A cost or a parameter that stopped being a finite number during training.

    A run whose outcome is "diverged" has finite costs, and raises nothing.

    Attributes:
        fit: What training had reached: the last state whose parameters and cost were finite.
    """

    def __init__(self, found: str, expected: str, remedy: str, fit: Any) -> None:
        super().__init__(found, expected, remedy)
        self.args = (found, expected, remedy, fit)  # so that it can be pickled
        self.fit = fit


def require_number(name: str, value: object, least: float, greatest: float) -> None:
    """Raise a UsageError if `value` is a plain number outside [least, greatest].

    A JAX array passes, since its value may not be known while a program is traced.
    """
    if isinstance(value, numbers.Real) and not least <= float(value) <= greatest:
        raise UsageError(
            f"{name} is {value}",
            f"a number from {least:g} to {greatest:g}",
            f"give such a {name}",
        )


def require_choice(name: str, value: str, choices: Collection[str]) -> None:
    """Raise a UsageError unless the setting `name` has one of the values in `choices`."""
    if value not in choices:
        raise UsageError(
            f'{name} is "{value}"',
            " or ".join(f'"{choice}"' for choice in choices),
            f"choose one of these for {name}",
        )
