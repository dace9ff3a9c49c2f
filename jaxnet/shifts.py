"""Shifts: training pictures moved by a few pixels, drawn anew each time that one is seen.

How far a picture is moved depends on the seed, the iteration and the number of the picture alone.
It is drawn by Threefry, whatever random generator JAX is set to, within the compiled loop. So one
device, several, and pictures that are read in blocks see the same, and so does a training that is
continued.
"""

from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from jaxnet.errors import DataError, UsageError, require_integer, require_kind

# Beside the seed in the key, so that the shifts are independent of the weights of the same seed.
STREAM = 1


class Shifts(NamedTuple):
    """How the pictures of a training are shifted, and what their columns are made of.

    Attributes:
        most: Each picture is moved by a whole number of pixels from −most to most, each with the
            same probability, down and to the right; what moves in repeats the edge.
        height: The height of a picture, in pixels.
        width: Its width.
    """

    most: int
    height: int
    width: int


class Drawing(NamedTuple):
    """What the shifts of some iterations are drawn from.

    Attributes:
        key: The two numbers of a key of Threefry, (2,) uint32.
        first: The first iteration, ().
        numbers: The number of each picture in the data, (m,); None where it is that of its example.
    """

    key: Any
    first: Any
    numbers: Any = None


def make_shifts(most: int, height: int, width: int) -> Shifts | None:
    """Make the shifts of a training; None of 0 pixels."""
    return Shifts(most, height, width) if most else None


def check_shifts(shifts: Shifts, n_x: int) -> None:
    """Raise an error unless pictures of n_x features can be shifted so.

    Raises:
        DataError: If the columns are not made of such pictures, in grey or in colour.
        UsageError: If an argument is of the wrong type or out of its range.
    """
    require_kind("shifts", shifts, Shifts)
    for name, value in shifts._asdict().items():
        require_integer(name, value, 1)
    most, height, width = shifts
    if n_x not in (height * width, 3 * height * width):
        raise DataError(
            f"X has {n_x} features, and the pictures are {height} × {width}",
            f"{height * width} features in grey, or {3 * height * width} in colour",
            "give the height and the width of the pictures",
        )
    if most >= min(height, width):
        raise UsageError(
            f"shift is {most} for pictures of {height} × {width}",
            "fewer pixels than the pictures are high and wide",
            "take a smaller shift",
        )


def start_drawing(seed: int, first: int, numbers: np.ndarray | None = None) -> Drawing:
    """Prepare the shifts of the iterations from `first` on."""
    return Drawing(np.array([STREAM, seed], np.uint32), np.int32(first), numbers)


def draw_offsets(shifts: Shifts, drawing: Drawing, t: jax.Array, indices: jax.Array) -> jax.Array:
    """Draw by how many pixels pictures are moved down and to the right, (batch, 2) int32.

    Args:
        shifts: How they are shifted.
        drawing: The seed, and the iteration from which `t` is counted.
        t: The iteration.
        indices: Which examples the step sees, (batch,).
    """
    numbers = indices if drawing.numbers is None else drawing.numbers[indices]
    of_seed = jax.random.wrap_key_data(drawing.key, impl="threefry2x32")
    key = jax.random.fold_in(of_seed, drawing.first + t)

    def draw(number: jax.Array) -> jax.Array:
        own = jax.random.fold_in(key, number)
        return jax.random.randint(own, (2,), -shifts.most, shifts.most + 1, jnp.int32)

    return jax.vmap(draw)(numbers)


def shift_rows(rows: jax.Array, offsets: jax.Array, shifts: Shifts) -> jax.Array:
    """Move pictures, each a row of Xᵀ (batch, n_x), by their offsets (batch, 2)."""
    most, height, width = shifts
    pictures = rows.reshape(len(rows), height, width, -1)
    edge = (most, most)
    padded = jnp.pad(pictures, ((0, 0), edge, edge, (0, 0)), mode="edge")

    def cut(picture: jax.Array, offset: jax.Array) -> jax.Array:
        start = (most - offset[0], most - offset[1], jnp.zeros_like(offset[0]))
        return jax.lax.dynamic_slice(picture, start, pictures.shape[1:])

    return jax.vmap(cut)(padded, offsets).reshape(rows.shape)
