"""The axes and the numbers of picture arrays: what they may mean, and how to make them RGB bytes.

A layout names the axes of an array in their order by the letters N (pictures), H (rows), W (columns
of pixels) and C (colour channels), as in "NCHW". A conversion is an expression of NumPy, with {}
where the array stands.
"""

import math
from typing import NamedTuple

import numpy as np

CHANNELS = (1, 3, 4)  # grey, RGB, RGBA

# A range is told only if the numbers make use of it, as for picture files (jaxnet.data.depth).
LEAST_SHARE = 0.25


def possible_layouts(
    shape: tuple[int, ...], count: int, reversed_axes: bool = False
) -> tuple[str, ...]:
    """List the layouts that an array of `count` pictures may have by its shape.

    The pictures are along the first or the last axis. Of the other axes, the channels are the first
    or the last one; rows come before columns. Where three channels are possible, one or four are
    not considered.

    Args:
        shape: The shape of the array, with 3 or 4 axes.
        count: The number of pictures.
        reversed_axes: Whether the file stores every axis in reverse, as MATLAB does.
    """
    rows_columns = "WH" if reversed_axes else "HW"
    inner = [rows_columns] if len(shape) == 3 else [rows_columns + "C", "C" + rows_columns]
    layouts = [
        layout
        for layout in [*("N" + rest for rest in inner), *(rest + "N" for rest in inner)]
        if len(layout) == len(shape)
        and shape[layout.index("N")] == count
        and ("C" not in layout or shape[layout.index("C")] in CHANNELS)
    ]
    color = [layout for layout in layouts if "C" in layout and shape[layout.index("C")] == 3]
    return tuple(color or layouts)


def to_rgb(array: np.ndarray, layout: str) -> np.ndarray:
    """Arrange pictures as (m, h, w, 3); grey ones have three equal channels.

    Args:
        array: Pictures of 1 or 3 channels, of any type.
        layout: Its axes.
    """
    images = array.transpose(_order(layout))
    if "C" not in layout:
        images = images[..., None]
    return np.ascontiguousarray(np.broadcast_to(images, (*images.shape[:3], 3)))


def arrange(layout: str, shape: tuple[int, ...]) -> str:
    """Return the conversion of axes that does what `to_rgb` does; "{}" if there is nothing to do.

    An alpha channel remains.
    """
    order = _order(layout)
    conversion = "{}" if order == tuple(range(len(order))) else f"{{}}.transpose{order}"
    if "C" not in layout:
        return f"{conversion}[..., None].repeat(3, axis=-1)"
    return f"{conversion}.repeat(3, axis=-1)" if shape[layout.index("C")] == 1 else conversion


def to_bytes(array: np.ndarray) -> str | None:
    """Return the conversion of numbers or truth values to 0 … 255; None if the range is unclear."""
    dtype = array.dtype
    if dtype == np.uint8:
        return "{}"
    if dtype.kind == "b":
        return '(255 * {}.astype("uint8"))'
    least, greatest = float(array.min()), float(array.max())
    if dtype.kind == "f" and -1 <= least and greatest <= 1:  # NaN is in no range
        scaled = "255 * {}" if least >= 0 else "127.5 * {} + 127.5"
        return f'({scaled}).round().astype("uint8")'
    if not least >= 0:
        return None
    if 255 * LEAST_SHARE < greatest <= 255:
        return '{}.round().astype("uint8")' if dtype.kind == "f" else '{}.astype("uint8")'
    if dtype == np.uint16 and 65535 * LEAST_SHARE < greatest:
        return '({} / 257).round().astype("uint8")'
    return None


def without_alpha(array: np.ndarray, layout: str) -> str:
    """Return the conversion of RGBA bytes (…, 4) to RGB: on white, as pictures in files are read.

    Args:
        array: The pictures, of any type; only their alpha channel is looked at.
        layout: Its axes.
    """
    if (array.take(3, layout.index("C")) == array.max()).all():  # opaque everywhere
        return "{}[..., :3]"
    return '(255 + ({}[..., :3] - 255.0) * ({}[..., 3:] / 255)).round().astype("uint8")'


class Flat(NamedTuple):
    """One meaning of pictures that are rows or columns of numbers.

    Attributes:
        meaning: What it is, in words.
        conversion: How to make pictures of it.
    """

    meaning: str
    conversion: str


def flat_meanings(shape: tuple[int, ...], count: int) -> tuple[Flat, ...]:
    """List what an array (m, numbers) or (numbers, m) of `count` square pictures may be."""
    found = []
    for axis, turned in ((0, "{}"), (1, "{}.T")):
        if len(shape) != 2 or shape[axis] != count:
            continue
        numbers = shape[1 - axis]
        which = "each row" if axis == 0 else "each column"
        side = math.isqrt(numbers)
        if side * side == numbers:
            found.append(
                Flat(
                    f"{which} is a grey picture of {side} × {side} pixels",
                    f"{turned}.reshape(-1, {side}, {side}, 1).repeat(3, axis=-1)",
                )
            )
        side = math.isqrt(numbers // 3)
        if 3 * side * side == numbers:
            one = f"{which} is a picture of {side} × {side} pixels"
            found += [
                Flat(
                    f"{one}, with red, green and blue of a pixel side by side",
                    f"{turned}.reshape(-1, {side}, {side}, 3)",
                ),
                Flat(
                    f"{one}, first all red, then all green, then all blue",
                    f"{turned}.reshape(-1, 3, {side}, {side}).transpose(0, 2, 3, 1)",
                ),
            ]
    return tuple(found)


def _order(layout: str) -> tuple[int, ...]:
    return tuple(layout.index(axis) for axis in "NHWC" if axis in layout)
