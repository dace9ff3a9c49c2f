"""Predict picture files without JAX: the program in the file that `export_model` writes as "numpy".

It imports the standard library, NumPy, Pillow, and the modules of jaxnet that do the same; the
written file contains their sources, and this one's, in place of the imports.
"""

import base64
import contextlib
import csv
import os
import sys
import warnings
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
import PIL
from PIL import Image, UnidentifiedImageError

from jaxnet.data.decode import decode, open_picture
from jaxnet.data.depth import UnclearRangeError
from jaxnet.data.pixels import to_rows
from jaxnet.io.content import PICTURE, describe_content

# What jaxnet itself asks for; older ones decode some pictures differently.
OLDEST_PILLOW = (11, 0)

NUMPY_ACTIVATIONS: dict[str, Callable[[np.ndarray], np.ndarray]] = {
    "relu": lambda Z: np.maximum(Z, 0),
    "leaky_relu": lambda Z: np.where(Z > 0, Z, 0.01 * Z),
    "sigmoid": lambda Z: np.exp(-np.logaddexp(0, -Z)),  # 1 / (1 + e^−z), which may overflow
}


class RefusedError(ValueError):
    """A picture that is not predicted; the message says why."""


class Network(NamedTuple):
    """A network with all that is needed to predict picture files.

    Attributes:
        size: The number of hidden units, and the height and width of a picture in pixels.
        color: "gray" or "rgb".
        pixel_scale: "symmetric", "unit" or "raw".
        activation: A key of NUMPY_ACTIVATIONS.
        classes: The names of class 0 and of class 1.
        dtype: The type of the parameters.
        packed: W1 (n_h, n_x), b1, W2 and b2, one after the other, in base 64.
    """

    size: tuple[int, int, int]
    color: str
    pixel_scale: str
    activation: str
    classes: tuple[str, str]
    dtype: str
    packed: str

    def predict_files(self, paths: Sequence[str | Path]) -> np.ndarray:
        """Compute the probability of class 1 for picture files of any size: (m,).

        Raises:
            RefusedError: If a file is no picture, or jaxnet might treat it differently.
        """
        n_h, height, width = self.size
        numbers = np.frombuffer(base64.b64decode(self.packed), self.dtype)
        n_x = (len(numbers) - 2 * n_h - 1) // n_h
        W1, b1, W2, b2 = np.split(numbers, np.cumsum([n_h * n_x, n_h, n_h]))
        hidden = NUMPY_ACTIVATIONS[self.activation]
        probabilities = []
        for path in paths:
            image = read_picture(Path(os.path.expanduser(path)), height, width)
            x = to_rows(image[None], self.color, self.pixel_scale, numbers.dtype)[0]  # (n_x,)
            A1 = hidden(W1.reshape(n_h, n_x) @ x + b1)  # (n_h,)
            probabilities.append(NUMPY_ACTIVATIONS["sigmoid"](W2 @ A1 + b2)[0])
        return np.array(probabilities, numbers.dtype)

    def run(self, arguments: Sequence[str]) -> int:
        """Print the probability of each picture file as CSV; return the exit code."""
        if not arguments or arguments[0] in ("-h", "--help"):
            print("give picture files: their probabilities are printed as CSV", file=sys.stderr)
            return 0 if arguments else 2
        negative, positive = self.classes
        table = csv.writer(sys.stdout, lineterminator="\n")
        table.writerow(("picture", "positive", "probability", "class"))
        code = 0
        for path in arguments:
            try:
                [probability] = self.predict_files([path]).tolist()
            except RefusedError as refusal:
                print(f"refused: {refusal}", file=sys.stderr)
                code = 2
            else:
                row = (path, positive, probability, positive if probability > 0.5 else negative)
                table.writerow(row)
        return code


def read_picture(path: Path, height: int, width: int) -> np.ndarray:
    """Read a picture file as jaxnet does: (height, width, 3) uint8.

    Raises:
        RefusedError: If it is none, or jaxnet might treat it differently.
    """
    found = [int(number) for number in PIL.__version__.split(".")[:2]]
    if tuple(found) < OLDEST_PILLOW:
        raise RefusedError(
            f"Pillow {PIL.__version__} is older than 11, and decodes some pictures differently: "
            "install a newer one"
        )
    if not path.is_file():
        raise RefusedError(f"{path} is no file" if path.exists() else f"there is no {path}")
    with warnings.catch_warnings(), _refusing(path):
        warnings.simplefilter("ignore")  # of odd EXIF entries and palettes
        with open_picture(path, describe_content(path)) as placed:
            return decode(placed, height, width)
    raise AssertionError("what is not returned is raised")


@contextlib.contextmanager
def _refusing(path: Path):  # type: ignore[no-untyped-def]
    """Raise a RefusedError for whatever keeps a picture from being read."""
    try:
        yield
    except MemoryError:
        raise
    except ImportError as cause:
        raise RefusedError(
            f"{path} has a colour profile, which this Pillow cannot convert ({cause})"
        ) from cause
    except Image.DecompressionBombError as cause:
        raise RefusedError(f"{path} declares a picture too large to decode ({cause})") from cause
    except UnclearRangeError as cause:
        raise RefusedError(f"{path} {cause.found}: {cause.remedy}") from cause
    except Exception as cause:  # Pillow's decoders raise errors of many kinds
        if isinstance(cause, OSError) and cause.errno is not None:
            raise RefusedError(f"{path} cannot be read: {cause.strerror}") from cause
        content = describe_content(path)
        if not content.endswith(PICTURE):
            reason = f"{path} is {content}: give picture files"
        elif isinstance(cause, UnidentifiedImageError):
            reason = (
                f"{path} is {content}, which Pillow {PIL.__version__} does not read: export it as "
                "PNG or JPEG"
            )
        else:
            reason = f"{path} is {content} that is damaged or of an unsupported variant ({cause})"
        raise RefusedError(reason) from cause
