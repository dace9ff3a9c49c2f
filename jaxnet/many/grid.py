"""The grid of a sweep: which values of which settings its networks take."""

import dataclasses
import math
from collections.abc import Iterable
from typing import Any

from jaxnet.errors import UsageError, require_choice, require_integer, require_number
from jaxnet.settings import Settings, option

# More would not fit into memory, or a lifetime.
MOST_VALUES, MOST_NETWORKS = 10_000, 10_000_000

# α for both layers, or one for each.
Rate = float | tuple[float, float]
WeightScale = float | str

_FIELDS = {field.name: field for field in dataclasses.fields(Settings)}


@dataclasses.dataclass(frozen=True)
class Grid:
    """A network for every activation, learning rate, weight scale and seed.

    Values may be given as a text, as the command line takes them: numbers separated by commas, or
    LEAST:GREATEST:COUNT on a log scale.

    Attributes:
        learning_rates: Numbers, or pairs (α of layer 1, α of layer 2).
        weight_scales: As `Settings.weight_scale`.
        seeds: How many, from `Settings.seed` on.
        activations: As `Settings.activation`.

    Raises:
        UsageError: If a value is of the wrong type or out of its range.
    """

    learning_rates: tuple[Rate, ...] = option(
        "1e-4:1:25", "LEAST:GREATEST:COUNT on a log scale, or numbers separated by commas."
    )
    weight_scales: tuple[WeightScale, ...] = option(
        f"{_FIELDS['weight_scale'].default:g}",
        "Standard deviations of the initial weights, in the same notation; he is allowed, too.",
    )
    seeds: int = option(16, "The number of seeds.", least=1, greatest=100_000)
    activations: tuple[str, ...] = option(
        _FIELDS["activation"].default,
        "Activations of the hidden units, with commas: "
        + ", ".join(_FIELDS["activation"].metadata["choices"])
        + ".",
    )

    def __post_init__(self) -> None:
        """Read texts, remove repeated values, and check every value."""
        words = {"weight_scales": ("he",)}
        for name in ("learning_rates", "weight_scales"):
            values = read_values(name, getattr(self, name), words.get(name, ()))
            object.__setattr__(self, name, values)
        object.__setattr__(self, "activations", read_activations(self.activations))
        require_integer("seeds", self.seeds, 1, 100_000)
        require_integer("the number of networks", self.networks, 1, MOST_NETWORKS)

    @property
    def shape(self) -> tuple[int, int, int, int]:
        """The number of activations, learning rates, weight scales and seeds."""
        sizes = map(len, (self.activations, self.learning_rates, self.weight_scales))
        return (*sizes, self.seeds)  # type: ignore[return-value]

    @property
    def networks(self) -> int:
        """The number of networks."""
        return math.prod(self.shape)


def read_activations(names: Any) -> tuple[str, ...]:
    """Check the names of activations; read them first if they are a text."""
    if isinstance(names, str):
        names = tuple(text.strip() for text in names.split(","))
    elif not isinstance(names, Iterable):
        raise UsageError(
            f"activations is {names!r}", "a sequence of names", 'write activations=["relu"]'
        )
    names = tuple(names)
    for activation in names:
        require_choice("activations", activation, _FIELDS["activation"].metadata["choices"])
    return tuple(dict.fromkeys(names))


def read_values(name: str, given: Any, words: tuple[str, ...] = ()) -> tuple[Any, ...]:
    """Check the values of one axis; read them first if they are a text."""
    if isinstance(given, str):
        values: Iterable[Any] = _read_text(name, given, words)
    elif isinstance(given, Iterable):
        values = given
    else:
        raise UsageError(
            f"{name} is {given!r}", "a sequence of numbers", f"write {name}=[{given!r}]"
        )
    kept: list[Any] = []
    for value in values:
        if isinstance(value, str) and words:
            require_choice(name, value, words)
            kept.append(value)
            continue
        pair = isinstance(value, tuple | list)
        numbers = value if pair else (value,)
        if pair and (words or len(numbers) != 2):
            raise UsageError(f"{name} holds {value!r}", "numbers", f"give numbers as {name}")
        for number in numbers:
            require_number(f"a value of {name}", number, 0, math.inf)
        kept.append(tuple(map(float, numbers)) if pair else float(value))
    if not kept:
        raise UsageError(f"{name} is empty", "one value or more", f"give a value for {name}")
    return tuple(dict.fromkeys(kept))


def _read_text(name: str, text: str, words: tuple[str, ...]) -> list[Any]:
    """Read values separated by commas, each a number, a word, or LEAST:GREATEST:COUNT."""
    import numpy as np

    values: list[Any] = []
    try:
        for part in map(str.strip, text.split(",")):
            if ":" in part:
                first, last, number = part.split(":")
                least, greatest, count = float(first), float(last), int(number)
                if not (0 < least < greatest < math.inf and 2 <= count <= MOST_VALUES):
                    raise ValueError(part)
                # Rounded as they are printed, so that a printed rate is the rate that was trained.
                values += [float(f"{value:.6g}") for value in np.geomspace(least, greatest, count)]
            else:
                values.append(part if part in words else float(part))
        if not all(value in words or 0 <= value < math.inf for value in values):
            raise ValueError(text)
    except ValueError as cause:
        raise UsageError(
            f'{name} is "{text}"',
            "numbers of 0 or more, or LEAST:GREATEST:COUNT on a log scale, separated by commas, "
            f"where 0 < LEAST < GREATEST and COUNT is from 2 to {MOST_VALUES:,}"
            + "".join(f"; or {word}" for word in words),
            "write 1e-4:1:25 or 0.001,0.01, for example",
        ) from cause
    return values
