"""Pictures and labels in a file of arrays, HDF5 or npz: checked, arranged, and given two classes.

An array that does not hold pictures as they are read here is refused with the line of Python that
mends the file, or read as the layout says that is given for it.
"""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import NamedTuple

import numpy as np

from jaxnet.data.axes import (
    CHANNELS,
    Flat,
    arrange,
    flat_meanings,
    possible_layouts,
    to_bytes,
    to_rgb,
    without_alpha,
)
from jaxnet.errors import DataError, UsageError

RGB = "pictures of shape (m, height, width, 3), RGB, of type uint8 (0 to 255)"
RGB_OR_GREY = RGB.replace("RGB, of", "RGB, or grey (m, height, width), of")


class Stored(NamedTuple):
    """An array in a file: what it declares, and how to read it.

    Attributes:
        shape: Its shape.
        dtype: Its type.
        read: Reads it.
        reversed_axes: Whether the file stores every axis in reverse, as MATLAB does.
    """

    shape: tuple[int, ...]
    dtype: np.dtype
    read: Callable[[], np.ndarray]
    reversed_axes: bool = False


class ArrayFile(NamedTuple):
    """A file of arrays.

    Attributes:
        path: The file.
        arrays: Its arrays by name.
        mend: Returns the line of Python that replaces the array of a name by a conversion of it.
    """

    path: Path
    arrays: Mapping[str, Stored]
    mend: Callable[[str, str], str]


def read_images(
    file: ArrayFile,
    counts: Mapping[str, int],
    layout: str | None = None,
    *,
    article: bool = False,
) -> dict[str, np.ndarray]:
    """Read arrays of pictures as (m, h, w, 3) uint8.

    All arrays have one layout: what is ambiguous for one may be clear by another.

    Args:
        file: The file.
        counts: The names of the arrays, and how many pictures each has.
        layout: Their axes, if they are not those that are read without it.
        article: Whether the names are the article's, which promise RGB pictures (m, h, w, 3).

    Raises:
        DataError: If an array does not hold pictures that can be read, with the line that mends it.
        UsageError: If the layout does not fit, or is needed.
    """
    possible = {
        name: _possible(file, name, count, layout, article) for name, count in counts.items()
    }
    common = [
        choice
        for choice in next(iter(possible.values()))
        if all(choice in others for others in possible.values())
    ]
    images = {}
    for name, choices in possible.items():
        fitting = common or list(choices)
        if len(fitting) > 1:
            raise _ambiguous(file, name, fitting)
        images[name] = _read(file, name, fitting[0], layout is not None, article)
    return images


def _possible(
    file: ArrayFile, name: str, count: int, layout: str | None, article: bool
) -> tuple[str, ...]:
    """List the layouts that an array may have, at least one."""
    shape, dtype, _, reversed_axes = file.arrays[name]
    found = _found(file, name)
    if dtype.kind not in "biuf":
        raise DataError(found, _expected(article), "store the pictures as numbers")
    if 0 in shape:
        raise DataError(found, "at least one picture", "add pictures")
    if layout is not None:
        fits = len(layout) == len(shape) and shape[layout.index("N")] == count
        if not fits or ("C" in layout and shape[layout.index("C")] not in CHANNELS):
            raise UsageError(
                f'{found}, and layout is "{layout}"',
                f"a letter for each axis, N for that of {count:,} pictures, and C for that of 1, 3 "
                "or 4 channels, if there is one",
                "correct the layout, or leave it out",
            )
        return (layout,)
    layouts = possible_layouts(shape, count, reversed_axes)
    if article and (shape[3:] == (3,) or "NHWC" in layouts):  # as the names promise
        return ("NHWC",)
    if layouts:
        return layouts
    flat = flat_meanings(shape, count)
    if flat:
        raise _flat(file, name, flat, article)
    raise DataError(
        f"{found}, for {count:,} labels",
        _expected(article),
        f"store {count:,} pictures along the first axis, with their height and width as axes",
    )


def _read(file: ArrayFile, name: str, axes: str, given: bool, article: bool) -> np.ndarray:
    """Read an array of this layout, or refuse it with the line that mends it."""
    stored = file.arrays[name]
    channels = stored.shape[axes.index("C")] if "C" in axes else 1
    native = axes == "NHWC" or (axes == "NHW" and not article)
    if stored.dtype == np.uint8 and channels != 4:
        if given or (native and not (article and channels == 1)):
            return to_rgb(stored.read(), axes)
        raise DataError(
            _found(file, name),
            _expected(article),
            f'say how to read it: layout="{axes}"; or '
            + mend_by(file.mend(name, arrange(axes, stored.shape))),
        )
    array = stored.read()
    numbers = _as_bytes(file, name, array, article)
    conversion = numbers.replace("{}", arrange(axes, stored.shape))
    if channels == 4:
        conversion = without_alpha(array, axes).replace("{}", conversion)
    leave_out = "leave layout out, and " if given else ""
    raise DataError(
        _found(file, name),
        _expected(article),
        leave_out + mend_by(file.mend(name, conversion)),
    )


def _as_bytes(file: ArrayFile, name: str, array: np.ndarray, article: bool) -> str:
    """Return the expression that makes bytes of an array; raise a DataError if there is none."""
    numbers = to_bytes(array)
    if numbers is None:
        raise DataError(
            f"{_found(file, name)}, with numbers from {array.min():g} to {array.max():g}",
            f"{_expected(article)}; nothing tells which of these numbers is white",
            "convert the numbers to 0 … 255 by the range that they have, and the array to uint8",
        )
    return numbers


def mend_by(line: str) -> str:
    """Say for an error that a line of Python mends the file; the line can be copied as a whole."""
    return f"mend the file by this line of Python:\n    {line}"


def _found(file: ArrayFile, name: str) -> str:
    shape, dtype, *_ = file.arrays[name]
    return f"{name} in {file.path} has shape {shape} and type {dtype}"


def _expected(article: bool) -> str:
    return RGB if article else RGB_OR_GREY


def _ambiguous(file: ArrayFile, name: str, layouts: list[str]) -> UsageError:
    either = " or ".join(layouts)
    return UsageError(
        f"{_found(file, name)}, which is ambiguous: its axes may be {either}",
        "axes with one meaning: N for pictures, H for rows, W for columns, C for channels",
        "say which: " + ", or ".join(f'layout="{layout}"' for layout in layouts),
    )


def _flat(file: ArrayFile, name: str, meanings: tuple[Flat, ...], article: bool) -> DataError:
    numbers = _as_bytes(file, name, file.arrays[name].read(), article)
    lines = [
        f"\n    if {meaning}:\n    {file.mend(name, numbers.replace('{}', conversion))}"
        for meaning, conversion in meanings
    ]
    return DataError(
        _found(file, name),
        _expected(article),
        "mend the file by the line of Python that fits:" + "".join(lines),
    )
