"""Convert data sets to the examples that a training with given settings uses."""

import numpy as np

from jaxnet.data.dataset import Dataset, Split, check_dataset
from jaxnet.data.preprocessing import Preprocessing, preprocessing_for
from jaxnet.devices import at_precision
from jaxnet.errors import DataError, UsageError, require_kind
from jaxnet.examples import Examples, balancing_weights, check_examples
from jaxnet.settings import Settings


def training_split(dataset: Dataset, settings: Settings) -> Split:
    """Return the pictures that a training sees: with `mirrored`, their mirror images after them.

    Example m + i is the mirror image of picture i, left and right swapped, with its label. Both
    weigh the same, so that a cost is the mean over the pictures and their mirror images.
    """
    split = dataset.train
    if not settings.mirrored:
        return split
    images = np.concatenate([split.images, split.images[:, :, ::-1]])
    groups = None if split.groups is None else np.tile(split.groups, 2)
    return Split(images, np.tile(split.labels, 2), groups)


def to_examples(
    dataset: Dataset, settings: Settings | None = None, preprocessing: Preprocessing | None = None
) -> dict[str, Examples]:
    """Convert every split to X and Y; weight the training set by class if `balanced` is set.

    With `mirrored` the training set is that of `training_split`; the other splits never are.

    Args:
        dataset: The pictures.
        settings: Only `precision`, `balanced` and `mirrored` are used.
        preprocessing: The preprocessing of the pictures; by default grey, in their original size.

    Returns:
        X (n_x, m), Y (1, m), and weights (1, m) or None, by the name of the split.

    Raises:
        DataError: If the pictures cannot be used.
    """
    check_dataset(dataset)
    settings = settings or Settings()
    preprocessing = preprocessing or preprocessing_for(dataset)
    require_kind("settings", settings, Settings)
    require_kind("preprocessing", preprocessing, Preprocessing)
    splits = dataset.splits | {"train": training_split(dataset, settings)}
    with at_precision(settings.precision):
        return {
            name: preprocessing.examples(
                split, settings.precision, balanced=settings.balanced and name == "train"
            )
            for name, split in splits.items()
        }


def examples_of(
    data: Dataset | Examples,
    settings: Settings,
    preprocessing: Preprocessing | None = None,
    test: Examples | None = None,
) -> tuple[Examples, Examples | None]:
    """Convert a data set to examples, or check given examples, for a training.

    Args:
        data: The pictures, or X, Y and weights.
        settings: Only `precision`, `balanced` and `mirrored` are used.
        preprocessing: The preprocessing of the pictures of a data set.
        test: The test examples, if `data` is Examples.

    Returns:
        The training examples, with class-balancing weights if `balanced` is set; and the test
        examples or None.

    Raises:
        DataError: If the data cannot be used.
        UsageError: If the arguments do not fit together.
    """
    if isinstance(data, Dataset):
        if test is not None:
            raise UsageError(
                "test examples are given together with a data set",
                "a data set, whose test split is used, or examples for both",
                "leave test out",
            )
        splits = to_examples(data, settings, preprocessing)
        return splits["train"], splits.get("test")
    if not isinstance(data, Examples):
        raise UsageError(
            f"data is of type {type(data).__name__}",
            "a Dataset or Examples",
            "load it by load_dataset, or make it by make_examples(X, Y)",
        )
    if preprocessing is not None:
        raise UsageError(
            "preprocessing is given with examples, whose X is already preprocessed",
            "preprocessing with a data set only",
            "leave preprocessing out",
        )
    if settings.mirrored:
        raise UsageError(
            "mirrored is set, and the data are examples, of which it is not known how they look",
            "a Dataset, whose pictures are mirrored, or examples as they are",
            "give the Dataset, or leave mirrored out",
        )
    with at_precision(settings.precision):
        for examples in (data,) if test is None else (data, test):
            _check(examples, settings)
        if test is not None and test.X.shape[0] != data.X.shape[0]:
            raise DataError(
                f"the test X has {test.X.shape[0]} features, the training X {data.X.shape[0]}",
                "the same number of features",
                "use the same preprocessing for both",
            )
        if settings.balanced and data.weights is None:
            data = data._replace(weights=balancing_weights(data.Y))
    return data, test


def _check(examples: Examples, settings: Settings) -> None:
    check_examples(examples)
    if examples.X.dtype != settings.precision:
        raise UsageError(
            f"X is of type {examples.X.dtype}, but the precision is {settings.precision}",
            "the same type for both",
            f'give Settings(precision="{examples.X.dtype}"), or examples of type '
            f"{settings.precision}",
        )
    if settings.balanced and examples.weights is not None:
        raise UsageError(
            "balanced is set, and the examples have weights",
            "either balanced or weights",
            "leave one of them out",
        )
