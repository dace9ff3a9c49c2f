"""Settings: what decides a training, each with its type, default, range and help, once."""

import dataclasses
import functools
import itertools
import math
import typing
from collections.abc import Collection, Iterable
from typing import TYPE_CHECKING, Any

from jaxnet import defaults
from jaxnet.epochs import count_iterations, require_one_length
from jaxnet.errors import UsageError, require_choice, require_integer, require_number
from jaxnet.stability import require_decay

if TYPE_CHECKING:
    import optax

    from jaxnet.activations import Activation

# α of each optimizer where none is given. Those besides sgd are optax's, by their names there.
LEARNING_RATES = {"sgd": defaults.LEARNING_RATE, "adam": defaults.ADAM_LEARNING_RATE}


def option(
    default: Any,
    about: str,
    *,
    least: float = -math.inf,
    greatest: float = math.inf,
    choices: Collection[str] = (),
    shown: str = "",
) -> Any:
    """Declare a field of a dataclass of options.

    Args:
        default: Its default.
        about: What it is, in one sentence.
        least: The least number that it may be.
        greatest: The greatest one.
        choices: The texts that it may be; those of a number are allowed beside numbers.
        shown: The default in words, where the value does not say it.
    """
    metadata = {
        "help": about,
        "least": least,
        "greatest": greatest,
        "choices": tuple(choices),
        "shown": shown,
    }
    return dataclasses.field(default=default, metadata=metadata)


def check_options(options: Any) -> None:
    """Check every field of a frozen dataclass of options by its type and metadata.

    NumPy's integers and numbers become Python's.

    Raises:
        UsageError: If a value is of another type, or outside its range; it names the field.
    """
    hints = typing.get_type_hints(type(options))
    for field in dataclasses.fields(options):
        value = getattr(options, field.name)
        checked = check_option(field, hints[field.name], value)
        object.__setattr__(options, field.name, checked)


def check_option(field: "dataclasses.Field[Any]", hint: Any, value: Any) -> Any:
    """Return the value of one field as its own Python type, or raise a UsageError."""
    kinds = typing.get_args(hint) or (hint,)
    name, limits = field.name, field.metadata
    # Of a field without None among its types, the default None is filled in later.
    if value is None and (type(None) in kinds or field.default is None):
        return None
    if isinstance(value, str) and str in kinds:
        if limits["choices"] and value not in limits["choices"]:
            choices = " or ".join(f'"{choice}"' for choice in limits["choices"])
            expected = f"a number or {choices}" if float in kinds else choices
            raise UsageError(f'{name} is "{value}"', expected, f"choose one for {name}")
        return value
    if bool in kinds:
        if not isinstance(value, bool) and type(value).__name__ != "bool":  # NumPy's
            raise UsageError(f"{name} is {value!r}", "True or False", f"give one as {name}")
        return bool(value)
    if int in kinds and float not in kinds:
        require_integer(name, value, limits["least"], limits["greatest"])
        return int(value)
    if float in kinds:
        require_number(name, value, limits["least"], limits["greatest"])
        return float(value)
    raise UsageError(f"{name} is {value!r}", "a text", f"give a text as {name}")


