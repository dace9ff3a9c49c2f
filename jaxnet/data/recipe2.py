"""Paint sketches in NumPy: recipe 2, the same bytes on every machine, and nothing to compile.

The arithmetic is that of float32 by + - x / and square roots, which IEEE 754 defines to the last
bit. Only cosines and sines differ between processors and versions of NumPy: in the last bits of
float64, in which they are computed, before they are rounded to float32. The random numbers are
those that `jax.random.uniform` draws.

The pictures of a block, m, show the same kind. No picture depends on the others.
"""

from typing import NamedTuple

import numpy as np

from jaxnet.data.kinds import (
    ARC,
    BOX,
    COAT,
    DOME,
    KINDS,
    MOST_PARTS,
    OPTIONS,
    RING,
    TRIANGLE,
    Kind,
    as_arrays,
)
from jaxnet.defaults import SIDE
from jaxnet.progress import Track
from jaxnet.threefry import random_bits

BLOCK = 16  # pictures that are painted together: the numbers of more leave the processor's cache
SCENE = 36  # random numbers of a picture beside those of its parts and of its noise
RADIANS = np.float32(np.pi / 180)
RIM = 0.28  # half the width of a ring, in units of its smaller half axis

# Coordinates of the picture, of a row and of a column of pixels.
X = ((np.arange(SIDE) + 0.5) * (2 / SIDE) - 1).astype(np.float32)
Y = X[:, None]


class Canvas(NamedTuple):
    """The pixels in the coordinates (u, v) of the table of parts.

    Attributes:
        u: (m, 64, 64).
        v: (m, 64, 64).
        by_u: Rows and columns of pixels that a step of u moves, (2, m, 1, 1).
        by_v: The same for v.
        scale: How much larger the object is than its table, (m, 1, 1).
    """

    u: np.ndarray
    v: np.ndarray
    by_u: np.ndarray
    by_v: np.ndarray
    scale: np.ndarray


def paint_all(keys: np.ndarray, kinds: np.ndarray, track: Track) -> np.ndarray:
    """Paint pictures (m, 64, 64, 3) uint8.

    Args:
        keys: (m, 2) uint32, the key of all random numbers of a picture.
        kinds: (m,), what each shows: its number in KINDS.
        track: Reports the progress in blocks.
    """
    images = np.empty((len(keys), SIDE, SIDE, 3), np.uint8)
    alike = [np.flatnonzero(kinds == number) for number in range(len(KINDS))]
    blocks = [own[i : i + BLOCK] for own in alike for i in range(0, len(own), BLOCK)]
    for block in track(blocks, "drawing", len(blocks)):
        images[block] = _paint(keys[block], KINDS[kinds[block[0]]])
    return images


def _paint(keys: np.ndarray, kind: Kind) -> np.ndarray:
    """Paint pictures (m, 64, 64, 3) uint8 of a kind, each from its key of `keys` (m, 2) uint32."""
    table, strays, colours = as_arrays(kind)
    draws = _uniform(keys, SCENE + 8 * MOST_PARTS + SIDE * SIDE)
    noise = draws[:, -SIDE * SIDE :].reshape(-1, SIDE, SIDE)
    parts = table + strays * draws[:, SCENE : SCENE + table.size].reshape(-1, *table.shape)
    scene = draws[:, :SCENE, None, None].swapaxes(0, 1)  # (36, m, 1, 1)
    light_x, light_y = scene[20:22]
    parts[:, :, 1:3] += 0.05 * draws[:, None, 7:9] * table[:, 7:]  # the head nods

    canvas = _stretch(scene[:7])
    palette = _mix(colours, draws[:, 22:26], draws[:, 26:30])
    bare = 1 - _fur(canvas, scene[9:14])
    picture = _ground(scene[14:20], scene[30:33], scene[33:36])  # (3, m, 64, 64)
    for number, (shape, *_, colour, _) in enumerate(table):
        numbers = parts[:, number, 1:6, None, None].swapaxes(0, 1)
        window, cover, shade = _part(canvas, shape, *numbers)
        if colour == COAT:
            shade *= bare[window]
        behind = picture[:, *window]
        behind += cover * (shade * palette[int(colour)] - behind)
    light = 1.05 + 0.15 * (light_x * X + light_y * Y) - 0.06 * (X * X + Y * Y)
    picture = 255 * (picture * light + 0.025 * noise)
    return np.rint(np.clip(picture, 0, 255)).astype(np.uint8).transpose(1, 2, 3, 0)


