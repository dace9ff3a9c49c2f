"""The data of the offline page: the initial weights, and all that gradient descent needs.

The descent depends on the pictures only through K = XᵀX (see `jaxnet/span.py`). So K, XᵀX_test, the
sums of the columns (from which K at another pixel scale follows exactly) and the initial Z1 are
computed here in float64. The pictures as bytes and W1₀ serve the drawing, other initial weights and
photos of one's own.
"""

import dataclasses
import math
import re
import typing
from pathlib import Path
from typing import Any, NamedTuple

import jax
import numpy as np
from PIL import Image

from jaxnet.activations import ACTIVATIONS
from jaxnet.data.all_pictures import Data, labels_of, open_all, source_of
from jaxnet.data.dataset import Dataset, Split
from jaxnet.data.pictures import resize_images
from jaxnet.data.pixels import LUMA
from jaxnet.data.preprocessing import Preprocessing
from jaxnet.data.source import DataSource
from jaxnet.defaults import SIDE
from jaxnet.errors import UsageError
from jaxnet.outcomes import FAILED
from jaxnet.runs.run import Run, first_params
from jaxnet.settings import Settings

# More than MOST_PICTURES would make the page slow; it then carries a sample of SAMPLE of them.
MOST_PICTURES = 600
SAMPLE = 400

# The most hidden units that the page offers, unless the run has more: each has a card of its own.
MOST_UNITS = 16

# The side to which the colours of a picture are reduced, beside its grey at full size: the eye
# resolves colours less finely, and the network needs the grey in any case.
CHROMA_SIDE = 16

# At most this many points of the run's own cost curve are carried.
CURVE_POINTS = 2500

# The settings that the page can change. Their ranges and choices are those of the dataclasses.
OFFERED = (
    "learning_rate",
    "weight_decay",
    "weight_scale",
    "hidden_units",
    "activation",
    "seed",
    "pixel_scale",
)

# The random generator that draw.js has.
PAGE_GENERATOR = "threefry2x32"


# Each split with the indices (m,) of its pictures in the data.
Splits = dict[str, tuple[Split, np.ndarray]]


class PageData(NamedTuple):
    """What is written into the page.

    Attributes:
        header: Names, settings and numbers, as JSON holds them.
        arrays: Arrays by name; see `collect`.
    """

    header: dict[str, Any]
    arrays: dict[str, np.ndarray]


def collect(run: Run, data: Data, *, pictures: bool = True) -> PageData:
    """Collect what the page carries.

    Args:
        run: The run.
        data: The pictures that the page trains and tests on, as a rule those of the run: a
            `Dataset`, or what `open_splits` returns, of which only the sample is read.
        pictures: Whether the pictures themselves are carried, too.

    Returns:
        The header, and these arrays (m training pictures, m′ of each further split):
        K (m (m + 1) / 2,), the upper triangle of XᵀX; the initial W1 (n_h, n_x) float32, b1, W2,
        b2; costs, the run's own, thinned out; W1_end, the trained W1 float32 if no pictures are
        carried; and of each split Y, places (the indices of its pictures in the data), weights,
        sums (Σ of each column), Z1 = W1₀ X, products = XᵀX′ (but for train), pixels, and of grey
        pictures chroma.

    Raises:
        DataError: If the pictures cannot be used.
        UsageError: If the run does not say how its initial weights were drawn, or the page does not
            have its activation.
    """
    start = {name: np.asarray(leaf, np.float64) for name, leaf in first_params(run).items()}
    _check_activation(run)
    arrays: dict[str, np.ndarray] = {
        "W1": start["W1"].astype(np.float32),
        "b1": start["b1"],
        "W2": start["W2"],
        "b2": start["b2"],
        "costs": _thin(np.asarray(run.costs, np.float64)),
    }
    if not pictures:
        arrays["W1_end"] = np.asarray(run.model.params["W1"], np.float32)
    splits = sample_splits(data)
    X_train = None
    for name, (split, places) in splits.items():
        X, weights = _columns(run, name, split)
        X_train = X if X_train is None else X_train
        products = X_train.T @ X
        part: dict[str, np.ndarray] = {
            "Y": split.labels.astype(np.uint8),
            "places": places.astype(np.float64),
            "weights": weights,
            "sums": X.sum(axis=0),
            "Z1": start["W1"] @ X,
            **(_drawn(run.preprocessing, split) if pictures else {}),
        }
        if name == "train":
            arrays["K"] = products[np.triu_indices(len(products))]
        else:
            part["products"] = products
        arrays |= {f"{name}/{key}": array for key, array in part.items()}
    return PageData(_header(run, data, splits, pictures), arrays)


