"""Draw the built-in data set of cats and other objects, which needs no file and no download.

An object is a table of parts from `kinds` (a disc, a box, a triangle, each with its position, size,
angle and colour). A picture is such a table with a small random deviation in every number. The
object is then moved, scaled, tilted, sometimes mirrored, and painted in random colours onto a
background. A brightness gradient and noise are added.

A picture is determined by the recipe, the seed, its split, its label and its number within that
label; it does not depend on how many others are drawn. Every change of a pixel is a new recipe, and
the earlier ones are kept, since a run is continued on its own pictures only. Recipe 2 draws the
same bytes everywhere; recipe 1, that of jaxnet 0.1.0, nearly so: see `recipe1`.
"""

import numpy as np

from jaxnet.data.dataset import Dataset, Split
from jaxnet.data.kinds import CATS, OTHERS
from jaxnet.defaults import RECIPE
from jaxnet.errors import DataError, require_integer, require_number
from jaxnet.progress import Track, silent

TRAIN_CATS, TEST_CATS = 72 / 209, 17 / 50


def draw_sketches(
    train_count: int = 209,
    test_count: int = 50,
    *,
    seed: int = 0,
    recipe: int = RECIPE,
    track: Track = silent,
) -> Dataset:
    """Draw two splits of pictures (64, 64, 3) of cats (label 1) and of other objects (label 0).

    The default counts and the share of cats are those of the article's data set. Within a label
    the kinds alternate; then the labels are shuffled.

    Args:
        train_count: The number of training pictures, at least 2.
        test_count: The number of test pictures, at least 2, or 0 for no test split.
        seed: The seed, from 0 to 2³² - 1.
        recipe: How they are painted, 1 or 2; the two differ by one level in some pixels.
        track: Reports the progress in batches.

    Raises:
        DataError: If a count would leave a class of its split empty.
        UsageError: If the seed or the recipe is out of range.
    """
    require_number("seed", seed, 0, 2**32 - 1)
    require_integer("recipe", recipe, 1, RECIPE)
    labels = [_shuffled_labels(train_count, TRAIN_CATS, np.random.default_rng([seed, 0]))]
    if test_count:
        labels.append(_shuffled_labels(test_count, TEST_CATS, np.random.default_rng([seed, 1])))
    # A picture's random key encodes its number within its label, its split and its label.
    number = np.concatenate([np.where(y == 1, np.cumsum(y), np.cumsum(1 - y)) - 1 for y in labels])
    label, split = np.concatenate(labels), np.repeat(range(len(labels)), [len(y) for y in labels])
    keys = np.stack([np.full(len(label), seed), 4 * number + 2 * split + label], 1)
    kind = np.where(label == 1, len(OTHERS) + number % len(CATS), number % len(OTHERS))
    if recipe == 1:
        from jaxnet.data.recipe1 import paint_all  # here, since it imports JAX
    else:
        from jaxnet.data.recipe2 import paint_all
    images = paint_all(keys.astype(np.uint32), kind, track)
    return Dataset(
        train=Split(images[:train_count], labels[0]),
        test=Split(images[train_count:], labels[1]) if test_count else None,
        classes=("other", "cat"),
        source=f"sketches, recipe {recipe}, seed {seed}, {train_count} + {test_count} pictures",
    )


def _shuffled_labels(count: int, share: float, generator: np.random.Generator) -> np.ndarray:
    """Return `count` labels of which `share` are 1, in random order."""
    cats = round(count * share)
    if not 0 < cats < count:
        raise DataError(
            f"the number of sketches in a split is {count}",
            "at least 2, one for each class",
            "give a larger count; a test count of 0 draws no test split",
        )
    return generator.permutation(np.repeat([1, 0], [cats, count - cats])).astype(np.int64)
