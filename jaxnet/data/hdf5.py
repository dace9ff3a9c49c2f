"""Read and write data sets in the article's HDF5 layout.

A file holds `train_set_x` (m, h, w, 3) uint8 and `train_set_y` (m,) of 0 and 1, or `test_set_x` and
`test_set_y`, or all four, and `list_classes`, the names of the two classes.
"""

from pathlib import Path

import h5py
import numpy as np

from jaxnet.arrays import check_labels
from jaxnet.data.dataset import Dataset, Split, check_images
from jaxnet.errors import DataError
from jaxnet.io.bounded_hdf5 import find_array, find_inside, open_hdf5, read_array
from jaxnet.io.files import write_whole

LAYOUT = "an HDF5 file with train_set_x, train_set_y and list_classes, as the article uses"


def read_hdf5(path: Path, test: Path | None = None) -> Dataset:
    """Read a data set from one HDF5 file, or from a train file and a test file.

    Args:
        path: The file with the training split, and perhaps the test split.
        test: The file with the test split. By default `path` itself if it contains one, else the
            file in the same folder with "test" for "train" in its name, if it exists.

    Raises:
        DataError: If a file is missing or damaged, or has another layout.
    """
    with open_hdf5(path, LAYOUT) as file:
        train = _read_split(file, "train")
        classes = _read_classes(file)
        validation = _read_split(file, "validation") if "validation_set_x" in list(file) else None
        test = test or _find_test(path, file)
    if test is None:
        return Dataset(train, None, classes, source=str(path), validation=validation)
    with open_hdf5(test, LAYOUT.replace("train", "test")) as file:
        split = _read_split(file, "test")
        if "list_classes" in list(file) and _read_classes(file) != classes:
            raise DataError(
                f"{test} has the classes {_read_classes(file)}, but {path} has {classes}",
                "the same two classes, in the same order, in both files",
                "give the test file that belongs to this training file",
            )
    source = str(path) if test == path else f"{path} and {test.name}"
    return Dataset(train, split, classes, source=source, validation=validation)


def _find_test(path: Path, file: h5py.File) -> Path | None:
    if "test_set_x" in list(file):
        return path
    sibling = path.with_name(path.name.replace("train", "test"))
    return sibling if sibling != path and sibling.exists() else None


def _read_split(file: h5py.File, name: str) -> Split:
    members = list(file)  # `in file` would follow a link into another file
    names = (f"{name}_set_x", f"{name}_set_y")
    arrays = [find_inside(file, array) for array in names if array in members]
    if [getattr(array, "shape", None) is None for array in arrays] != [False, False]:
        is_test_file = name == "train" and "test_set_x" in members
        raise DataError(
            f"{file.filename} contains {', '.join(sorted(members)) or 'nothing'}",
            f"the datasets {name}_set_x and {name}_set_y, neither of them empty",
            "give the file with the training pictures; the test file beside it is found by name"
            if is_test_file
            else "rename the datasets in the file, or give the pictures as a folder",
        )
    x, y = arrays
    check_images(x.shape, x.dtype, f"{name}_set_x in {file.filename}")
    if y.dtype.kind not in "iub" or y.size != max(y.shape, default=0):
        raise DataError(
            f"{name}_set_y in {file.filename} has shape {y.shape} and type {y.dtype}",
            "one integer for each picture, 0 or 1",
            "store the labels as integers of shape (m,)",
        )
    labels = read_array(y).reshape(-1)
    check_labels(labels, len(x), f"{name}_set_y in {file.filename}")
    return Split(read_array(x), labels.astype(np.int64))


def _read_classes(file: h5py.File) -> tuple[str, str]:
    """Read the two class names, bytes or strings; without `list_classes`, number the classes."""
    if "list_classes" not in list(file):
        return "class 0", "class 1"
    source = find_array(file, "list_classes")
    if source.size != 2:
        raise DataError(
            f"the size of list_classes in {file.filename} is {source.size}",
            "two class names",
            "keep two classes; the network distinguishes exactly two",
        )
    names = read_array(source).reshape(-1)
    texts = [
        name.decode("utf-8", "replace") if isinstance(name, bytes) else str(name) for name in names
    ]
    if texts[0] == texts[1]:
        raise DataError(
            f"both names of list_classes in {file.filename} are {texts[0]!r}",
            "two different class names",
            "rename one",
        )
    return texts[0], texts[1]


def write_hdf5(path: Path, dataset: Dataset) -> None:
    """Write a data set to one HDF5 file in the article's layout; an existing one is replaced."""
    with write_whole(path) as temporary, h5py.File(temporary, "w") as file:
        for name, split in dataset.splits.items():
            file[f"{name}_set_x"] = split.images
            file[f"{name}_set_y"] = split.labels.astype(np.int64)
        file["list_classes"] = np.array([name.encode() for name in dataset.classes])