def _uniform(keys: np.ndarray, count: int) -> np.ndarray:
    """Draw what `jax.random.uniform` draws in [-1, 1): (m, count) float32."""
    fractions = (random_bits(keys, count) >> np.uint32(9)).astype(np.float32)  # of 23 bits
    return fractions * np.float32(2**-22) - 1


def _cos(angle: np.ndarray) -> np.ndarray:
    return np.cos(angle, dtype=np.float64).astype(np.float32)


def _sin(angle: np.ndarray) -> np.ndarray:
    return np.sin(angle, dtype=np.float64).astype(np.float32)


def _stretch(scene: np.ndarray) -> Canvas:
    """Choose where the object stands, and how large and how crooked it is.

    It stays near the middle and is seldom mirrored, because eight hidden units on raw pixels cannot
    fit more.
    """
    size, tilt, right, down, mirror, shear, squeeze = scene
    scale = 0.77 + 0.08 * size
    cos, sin = _cos(0.1 * tilt) / scale, _sin(0.1 * tilt) / scale
    u, v = X - 0.06 * right, Y - 0.06 * down
    u, v = cos * u + sin * v, cos * v - sin * u
    u = (np.where(mirror > -0.76, u, -u) + 0.08 * shear * v) * (1 + 0.08 * squeeze)
    # (u, v) are linear in row and column: one step in each tells the matrix, which is inverted.
    a, b = (at[:, 1:2, :1] - at[:, :1, :1] for at in (u, v))  # by a row
    c, d = (at[:, :1, 1:2] - at[:, :1, :1] for at in (u, v))  # by a column
    by_u, by_v = np.stack([d, -b]), np.stack([-c, a])
    return Canvas(u, v, by_u / (a * d - b * c), by_v / (a * d - b * c), scale)


def _mix(colours: np.ndarray, choice: np.ndarray, tint: np.ndarray) -> np.ndarray:
    """Choose the colours of a picture: (8, 3, m, 1, 1) by the numbers of `kinds`."""
    options = ((choice + 1) * (OPTIONS / 2)).astype(int)
    chosen = colours[np.arange(4), options] * (1 + 0.12 * tint[..., None])  # (m, 4, 3)
    coat, ink = chosen[:, :1], np.full((len(chosen), 1, 3), 0.09, np.float32)
    mixed = (coat, 0.62 * coat, 0.45 * coat + 0.55, chosen[:, 1:], ink, 1 - ink)
    return np.concatenate(mixed, 1).transpose(1, 2, 0)[..., None, None]


def _fur(canvas: Canvas, scene: np.ndarray) -> np.ndarray:
    """Draw how much darker the coat is, (m, 64, 64): one wave gives stripes, two give patches."""
    u, v, *_ = canvas
    stripe, phase, patch, patched, furred = scene
    wave = _cos((9 + 2 * stripe) * (u + 0.25 * v * v) + 3 * phase)
    two = patched[:, 0, 0] <= 0.2
    wave[two] += _cos((4 * v + 2 * u + 3 * patch)[two])
    return np.clip(2.5 * wave - 0.5, 0, 1) * np.clip(furred + 0.1, 0, 0.25)


