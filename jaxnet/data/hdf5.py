"""Read data sets from HDF5 files, and write them in the article's layout.

In the article's layout a file holds `train_set_x` (m, h, w, 3) uint8 and `train_set_y` (m,) of 0
and 1, or `test_set_x` and `test_set_y`, or all four, and `list_classes`, the names of the two
classes. `train_set_groups` and the like hold the groups, if there are any. Arrays of other names
are read as those of a NumPy archive are.
"""

import contextlib
from pathlib import Path

import h5py
import numpy as np

from jaxnet.arrays import check_labels
from jaxnet.data.array_dataset import read_array_dataset
from jaxnet.data.array_file import ArrayFile, Stored, read_images
from jaxnet.data.array_names import CLASSES, CONVENTIONS, describe_conventions
from jaxnet.data.dataset import Dataset, Split
from jaxnet.data.labels import as_texts
from jaxnet.errors import DataError
from jaxnet.io.bounded_hdf5 import (
    find_array,
    find_group,
    find_inside,
    names_in,
    open_hdf5,
    read_array,
)
from jaxnet.io.conversions import CONVERSIONS
from jaxnet.io.files import write_whole

LAYOUT = "an HDF5 file with train_set_x, train_set_y and list_classes, as the article uses"


def read_hdf5(
    path: Path,
    test: Path | None = None,
    *,
    positive: str | None = None,
    layout: str | None = None,
    data_seed: int = 0,
) -> Dataset:
    """Read a data set from one HDF5 file, or from a train file and a test file.

    Args:
        path: The file with the training split, and perhaps the test split.
        test: The file with the test split. By default `path` itself if it contains one, else the
            file in the same folder with "test" for "train" in its name, if it exists.
        positive: The class of label 1, if the arrays are named as in a NumPy archive.
        layout: The axes of the pictures, if they are not (m, h, w, 3).
        data_seed: The seed of a random test split, where the names of the arrays say no split.

    Raises:
        DataError: If a file is missing or damaged, or has another layout.
        UsageError: If the positive class or the layout does not fit.
    """
    with open_hdf5(path, LAYOUT) as file:
        _require_data(path, file)
        if _has_other_names(file):
            return _read_other_names(path, file, test, positive, layout, data_seed)
        train = _read_split(file, "train", layout)
        classes = read_classes(file)
        validation = (
            _read_split(file, "validation", layout)
            if "validation_set_x" in names_in(file)
            else None
        )
        test = test or find_test(path, file)
    if test is None:
        return Dataset(train, None, classes, source=str(path), validation=validation)
    with open_hdf5(test, LAYOUT.replace("train", "test")) as file:
        split = _read_split(file, "test", layout)
        if CLASSES in names_in(file) and read_classes(file) != classes:
            raise DataError(
                f"{test} has the classes {read_classes(file)}, but {path} has {classes}",
                "the same two classes, in the same order, in both files",
                "give the test file that belongs to this training file",
            )
    source = str(path) if test == path else f"{path} and {test.name}"
    return Dataset(train, split, classes, source=source, validation=validation)


def is_hdf5(path: Path, content: str) -> bool:
    """Return whether HDF5 reads a file, perhaps after a user block of any length."""
    return content == "an HDF5 file" or h5py.is_hdf5(path)


def _require_data(path: Path, file: h5py.File) -> None:
    """Raise a DataError for a network saved by Keras, or a table written by pandas."""
    members = names_in(file)
    if "model_weights" in members or "layer_names" in file.attrs:
        raise DataError(
            f"{path} is an HDF5 file with a network that Keras saved",
            LAYOUT,
            "give the file of the pictures on which it was trained",
        )
    for name in members:
        group = None
        with contextlib.suppress(DataError, KeyError, ValueError):
            group = find_group(file, name)
        if group is not None and "pandas_type" in group.attrs:
            what = "an HDF5 file that pandas wrote"
            raise DataError(f"{path} is {what}", LAYOUT, CONVERSIONS[what].describe(path))


def _has_other_names(file: h5py.File) -> bool:
    """Return whether a file has none of the article's names, and some that archives have."""
    known = {name for splits in CONVENTIONS.values() for pair in splits.values() for name in pair}
    members = {name.casefold() for name in names_in(file)}
    return not any("_set_" in name for name in members) and bool(members & known)


def _read_other_names(
    path: Path,
    file: h5py.File,
    test: Path | None,
    positive: str | None,
    layout: str | None,
    seed: int,
) -> Dataset:
    with contextlib.ExitStack() as stack:
        other = None if test is None else stack.enter_context(open_hdf5(test, LAYOUT))
        return read_array_dataset(
            _as_arrays(file),
            None if other is None else _as_arrays(other),
            positive=positive,
            layout=layout,
            seed=seed,
        )


