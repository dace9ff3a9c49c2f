"""Read data sets from NumPy archives (.npz)."""

from pathlib import Path

from jaxnet.arrays import PARAM_NAMES
from jaxnet.data.array_dataset import read_array_dataset
from jaxnet.data.array_file import ArrayFile, Stored
from jaxnet.data.array_names import describe_conventions
from jaxnet.data.dataset import Dataset
from jaxnet.errors import DataError
from jaxnet.io.bounded_npz import NPZ, read_headers, read_member


def is_npz(path: Path, content: str) -> bool:
    """Return whether a file is a NumPy archive, by its content."""
    return content == NPZ


def read_npz(
    path: Path,
    test: Path | None = None,
    *,
    positive: str | None = None,
    layout: str | None = None,
    data_seed: int = 0,
) -> Dataset:
    """Read a data set from one archive, or from one of the training set and one of the test set.

    The names of the arrays are those of MedMNIST, of Keras, or X and y: `read_array_dataset` has
    the arguments. Pictures are grey (m, h, w) or (m, h, w, 1), or RGB (m, h, w, 3), uint8; labels
    are integers or texts (m,) or (m, 1).

    Raises:
        DataError: If an archive is missing or damaged, or holds something else.
        UsageError: If the positive class or the layout is missing or does not fit.
    """
    return read_array_dataset(
        _open(path),
        None if test is None else _open(test),
        positive=positive,
        layout=layout,
        seed=data_seed,
    )


def _open(path: Path) -> ArrayFile:
    headers = read_headers(path)
    if headers.keys() >= set(PARAM_NAMES):
        raise DataError(
            f"{path} is a network that jaxnet exported: it holds {', '.join(PARAM_NAMES)}",
            describe_conventions(),
            "give a file of pictures; a trained network is read from model.h5 in the folder of "
            "its run",
        )
    arrays = {
        name: Stored(header.shape, header.dtype, lambda name=name: read_member(path, name))  # type: ignore[misc]
        for name, header in headers.items()
    }
    return ArrayFile(path, arrays, lambda name, conversion: _mend(path, name, conversion))


def _mend(path: Path, name: str, conversion: str) -> str:
    """Return the line of Python that replaces an array of an archive by a conversion of it."""
    to = repr(str(path)) if path.suffix == ".npz" else f'open({str(path)!r}, "wb")'
    return (
        f"import numpy as np; z = dict(np.load({str(path)!r})); a = z[{name!r}]; "
        f"z[{name!r}] = {conversion.replace('{}', 'a')}; np.savez_compressed({to}, **z)"
    )
