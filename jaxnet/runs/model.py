"""A trained network that knows how pictures become its columns, and what its classes are called."""

import dataclasses
import itertools
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import jax
import numpy as np

from jaxnet.activations import Activation, relu
from jaxnet.arrays import check_activation, check_params
from jaxnet.data.dataset import check_images
from jaxnet.data.pictures import read_each, require_readable
from jaxnet.data.preprocessing import Preprocessing
from jaxnet.devices import PickledOnHost, at_precision
from jaxnet.display import shown
from jaxnet.errors import DataError, UsageError
from jaxnet.network import Forward, Params, forward
from jaxnet.progress import Track, automatic

# Files that are read before they are predicted: what is in memory at a time.
BLOCK = 1024

# One program, which compiles faster than one for each operation.
forward_program = jax.jit(forward, static_argnames="hidden")


@shown
@dataclasses.dataclass(frozen=True, eq=False)
class Model(PickledOnHost):
    """A network with its preprocessing and its classes.

    Attributes:
        params: W1, b1, W2, b2.
        preprocessing: How pictures become columns.
        classes: The names of class 0 and of class 1, whose probability it predicts.
        hidden: The activation of the hidden units.
        members: The networks of an ensemble, whose mean probability the model predicts, that of
            `params` among them; empty where `params` alone predicts.

    Raises:
        DataError: If the parameters do not fit together, or not to the preprocessing, or those of a
            member have other shapes or another precision.
        UsageError: If the classes are not two different texts, or `hidden` is no Activation.
    """

    params: Params
    preprocessing: Preprocessing
    classes: tuple[str, str]
    hidden: Activation = relu
    members: tuple[Params, ...] = ()

    def __post_init__(self) -> None:
        """Check that the parts fit together."""
        check_params(self.params)
        object.__setattr__(self, "members", tuple(self.members))
        for number, member in enumerate(self.members):
            check_params(member)
            ours, theirs = ((p["W1"].shape, str(p["W1"].dtype)) for p in (member, self.params))
            if ours != theirs:
                raise DataError(
                    f"member {number} of the ensemble has W1 {ours[0]} {ours[1]}, the network of "
                    f"params {theirs[0]} {theirs[1]}",
                    "members of the same shapes and precision",
                    "train them with the same settings but for the seed",
                )
        check_activation(self.hidden)
        names: Any = self.classes
        texts = isinstance(names, list | tuple) and all(isinstance(name, str) for name in names)
        if not texts or len(set(names)) != 2 or len(names) != 2:
            raise UsageError(
                f"classes is {names!r}",
                "two different texts, the names of class 0 and of class 1",
                'give classes=("other", "cat"), say',
            )
        object.__setattr__(self, "classes", tuple(names))
        n_x = self.params["W1"].shape[1]
        if n_x != self.preprocessing.n_x:
            raise DataError(
                f"W1 is for {n_x} features, but the preprocessing gives {self.preprocessing.n_x}",
                "the same number of features",
                "give the Preprocessing that the network was trained with",
            )

    @property
    def networks(self) -> tuple[Params, ...]:
        """The networks whose mean probability is predicted: the members, or that of `params`."""
        return self.members or (self.params,)

    def forward_images(self, images: np.ndarray) -> Forward:
        """Compute Z1, A1 (n_h, m) and Z2, A2 (1, m) of images (m, h, w, 3) uint8 of any size.

        Of an ensemble those of the network of `params`.
        """
        return self._forward_each(images, (self.params,))[0]

    def predict_images(self, images: np.ndarray) -> np.ndarray:
        """Compute the probability of class 1 for images (m, h, w, 3) uint8 of any size: (m,).

        Of an ensemble the mean of the probabilities by its members.
        """
        return self.predict_logits(images)[1]

    def predict_logits(self, images: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Compute the logit and the probability of class 1 for images, as `predict_images`."""
        outputs = self._forward_each(images, self.networks)
        return mean_prediction([(result.Z2[0], result.A2[0]) for result in outputs])

    def _forward_each(self, images: np.ndarray, networks: tuple[Params, ...]) -> list[Forward]:
        images = np.asarray(images)
        check_images(images.shape, images.dtype, "images")
        dtype = self.params["W1"].dtype
        with at_precision(dtype):
            X = self.preprocessing.columns(images, dtype)
            return jax.device_get(
                [forward_program(params, X, hidden=self.hidden) for params in networks]
            )

    def predict_files(
        self, paths: Sequence[str | Path] | str | Path, *, track: Track = automatic
    ) -> np.ndarray:
        """Compute the probability of class 1 for picture files of any format and size: (m,).

        They are read in blocks, so the memory does not grow with their number.

        Raises:
            DataError: If a file cannot be read; it names the first six, and the number of others.
        """
        named = [paths] if isinstance(paths, str | Path) else list(paths)
        results = list(self.predict_each(named, track=track))
        errors = [result for result in results if isinstance(result, DataError)]
        require_readable(errors, len(named), skip_bad=False)
        return np.array(results, self.params["W1"].dtype)

    def predict_each(
        self, paths: Sequence[str | Path], *, track: Track = automatic
    ) -> Iterator[float | DataError]:
        """Predict picture files in blocks: yield the probability of each, or why it is not read."""
        height, width = self.preprocessing.height, self.preprocessing.width
        reading = read_each([Path(path) for path in paths], height, width, track=track)
        while block := list(itertools.islice(reading, BLOCK)):
            images = [image for image in block if isinstance(image, np.ndarray)]
            predicted = iter(self.predict_images(np.stack(images)) if images else ())
            for result in block:
                yield result if isinstance(result, DataError) else next(predicted)


def mean_prediction(outputs: Sequence[tuple[Any, Any]]) -> tuple[np.ndarray, np.ndarray]:
    """Compute the mean of the probabilities of several networks, and its logit.

    Args:
        outputs: Of each network the logits Z2 (m,) and the probabilities A2 (m,).

    Returns:
        The logit log p − log(1 − p) of the mean p, (m,), and p (m,).
    """
    Z2, A2 = (np.stack(rows) for rows in zip(*outputs, strict=True))
    if len(A2) == 1:
        return Z2[0], A2[0]
    # From the logits of the members, since a mean that rounds to 0 or 1 has no finite logit. The
    # number of members, by which both sums are to be divided, cancels.
    log_p, log_q = (-np.logaddexp(0, sign * Z2.astype(float)) for sign in (-1, 1))
    logits = np.logaddexp.reduce(log_p) - np.logaddexp.reduce(log_q)
    return logits.astype(Z2.dtype), A2.mean(axis=0)


def params_from(arrays: Mapping[str, np.ndarray]) -> Params:
    """Make the parameters of a network from the arrays of a file, in their own precision.

    Raises:
        ValueError: If one is neither float32 nor float64, or not finite.
    """
    for name, array in arrays.items():
        if array.dtype not in (np.float32, np.float64):
            raise ValueError(f"{name} is of type {array.dtype}")
        if not np.isfinite(array).all():
            raise ValueError(f"{name} is not finite")
    with jax.enable_x64(True):  # float32 stays float32; unlike jnp.asarray, this compiles nothing
        params: Params = jax.device_put(dict(arrays))
    return params


def preprocessing_attributes(preprocessing: Preprocessing) -> dict[str, Any]:
    """Return the fields of a preprocessing by the names that files have always had for them."""
    fields = dataclasses.asdict(preprocessing)
    return {"scale" if name == "pixel_scale" else name: fields[name] for name in fields}


def preprocessing_from(attributes: Mapping[str, Any]) -> Preprocessing:
    """Make the preprocessing that a file states, as `preprocessing_attributes` named its fields.

    Raises:
        KeyError: If the pixel scale is missing.
        ValueError: If another field is missing, or there are more.
    """
    options = dict(attributes)
    options["pixel_scale"] = options.pop("scale")
    if options.keys() != {field.name for field in dataclasses.fields(Preprocessing)}:
        raise ValueError(f"preprocessing holds {', '.join(sorted(options))}")
    return Preprocessing(**options)