@dataclasses.dataclass(frozen=True)
class Settings:
    """What decides a training: the network and the descent, seed and precision included.

    Raises:
        UsageError: If a value is of the wrong type or out of its range, or two contradict.
    """

    hidden_units: int = option(
        defaults.HIDDEN_UNITS,
        "The number of hidden units.",
        least=1,
        greatest=defaults.MOST_HIDDEN_UNITS,
    )
    activation: str = option(
        "relu", "The activation of the hidden units.", choices=("relu", "leaky_relu", "sigmoid")
    )
    weight_scale: float | str = option(
        defaults.WEIGHT_SCALE,
        "The standard deviation of the initial weights, or he: √(2 / inputs of the layer).",
        least=0,
        choices=("he",),
    )
    seed: int = option(
        0,
        "The seed of the initial weights and of the order of mini-batches.",
        least=0,
        greatest=defaults.LARGEST_SEED,
    )
    learning_rate: float = option(
        None,
        "α in W − α dW.",
        least=0,
        shown="; ".join(f"{name}: {rate:g}" for name, rate in LEARNING_RATES.items()),
    )
    momentum: float = option(defaults.MOMENTUM, "Momentum of SGD.", least=0, greatest=1)
    nesterov: bool = option(False, "Nesterov's momentum.")
    optimizer: str = option("sgd", "The update rule.", choices=LEARNING_RATES)
    weight_decay: float = option(
        defaults.WEIGHT_DECAY, "λ of the penalty (λ/2)(‖W1‖² + ‖W2‖²) on the weights.", least=0
    )
    batch: int | None = option(
        None,
        "The number of pictures that an update sees, in a new order each epoch.",
        least=1,
        shown="all",
    )
    iterations: int = option(
        None,
        "The number of updates.",
        least=1,
        greatest=defaults.MOST_ITERATIONS,
        shown=str(defaults.ITERATIONS),
    )
    epochs: int | None = option(
        None,
        "How often every picture is seen, in place of the iterations.",
        least=1,
        greatest=defaults.MOST_ITERATIONS,
        shown="given by the iterations",
    )
    patience: int | None = option(
        None,
        "Stop after so many updates without a lower validation cost, and keep the best weights.",
        least=1,
        greatest=defaults.MOST_ITERATIONS,
        shown="train to the end",
    )
    balanced: bool = option(False, "Weight the pictures so that both classes count alike.")
    mirrored: bool = option(
        False, "Train on the mirror image of each training picture, left and right swapped, too."
    )
    shift: int = option(
        0, "Move each picture that an update sees by up to so many pixels, at random.", least=0
    )
    basis: str = option(
        "auto",
        "The basis of W1 in training: its pixels, or the span of the pictures, which is faster.",
        choices=defaults.BASES,
    )
    precision: str = option("float32", "The type of every number.", choices=("float32", "float64"))

    def __post_init__(self) -> None:
        """Fill in the optimizer's own learning rate and the basis of shifts; check every value."""
        require_choice("optimizer", self.optimizer, LEARNING_RATES)
        if self.learning_rate is None:
            object.__setattr__(self, "learning_rate", LEARNING_RATES[self.optimizer])
        if self.iterations is None and self.epochs is None:
            object.__setattr__(self, "iterations", defaults.ITERATIONS)
        require_one_length(self.iterations, self.epochs)
        check_options(self)
        if self.optimizer != "sgd" and (self.momentum or self.nesterov):
            raise UsageError(
                f"momentum is {self.momentum:g} and nesterov {self.nesterov} with {self.optimizer}",
                "momentum and nesterov with sgd only",
                "leave them out, or take sgd",
            )
        if self.optimizer != "sgd" and self.basis == "span":
            raise UsageError(
                f"the basis is span with the optimizer {self.optimizer}",
                "sgd, whose updates are linear in the gradients, or another basis",
                "leave the basis out, or take sgd",
            )
        if self.shift and self.basis == "span":
            raise UsageError(
                f"the basis is span with shift {self.shift}",
                "the pixels: a picture that is moved does not lie in the span of the pictures",
                "leave the basis out, or leave shift out",
            )
        if self.shift:
            object.__setattr__(self, "basis", "pixels")
        if self.optimizer == "sgd":
            require_decay(self.weight_decay, self.learning_rate, self.momentum, self.nesterov)

    @property
    def copies(self) -> int:
        """How many examples each training picture becomes: with `mirrored` it and its mirror image.

        An epoch, the costs and the outcome are those of all examples.
        """
        return 2 if self.mirrored else 1

    def for_pictures(self, count: int) -> "Settings":
        """Return these settings with their epochs as iterations, for so many training pictures."""
        return self.for_examples(count * self.copies)

    def for_examples(self, m: int) -> "Settings":
        """Return these settings with their epochs as iterations, for m training examples."""
        if self.epochs is None:
            return self
        iterations = count_iterations(m, self.batch, epochs=self.epochs)
        return dataclasses.replace(self, iterations=iterations, epochs=None)

    @property
    def hidden(self) -> "Activation":
        """The activation of the hidden units."""
        from jaxnet.activations import ACTIVATIONS  # here: the help needs no JAX

        return ACTIVATIONS[self.activation]

    def make_optimizer(self) -> "optax.GradientTransformation":
        """Make the optimizer, the same object for the same settings, so that nothing recompiles."""
        return _make_optimizer(self.optimizer, self.learning_rate, self.momentum, self.nesterov)


@functools.lru_cache(maxsize=32)
def _make_optimizer(
    name: str, learning_rate: float, momentum: float, nesterov: bool
) -> "optax.GradientTransformation":
    import optax  # here: the help needs no JAX

    from jaxnet.optimizer import sgd

    if name == "sgd":
        return sgd(learning_rate, momentum, nesterov)
    rule: optax.GradientTransformation = getattr(optax, name)(learning_rate)
    return rule


def vary(settings: Settings | None = None, **values: Iterable[Any]) -> tuple[Settings, ...]:
    """Make all settings that take these values, each with each, the last field fastest.

    Args:
        settings: What they have in common.
        values: The values of fields of `Settings`, by name.

    Raises:
        UsageError: If a name is none of `Settings`, or a value is out of its range.

    Example:
        >>> tried = jaxnet.vary(learning_rate=[0.001, 0.01], hidden_units=[4, 8])
        >>> [(one.learning_rate, one.hidden_units) for one in tried]
        [(0.001, 4), (0.001, 8), (0.01, 4), (0.01, 8)]
    """
    settings = settings or Settings()
    names = {field.name for field in dataclasses.fields(Settings)}
    for name, given in values.items():
        if name not in names:
            raise UsageError(
                f"{name} is no setting", "fields of Settings", "see the fields: help(Settings)"
            )
        if isinstance(given, str) or not isinstance(given, Iterable):
            raise UsageError(
                f"{name} is {given!r}", "a list of values", f"write {name}=[{given!r}]"
            )
    # Both lengths of a training in one call would contradict what the settings have.
    other = {"epochs": "iterations", "iterations": "epochs"}
    cleared: dict[str, Any] = {
        other[name]: None for name in values if name in other and other[name] not in values
    }
    return tuple(
        dataclasses.replace(settings, **cleared, **dict(zip(values, combination, strict=True)))
        for combination in itertools.product(*values.values())
    )
