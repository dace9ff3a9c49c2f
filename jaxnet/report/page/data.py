"""What the offline page carries: all that gradient descent needs of the pictures, and the start.

The descent sees the pictures only through K = XᵀX (see `jaxnet/span.py`). So K, XᵀX_test, the sums
of the columns (from which K at another input scale follows exactly) and the start's Z1 are computed
here in float64; the pictures as bytes and W1₀ serve the drawing, other starts and own photos.
"""

from typing import Any, NamedTuple

import jax
import numpy as np
from PIL import Image

from jaxnet.data.columns import LUMA, balancing_weights, to_row
from jaxnet.data.dataset import Dataset, Split
from jaxnet.data.pictures import resize_images
from jaxnet.errors import UsageError
from jaxnet.network import Params, init_params
from jaxnet.runs.model_file import Model

# More pictures than MOST would make the page slow; it then carries a sample of SAMPLE of them.
MOST = 600
SAMPLE = 400

# The side to which the colours of a picture are reduced beside its full-size grey: the eye hardly
# sees more, and the grey must be there for the network in any case.
CHROMA_SIDE = 16

# So many points of the run's own cost curve are carried at most.
CURVE_POINTS = 2500


class PageData(NamedTuple):
    """What is written into the page.

    Attributes:
        header: Names, settings and numbers, as JSON holds them.
        arrays: Arrays by name; see `collect`.
    """

    header: dict[str, Any]
    arrays: dict[str, np.ndarray]


def first_params(model: Model) -> Params:
    """Draw the parameters that a run of `jaxnet train` started from once more.

    Raises:
        UsageError: If the model does not say how they were drawn.
    """
    settings = model.settings
    if "seed" not in settings or "weight_scale" not in settings:
        raise UsageError(
            "the model does not say from which weights it was trained",
            "a model that `jaxnet train` wrote",
            "train one: jaxnet train",
        )
    written = str(settings["weight_scale"])
    return init_params(
        jax.random.key(int(settings["seed"])),
        model.preprocessing.n_x,
        model.params["W1"].shape[0],
        scale=written if written == "he" else float(written),
        dtype=model.params["W1"].dtype,
    )


def collect(model: Model, start: Params, dataset: Dataset, *, pictures: bool = True) -> PageData:
    """Put together what the page carries.

    Args:
        model: The trained network of the run.
        start: The parameters that its training started from.
        dataset: The pictures that it was trained and tested on.
        pictures: Whether the pictures themselves are carried, too.

    Returns:
        The header, and these arrays (m training pictures, m′ of each further split):
        K (m (m + 1) / 2,), the upper triangle of XᵀX; W1 (n_h, n_x) float32, b1, W2, b2 of the
        start; costs, the run's own, thinned; W1_end, the trained W1 float32 if no pictures are
        carried; and of each split Y, places (where its pictures stand in the data), weights,
        sums (Σ of each column), Z1 = W1₀ X, products = XᵀX′ (but for train), pixels and chroma.
    """
    seen = sample_splits(dataset)
    preprocessing = model.preprocessing
    first = {name: np.asarray(array, np.float64) for name, array in start.items()}
    arrays: dict[str, np.ndarray] = {
        "W1": first["W1"].astype(np.float32),
        "b1": first["b1"],
        "W2": first["W2"],
        "b2": first["b2"],
        "costs": _thin(np.asarray(model.costs, np.float64)),
    }
    if not pictures:
        arrays["W1_end"] = np.asarray(model.params["W1"], np.float32)
    X_train = np.empty((0, 0))
    for name, (split, places) in seen.items():
        images = resize_images(split.images, preprocessing.height, preprocessing.width)
        with jax.enable_x64(True):
            X = np.asarray(preprocessing.columns(images, np.float64))  # (n_x, m′)
            weights = np.ones(len(places))
            if name == "train" and model.settings.get("balanced"):
                weights = np.asarray(balancing_weights(to_row(split.labels, dtype=np.float64)))[0]
        if name == "train":
            X_train = X
            K = X.T @ X
            arrays["K"] = K[np.triu_indices(len(K))]
        else:
            arrays[f"{name}/products"] = X_train.T @ X
        arrays[f"{name}/Y"] = split.labels.astype(np.uint8)
        arrays[f"{name}/places"] = places.astype(np.float64)
        arrays[f"{name}/weights"] = weights
        arrays[f"{name}/sums"] = X.sum(axis=0)
        arrays[f"{name}/Z1"] = first["W1"] @ X
        if pictures:
            arrays[f"{name}/pixels"] = as_bytes(images, preprocessing.color)
            if preprocessing.color == "gray":
                arrays[f"{name}/chroma"] = reduce_chroma(images)
    header = {
        "classes": list(model.classes),
        "source": dataset.source,
        "height": preprocessing.height,
        "width": preprocessing.width,
        "color": preprocessing.color,
        "scale": preprocessing.scale,
        "activation": model.hidden.name,
        "n_h": len(first["W1"]),
        "settings": model.settings,
        "iterations": len(model.costs),
        "pictures": pictures,
        "splits": {
            name: {"m": len(places), "of": len(dataset.splits[name].labels)}
            for name, (_, places) in seen.items()
        },
    }
    return PageData(header, arrays)


def sample_splits(dataset: Dataset) -> dict[str, tuple[Split, np.ndarray]]:
    """Take every split whole; or of more than MOST pictures SAMPLE, each class in its share.

    Returns:
        Each split with the places (m,) of its pictures in the data, in their order.
    """
    strata = {
        (name, label): np.flatnonzero(split.labels == label)
        for name, split in dataset.splits.items()
        for label in np.unique(split.labels)
    }
    total = sum(map(len, strata.values()))
    if total > MOST:
        shares = {key: SAMPLE * len(places) / total for key, places in strata.items()}
        counts = {key: max(1, int(share)) for key, share in shares.items()}
        for _ in range(SAMPLE - sum(counts.values())):
            counts[max(shares, key=lambda key: shares[key] - counts[key])] += 1
        random = np.random.default_rng(0)
        for key, places in strata.items():
            strata[key] = random.choice(places, counts[key], replace=False)
    taken = {}
    for name, split in dataset.splits.items():
        chosen = [places for (of, _), places in strata.items() if of == name]
        places = np.sort(np.concatenate(chosen))
        taken[name] = (Split(split.images[places], split.labels[places]), places)
    return taken


def as_bytes(images: np.ndarray, color: str) -> np.ndarray:
    """Round what the network sees of images (m, h, w, 3) to bytes, (m, n_x)."""
    seen = images if color == "rgb" else np.rint(images @ np.array(LUMA))
    return seen.astype(np.uint8).reshape(len(images), -1)


def reduce_chroma(images: np.ndarray) -> np.ndarray:
    """Reduce the colours of images (m, h, w, 3) to Cb and Cr of small size, (m, 2, h′, w′)."""
    height, width = (min(side, CHROMA_SIDE) for side in images.shape[1:3])
    colors = (Image.fromarray(image).convert("YCbCr") for image in images)
    small = [np.asarray(c.resize((width, height), Image.Resampling.BOX)) for c in colors]
    return np.stack(small)[..., 1:].transpose(0, 3, 1, 2)


def _thin(costs: np.ndarray) -> np.ndarray:
    """Take so few costs, evenly, that the page can carry them."""
    return costs[:: max(1, -(-len(costs) // CURVE_POINTS))]