def _as_arrays(file: h5py.File) -> ArrayFile:
    """List the datasets at the top of a file, without links that lead out of it."""
    arrays = {}
    for name in names_in(file):
        with contextlib.suppress(DataError, KeyError):
            arrays[name] = _stored(find_array(file, name))
    path = Path(file.filename)
    return ArrayFile(path, arrays, lambda name, conversion: _mend(path, name, conversion))


def _stored(array: h5py.Dataset) -> Stored:
    reversed_axes = "MATLAB_class" in array.attrs
    return Stored(array.shape, array.dtype, lambda: read_array(array), reversed_axes)


def _mend(path: Path, name: str, conversion: str) -> str:
    """Return the line of Python that replaces a dataset of a file by a conversion of it."""
    return (
        f'import h5py; f = h5py.File({str(path)!r}, "a"); a = f[{name!r}][()]; '
        f"a = {conversion.replace('{}', 'a')}; del f[{name!r}]; f[{name!r}] = a; f.close()"
    )


def find_test(path: Path, file: h5py.File) -> Path | None:
    """Return the file that holds the test split: a file itself, the one beside it, or None."""
    if "test_set_x" in names_in(file):
        return path
    sibling = path.with_name(path.name.replace("train", "test"))
    return sibling if sibling != path and sibling.exists() else None


def _read_split(file: h5py.File, name: str, layout: str | None) -> Split:
    members = names_in(file)
    names = (f"{name}_set_x", f"{name}_set_y")
    arrays = [find_inside(file, array) for array in names if array in members]
    if [getattr(array, "shape", None) is None for array in arrays] != [False, False]:
        is_test_file = name == "train" and "test_set_x" in members
        raise DataError(
            f"{file.filename} contains {', '.join(sorted(members)) or 'nothing'}",
            f"the datasets {name}_set_x and {name}_set_y, neither of them empty; or "
            f"{describe_conventions()}",
            "give the file with the training pictures; the test file beside it is found by name"
            if is_test_file
            else "rename the datasets in the file, or give the pictures as a folder",
        )
    x, _ = arrays
    labels = _read_labels(file, name)
    here = ArrayFile(
        Path(file.filename),
        {names[0]: _stored(x)},
        lambda array, conversion: _mend(Path(file.filename), array, conversion),
    )
    images = read_images(here, {names[0]: len(labels)}, layout, article=True)[names[0]]
    check_labels(labels, len(images), f"{name}_set_y in {file.filename}")
    groups = None
    if f"{name}_set_groups" in members:
        groups = as_texts(read_array(find_array(file, f"{name}_set_groups")))
    return Split(images, labels.astype(np.int64), groups)


def read_labels_of(file: h5py.File, split: str, m: int) -> np.ndarray:
    """Read the labels of m pictures of a split, (m,) of 0 and 1.

    Raises:
        DataError: If they are no integers, or not m labels of 0 and 1.
    """
    labels = _read_labels(file, split)
    check_labels(labels, m, f"{split}_set_y in {file.filename}")
    return labels.astype(np.int64)


def _read_labels(file: h5py.File, split: str) -> np.ndarray:
    y = find_array(file, f"{split}_set_y")
    if y.dtype.kind not in "iub" or y.size != max(y.shape, default=0):
        raise DataError(
            f"{split}_set_y in {file.filename} has shape {y.shape} and type {y.dtype}",
            "one integer for each picture, 0 or 1",
            "store the labels as integers of shape (m,)",
        )
    return read_array(y).reshape(-1)


def read_classes(file: h5py.File) -> tuple[str, str]:
    """Read the two class names, bytes or strings; without `list_classes`, number the classes."""
    if CLASSES not in names_in(file):
        return "class 0", "class 1"
    source = find_array(file, CLASSES)
    if source.size != 2:
        raise DataError(
            f"the size of list_classes in {file.filename} is {source.size}",
            "two class names",
            "keep two classes; the network distinguishes exactly two",
        )
    names = read_array(source).reshape(-1)
    texts = as_texts(names).tolist()
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
            write_labels(file, name, split.labels, split.groups)
        write_classes(file, dataset.classes)


def write_labels(
    file: h5py.File, split: str, labels: np.ndarray, groups: np.ndarray | None
) -> None:
    """Write the labels of a split, and its groups, into a file in the article's layout."""
    file[f"{split}_set_y"] = labels.astype(np.int64)
    if groups is not None:
        file[f"{split}_set_groups"] = np.strings.encode(groups)


def write_classes(file: h5py.File, classes: tuple[str, str]) -> None:
    """Write the names of the classes into a file in the article's layout."""
    file[CLASSES] = np.array([name.encode() for name in classes])
