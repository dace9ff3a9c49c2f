"""The trained network that is checked: a run together with a data set."""

from typing import NamedTuple

import numpy as np

from jaxnet.activations import Activation
from jaxnet.data.dataset import Dataset, check_dataset
from jaxnet.data.to_examples import training_split
from jaxnet.errors import UsageError
from jaxnet.examples import Examples
from jaxnet.network import Params
from jaxnet.runs.run import Run
from jaxnet.settings import Settings


class Trained(NamedTuple):
    """A trained network, and the data that it is checked on.

    Attributes:
        params: W1 (n_h, n_x), b1 (n_h, 1), W2 (1, n_h), b2 (1, 1).
        hidden: The activation of the hidden units.
        costs: The cost before each update, (iterations,); empty if not known.
        train: The training examples, weighted as in training.
        test: The test examples, or None.
        settings: How it was trained; None if not known.
        stopped: Whether training ended at a number that was not finite.
        same: Whether `train` are the examples that it was trained on.
        objectives: With weight decay, the cost with its penalty, as `Run.objectives`.
    """

    params: Params
    hidden: Activation
    costs: np.ndarray
    train: Examples
    test: Examples | None = None
    settings: Settings | None = None
    stopped: bool = False
    same: bool = True
    objectives: np.ndarray | None = None


def trained_network(run: Run, data: Dataset) -> Trained:
    """Preprocess a data set as a run does, and put both together.

    Raises:
        DataError: If the data set cannot be used.
        UsageError: If an argument is of another type.
    """
    for name, value, kind, source in (
        ("run", run, Run, "train or load_run"),
        ("data", data, Dataset, "load_dataset"),
    ):
        if not isinstance(value, kind):
            raise UsageError(
                f"{name} is of type {type(value).__name__}",
                f"a {kind.__name__}",
                f"give what {source} returns",
            )
    check_dataset(data)
    params, settings = run.model.params, run.settings
    dtype = params["W1"].dtype
    balanced = settings is not None and settings.balanced
    train = data.train if settings is None else training_split(data, settings)
    return Trained(
        params,
        run.hidden,
        np.asarray(run.costs),
        run.preprocessing.examples(train, dtype, balanced=balanced),
        None if data.test is None else run.preprocessing.examples(data.test, dtype),
        settings,
        run.outcome == "not finite",
        bool(run.trained_on(data)),
        run.objectives,
    )