def _ground(scene: np.ndarray, wall: np.ndarray, floor: np.ndarray) -> np.ndarray:
    """Paint wall and floor behind the object, (3, m, 64, 64)."""
    dark, tone, fall, edge, fold_x, fold_y = scene
    shade = np.where(dark > -0.86, np.float32(0.34), np.float32(0.78))
    wall = shade + 0.14 * tone + 0.1 * wall  # (3, m, 1, 1)
    floor = 0.25 * fall * wall + 0.04 * floor
    below = np.clip(0.5 + (Y - 0.45 - 0.2 * edge) * 12, 0, 1)
    along, down = (5 + 3 * fold_x) * X, 3 * fold_y * Y
    folds = _cos(along) * _cos(down) - _sin(along) * _sin(down)
    return (1 + 0.06 * folds) * (wall + below * floor)


def _part(
    canvas: Canvas,
    shape: float,
    x: np.ndarray,
    y: np.ndarray,
    w: np.ndarray,
    h: np.ndarray,
    degrees: np.ndarray,
) -> tuple[tuple[slice, slice, slice], np.ndarray, np.ndarray]:
    """Find the window of pixels that a part may cover; how far it covers each, and its shade."""
    u, v, by_u, by_v, scale = canvas
    cos, sin = _cos(degrees * RADIANS), _sin(degrees * RADIANS)
    # Half a pixel, and a little more, since these numbers are rounded.
    reach_x, reach_y = _reach(shape, w, h, 1.01 / (SIDE * scale))
    middle = by_u * (x - u[:, :1, :1]) + by_v * (y - v[:, :1, :1])  # row and column
    half = np.abs(by_u * cos + by_v * sin) * reach_x + np.abs(by_v * cos - by_u * sin) * reach_y
    first = np.ceil((middle - half).min((1, 2, 3))).clip(0, SIDE).astype(int)
    last = np.floor((middle + half).max((1, 2, 3)) + 1).clip(0, SIDE).astype(int)
    window = (slice(None), slice(first[0], last[0]), slice(first[1], last[1]))

    u, v = u[window] - x, v[window] - y
    inside = -_distance(shape, cos * u + sin * v, cos * v - sin * u, w, h)
    cover = np.clip(0.5 + inside * (scale * (SIDE / 2)), 0, 1)
    # A part is darker towards its edge, so that it looks round and contrasts with those behind.
    shade = 0.72 + 0.28 * np.clip(inside / (0.5 * np.minimum(w, h) + 0.02), 0, 1)
    return window, cover, shade


def _reach(
    shape: float, w: np.ndarray, h: np.ndarray, margin: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Bound |x| and |y| of all points whose `_distance` to a shape is below a margin."""
    if shape == BOX:
        return w + margin, h + margin
    if shape == TRIANGLE:
        slant = np.sqrt(4 * h * h + w * w)
        return w + margin * (slant + w) / (2 * h), h + margin * np.maximum(slant / w, 1)
    # near / far is at least the smaller half axis.
    longer = 1 + (RIM if shape in (RING, ARC) else 0) + margin / np.minimum(w, h)
    return longer * w, longer * h


def _distance(
    shape: float, x: np.ndarray, y: np.ndarray, w: np.ndarray, h: np.ndarray
) -> np.ndarray:
    """Approximate the signed distance of points to a shape around 0; it is negative inside."""
    if shape == BOX:
        return np.maximum(np.abs(x) - w, np.abs(y) - h)
    if shape == TRIANGLE:
        slant = np.sqrt(4 * h * h + w * w)
        return np.maximum((2 * h * np.abs(x) - w * (y + h)) / slant, y - h)
    near = np.sqrt((x / w) ** 2 + (y / h) ** 2)
    far = np.sqrt((x / (w * w)) ** 2 + (y / (h * h)) ** 2)
    disc = near * (near - 1) / np.maximum(far, 1e-6)
    if shape in (RING, ARC):
        disc = np.abs(disc) - RIM * np.minimum(w, h)
    if shape == DOME:
        return np.maximum(disc, y)
    return np.maximum(disc, -y) if shape == ARC else disc