def collect_nothing() -> PageData:
    """Collect what an empty page carries: the defaults, on which it trains pictures of its own."""
    settings, preprocessing = Settings(precision="float64"), Preprocessing(SIDE, SIDE)
    header = {
        "nothing": True,
        "classes": ["A", "B"],
        "source": "",
        **dataclasses.asdict(preprocessing),
        "n_h": settings.hidden_units,
        "settings": {
            name: value for name, value in dataclasses.asdict(settings).items() if value is not None
        },
        "data_options": None,
        "in_files": False,
        "offered": offered_settings(settings.hidden_units, pictures=True),
        "prng": PAGE_GENERATOR,
        "page_prng": PAGE_GENERATOR,
        "failed": list(FAILED),
        "iterations": 0,
        "ensemble": 0,
        "same_data": True,
        "pictures": True,
        "folder_left_out": False,
        "splits": {},
    }
    return PageData(header, {"costs": np.empty(0)})


def _check_activation(run: Run) -> None:
    """Raise a UsageError if the activation is not one of those that the page has, too."""
    hidden = run.model.hidden
    if ACTIVATIONS.get(hidden.name) != hidden:
        raise UsageError(
            f'the activation of the run is "{hidden.name}", which is not one of jaxnet\'s',
            f"one that the page computes: {', '.join(ACTIVATIONS)}",
            "train a run with one of these",
        )


def _columns(run: Run, name: str, split: Split) -> tuple[np.ndarray, np.ndarray]:
    """Turn a split into X (n_x, m) and the weights (m,) of its pictures, both float64."""
    balanced = run.settings is not None and run.settings.balanced and name == "train"
    with jax.enable_x64(True):
        examples = run.preprocessing.examples(split, np.float64, balanced=balanced)
    m = len(split.labels)
    weights = np.ones(m) if examples.weights is None else np.asarray(examples.weights)[0]
    return np.asarray(examples.X), weights


def _drawn(preprocessing: Preprocessing, split: Split) -> dict[str, np.ndarray]:
    """Make the pictures of the page: pixels (m, n_x), and chroma of grey ones."""
    images = resize_images(split.images, preprocessing.height, preprocessing.width)
    arrays = {"pixels": as_bytes(images, preprocessing.color)}
    if preprocessing.color == "gray":
        arrays["chroma"] = reduce_chroma(images)
    return arrays


def _header(run: Run, data: Data, splits: Splits, pictures: bool) -> dict[str, Any]:
    """Make the header: names, settings and numbers, as JSON holds them."""
    settings, preprocessing = run.settings, run.preprocessing
    assert settings is not None  # or first_params had raised an error
    in_files = not isinstance(data, Dataset)
    source = command_source(run, data) if isinstance(data, Dataset) else None
    described = shown_source(source_of(data), source)
    given, source = source, None if source is None else without_folders(source)
    options = dataclasses.asdict(settings) | (dataclasses.asdict(source) if source else {})
    return {
        "classes": list(run.classes),
        "source": described,
        "height": preprocessing.height,
        "width": preprocessing.width,
        "color": preprocessing.color,
        "pixel_scale": preprocessing.pixel_scale,
        "n_h": settings.hidden_units,
        "settings": {name: value for name, value in options.items() if value is not None},
        "data_options": None if source is None else _given(source),
        "in_files": in_files,
        "offered": offered_settings(settings.hidden_units, pictures),
        "prng": run.origin.get("prng", PAGE_GENERATOR),
        "page_prng": PAGE_GENERATOR,
        "failed": list(FAILED),
        "iterations": len(run.costs),
        "ensemble": len(run.members),
        "same_data": run.trained_on(data) is not False,
        "pictures": pictures,
        "folder_left_out": source != given,
        "splits": {
            name: {"m": len(places), "of": len(labels_of(data)[name])}
            for name, (_, places) in splits.items()
        },
    }


def command_source(run: Run, dataset: Dataset) -> DataSource | None:
    """Return the options that load these pictures at the size of the network, if it is known."""
    source = dataset.data_source
    if source is None and run.trained_on(dataset):
        source = run.data_source
    height, width = run.preprocessing.height, run.preprocessing.width
    if source is None or dataset.train.images.shape[1:3] == (height, width):
        return source
    return dataclasses.replace(source, size=height) if height == width else None


