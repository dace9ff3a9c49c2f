"""The settings that a cross-validation compares, as the command line takes them."""

import dataclasses

from jaxnet import defaults
from jaxnet.errors import UsageError
from jaxnet.many.grid import read_activations, read_values
from jaxnet.settings import Settings, option, vary

_ACTIVATION = next(field for field in dataclasses.fields(Settings) if field.name == "activation")

_NOTATION = "numbers separated by commas, or LEAST:GREATEST:COUNT on a log scale"


@dataclasses.dataclass(frozen=True)
class Candidates:
    """Every activation with every number of hidden units, rate, weight scale and decay.

    Values may be given as a text: numbers separated by commas, or LEAST:GREATEST:COUNT on a log
    scale.

    Attributes:
        learning_rates: As `Settings.learning_rate`.
        weight_decays: As `Settings.weight_decay`.
        weight_scales: As `Settings.weight_scale`.
        units: As `Settings.hidden_units`.
        activations: As `Settings.activation`.

    Raises:
        UsageError: If a value is of the wrong type or out of its range.
    """

    learning_rates: tuple[float, ...] = option(
        f"{defaults.LEARNING_RATE:g}",
        f"Learning rates: {_NOTATION}.",
    )
    weight_decays: tuple[float, ...] = option(
        f"{defaults.WEIGHT_DECAY:g}", f"Weight decays: {_NOTATION}."
    )
    weight_scales: tuple[float | str, ...] = option(
        f"{defaults.WEIGHT_SCALE:g}",
        "Standard deviations of the initial weights, in the same notation; he is allowed, too.",
    )
    units: tuple[int, ...] = option(
        str(defaults.HIDDEN_UNITS), "Numbers of hidden units, separated by commas."
    )
    activations: tuple[str, ...] = option(
        _ACTIVATION.default,
        "Activations of the hidden units, with commas: "
        + ", ".join(_ACTIVATION.metadata["choices"])
        + ".",
    )

    def __post_init__(self) -> None:
        """Read texts, and remove repeated values; `vary` checks them."""
        for name, words in (
            ("learning_rates", ()),
            ("weight_decays", ()),
            ("weight_scales", ("he",)),
            ("units", ()),
        ):
            values = read_values(name, getattr(self, name), words)
            object.__setattr__(self, name, values)
        for number in self.units:
            if number != int(number):
                raise UsageError(
                    f"units holds {number:g}", "whole numbers", "write 4,8, for example"
                )
        object.__setattr__(self, "units", tuple(map(int, self.units)))
        object.__setattr__(self, "activations", read_activations(self.activations))

    def settings(self, shared: Settings) -> tuple[Settings, ...]:
        """Make the settings of all combinations, the decays fastest.

        Raises:
            UsageError: If a value is out of its range.
        """
        return vary(
            shared,
            activation=self.activations,
            hidden_units=self.units,
            weight_scale=self.weight_scales,
            learning_rate=self.learning_rates,
            weight_decay=self.weight_decays,
        )