def without_folders(source: DataSource) -> DataSource:
    """Reduce absolute paths to their last part: a page is passed on, its maker's folders not."""
    test = None if source.test is None else _last_part(source.test)
    return dataclasses.replace(source, data=_last_part(source.data), test=test)


def shown_source(text: str, source: DataSource | None) -> str:
    """Remove the folders of absolute paths from the description of a data set."""
    for path in filter(None, (source.data, source.test) if source else ()):
        for written in {path, str(Path(path).expanduser())}:
            text = text.replace(written, _last_part(written))
    # A description begins with the path, where it names one at all.
    return re.sub(r"^(?:~|[A-Za-z]:)?[/\\](?:[^,]*[/\\])?(?=[^,])", "", text)


def _last_part(path: str) -> str:
    is_private = Path(path).is_absolute() or path.startswith("~")
    return (Path(path).name or path) if is_private else path


def _given(source: DataSource) -> dict[str, Any]:
    """List the options of a data source that differ from their defaults, and `data` always."""
    return {
        field.name: getattr(source, field.name)
        for field in dataclasses.fields(source)
        if field.name == "data" or getattr(source, field.name) != field.default
    }


def offered_settings(n_h: int, pictures: bool) -> dict[str, dict[str, Any]]:
    """Describe the settings that the page can change, from the fields of their dataclasses.

    Args:
        n_h: The hidden units of the run.
        pictures: Whether the page carries the pictures, without which no unit can be added.

    Returns:
        Of each setting its default, its least and greatest number (None where there is no limit),
        its choices of text, and its numbers: "whole", "any", or None where it is a text only.
    """
    described = {}
    for kind in (Settings, Preprocessing):
        hints = typing.get_type_hints(kind)
        for field in dataclasses.fields(kind):
            types = typing.get_args(hints[field.name]) or (hints[field.name],)
            limits = {side: field.metadata[side] for side in ("least", "greatest")}
            described[field.name] = {
                "default": field.default,
                **{side: x if math.isfinite(x) else None for side, x in limits.items()},
                "choices": list(field.metadata["choices"]),
                "numbers": "any" if float in types else "whole" if int in types else None,
            }
    described["hidden_units"]["greatest"] = max(MOST_UNITS, n_h) if pictures else n_h
    return {name: described[name] for name in OFFERED}


def sample_splits(data: Data) -> Splits:
    """Take every split whole; of more than MOST_PICTURES pictures SAMPLE, each class in its share.

    They are drawn from seed 0, and keep their order. The page has no place for a validation set.
    """
    labels = {name: row for name, row in labels_of(data).items() if name != "validation"}
    strata = {
        (name, label): np.flatnonzero(row == label)
        for name, row in labels.items()
        for label in np.unique(row)
    }
    total = sum(map(len, strata.values()))
    if total > MOST_PICTURES:
        shares = {key: SAMPLE * len(places) / total for key, places in strata.items()}
        counts = {key: max(1, int(share)) for key, share in shares.items()}
        for _ in range(SAMPLE - sum(counts.values())):
            counts[max(shares, key=lambda key: shares[key] - counts[key])] += 1
        random = np.random.default_rng(0)
        for key, places in strata.items():
            strata[key] = random.choice(places, counts[key], replace=False)
    taken = {}
    with open_all(data) as pictures:
        starts = dict(zip(pictures.names, pictures.starts, strict=False))
        for name, row in labels.items():
            places = np.sort(np.concatenate([strata[key] for key in strata if key[0] == name]))
            taken[name] = (Split(pictures.take(starts[name] + places), row[places]), places)
    return taken


def as_bytes(images: np.ndarray, color: str) -> np.ndarray:
    """Round the network's input, from images (m, h, w, 3), to bytes (m, n_x)."""
    pixels = images if color == "rgb" else np.rint(images @ np.array(LUMA))
    return pixels.astype(np.uint8).reshape(len(images), -1)


def reduce_chroma(images: np.ndarray) -> np.ndarray:
    """Reduce the colours of images (m, h, w, 3) to Cb and Cr of small size, (m, 2, h′, w′)."""
    height, width = (min(side, CHROMA_SIDE) for side in images.shape[1:3])
    colors = (Image.fromarray(image).convert("YCbCr") for image in images)
    small = [np.asarray(c.resize((width, height), Image.Resampling.BOX)) for c in colors]
    return np.stack(small)[..., 1:].transpose(0, 3, 1, 2)


def _thin(costs: np.ndarray) -> np.ndarray:
    """Take every k-th cost, so that at most CURVE_POINTS are left."""
    return costs[:: max(1, -(-len(costs) // CURVE_POINTS))]
