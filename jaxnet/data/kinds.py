"""Tables of the drawn objects: each kind is a short list of parts, painted in order.

A cat's head, for instance, consists of four triangles for the ears, a disc, the eyes, and so on.
The modules `recipe1` and `recipe2` paint such a table.
"""

import functools
from typing import NamedTuple

import numpy as np

DISC, BOX, TRIANGLE, DOME, RING, ARC = range(6)
COAT, SHADE, PALE, FIRST, SECOND, THIRD, INK, WHITE = range(8)
EYE, PINK = FIRST, SECOND

# (shape, x, y, half width, half height, degrees, colour): x runs right and y down, both -1 .. 1;
# degrees turn clockwise. A triangle points up, a dome is the upper half of a disc, an arc the
# lower half of a ring.
Part = tuple[int, float, float, float, float, float, int]
Table = tuple[Part, ...]


class Kind(NamedTuple):
    """A kind of object that can be drawn.

    Attributes:
        body: Its parts, from back to front.
        coats: The colours from which COAT is chosen; SHADE and PALE are computed from COAT.
        extras: The colours from which FIRST, SECOND and THIRD are chosen.
        head: Parts in front of the body that are displaced together.
        mess: The largest random displacement of each part, in units of x and y; the random
            rotation of a part grows with it, too.
    """

    body: Table
    coats: str
    extras: tuple[str, ...]
    head: Table = ()
    mess: float = 0.015


def both(shape: int, x: float, y: float, w: float, h: float, degrees: float, colour: int) -> Table:
    """Return a part and its mirror image."""
    return (shape, x, y, w, h, degrees, colour), (shape, -x, y, w, h, -degrees, colour)


def placed(table: Table, x: float, y: float, size: float) -> Table:
    """Return the table scaled by `size` and moved to (x, y)."""
    return tuple(
        (shape, x + size * px, y + size * py, size * w, size * h, degrees, colour)
        for shape, px, py, w, h, degrees, colour in table
    )


CAT_HEAD: Table = (
    *both(TRIANGLE, 0.60, -0.68, 0.34, 0.46, 20, COAT),
    *both(TRIANGLE, 0.59, -0.60, 0.19, 0.30, 20, PINK),
    (DISC, 0, 0.05, 0.96, 0.80, 0, COAT),
    *both(DISC, 0.40, -0.10, 0.22, 0.23, 0, EYE),
    *both(DISC, 0.40, -0.10, 0.09, 0.20, 0, INK),
    *both(DISC, 0.19, 0.42, 0.26, 0.22, 0, PALE),
    (TRIANGLE, 0, 0.27, 0.13, 0.09, 180, PINK),
    *both(BOX, 0.78, 0.34, 0.38, 0.02, -8, WHITE),
    *both(BOX, 0.78, 0.48, 0.38, 0.02, 8, WHITE),
)
SITTING: Table = (
    (ARC, 0.50, 0.62, 0.36, 0.30, -20, SHADE),
    (DISC, 0, 0.42, 0.46, 0.60, 0, COAT),
    (DISC, 0, 0.22, 0.22, 0.34, 0, PALE),
    *both(DISC, 0.38, 0.74, 0.20, 0.26, 0, COAT),
    *both(BOX, 0.14, 0.68, 0.10, 0.30, 0, COAT),
    *both(DISC, 0.15, 0.96, 0.14, 0.08, 0, PALE),
)
WALKING: Table = (
    (DISC, -0.80, -0.24, 0.08, 0.46, -24, COAT),
    (BOX, -0.42, 0.62, 0.09, 0.32, -8, SHADE),
    (BOX, 0.36, 0.62, 0.09, 0.32, 8, SHADE),
    (DISC, -0.05, 0.20, 0.72, 0.34, 0, COAT),
    (BOX, -0.56, 0.62, 0.10, 0.34, 8, COAT),
    (BOX, 0.24, 0.62, 0.10, 0.34, -8, COAT),
    (DISC, -0.58, 0.94, 0.14, 0.07, 0, PALE),
    (DISC, 0.31, 0.94, 0.14, 0.07, 0, PALE),
)
LYING: Table = (
    (DISC, -0.15, 0.45, 0.82, 0.42, 0, COAT),
    (DISC, -0.55, 0.52, 0.36, 0.34, 0, COAT),
    (ARC, -0.72, 0.62, 0.30, 0.26, 20, SHADE),
    (DISC, 0.40, 0.80, 0.26, 0.10, 0, PALE),
    (DISC, 0.75, 0.80, 0.22, 0.10, 0, PALE),
)
FUR = "#d9883f #8d9099 #3b3840 #e8d9bd #8f6a4a #f0ece6"
EYES_AND_NOSE = ("#b8d84a #f2cf3f #7fd0e8", "#e79a9a #d98488")
CATS = (
    Kind((), FUR, EYES_AND_NOSE, placed(CAT_HEAD, 0, 0.1, 1.0)),
    Kind(SITTING, FUR, EYES_AND_NOSE, placed(CAT_HEAD, 0, -0.38, 0.52)),
    Kind(WALKING, FUR, EYES_AND_NOSE, placed(CAT_HEAD, 0.62, -0.18, 0.42)),
    Kind(LYING, FUR, EYES_AND_NOSE, placed(CAT_HEAD, 0.5, 0.12, 0.46)),
)

DOG_HEAD: Table = (
    (DISC, 0, -0.05, 0.72, 0.80, 0, COAT),
    *both(DISC, 0.76, 0.02, 0.24, 0.62, 8, SHADE),
    *both(DISC, 0.30, -0.22, 0.11, 0.13, 0, INK),
    (DISC, 0, 0.78, 0.15, 0.22, 0, SECOND),
    (DISC, 0, 0.40, 0.46, 0.38, 0, PALE),
    (DISC, 0, 0.22, 0.20, 0.14, 0, INK),
)
DOG: Table = (
    (BOX, -0.80, -0.20, 0.07, 0.30, -35, COAT),
    (BOX, -0.45, 0.62, 0.10, 0.34, 0, SHADE),
    (BOX, 0.25, 0.62, 0.10, 0.34, 0, SHADE),
    (BOX, -0.10, 0.15, 0.66, 0.30, 0, COAT),
    (BOX, -0.62, 0.62, 0.11, 0.36, 0, COAT),
    (BOX, 0.42, 0.62, 0.11, 0.36, 0, COAT),
)
HOUSE: Table = (
    (BOX, 0.45, -0.62, 0.11, 0.26, 0, SECOND),
    (BOX, 0, 0.40, 0.72, 0.56, 0, COAT),
    (TRIANGLE, 0, -0.48, 0.98, 0.44, 0, FIRST),
    (BOX, -0.30, 0.62, 0.18, 0.34, 0, SECOND),
    (BOX, 0.32, 0.32, 0.22, 0.20, 0, THIRD),
    (BOX, 0.32, 0.32, 0.02, 0.20, 0, WHITE),
    (BOX, 0.32, 0.32, 0.22, 0.02, 0, WHITE),
)
FISH: Table = (
    (TRIANGLE, -0.72, 0, 0.42, 0.30, 90, FIRST),
    (TRIANGLE, 0.05, -0.42, 0.32, 0.24, -12, FIRST),
    (DISC, 0.15, 0, 0.75, 0.48, 0, COAT),
    (DISC, 0.05, 0.12, 0.22, 0.14, 25, FIRST),
    (DISC, 0.55, -0.10, 0.13, 0.13, 0, WHITE),
    (DISC, 0.58, -0.10, 0.06, 0.06, 0, INK),
)
TREE: Table = (
    (BOX, 0, 0.62, 0.12, 0.38, 0, FIRST),
    *both(DISC, 0.42, -0.02, 0.42, 0.38, 0, COAT),
    (DISC, 0, -0.42, 0.52, 0.46, 0, COAT),
    (DISC, -0.30, -0.10, 0.07, 0.07, 0, SECOND),
    (DISC, 0.32, -0.28, 0.07, 0.07, 0, SECOND),
    (DISC, 0.08, 0.12, 0.07, 0.07, 0, SECOND),
)
CUP: Table = (
    (RING, 0.58, 0.12, 0.30, 0.34, 0, SHADE),
    (BOX, 0, 0.15, 0.58, 0.62, 0, COAT),
    (DISC, 0, -0.45, 0.58, 0.16, 0, PALE),
    (DISC, 0, -0.44, 0.48, 0.11, 0, FIRST),
    (DISC, 0, 0.86, 0.80, 0.10, 0, SECOND),
)
CAR: Table = (
    (DOME, -0.05, 0.08, 0.60, 0.58, 0, SHADE),
    (BOX, -0.27, -0.14, 0.17, 0.17, 0, THIRD),
    (BOX, 0.17, -0.14, 0.17, 0.17, 0, THIRD),
    (BOX, 0, 0.25, 0.98, 0.26, 0, COAT),
    *both(DISC, 0.55, 0.52, 0.24, 0.24, 0, INK),
    *both(DISC, 0.55, 0.52, 0.11, 0.11, 0, WHITE),
    (DISC, 0.90, 0.18, 0.08, 0.09, 0, SECOND),
)
FLOWER: Table = (
    (BOX, 0, 0.52, 0.05, 0.46, 0, FIRST),
    *both(DISC, 0.24, 0.62, 0.24, 0.10, -30, FIRST),
    (DISC, 0, -0.72, 0.22, 0.28, 0, COAT),
    *both(DISC, 0.38, -0.46, 0.22, 0.28, 72, COAT),
    *both(DISC, 0.24, -0.04, 0.22, 0.28, 144, COAT),
    (DISC, 0, -0.34, 0.22, 0.22, 0, SECOND),
)
BIRD: Table = (
    (TRIANGLE, -0.75, 0.05, 0.22, 0.34, -70, SHADE),
    *both(BOX, 0.10, 0.78, 0.03, 0.20, 0, SECOND),
    (DISC, -0.08, 0.18, 0.62, 0.44, -14, COAT),
    (TRIANGLE, 0.88, -0.34, 0.11, 0.18, 90, SECOND),
    (DISC, 0.46, -0.32, 0.34, 0.32, 0, COAT),
    (DISC, -0.18, 0.16, 0.38, 0.22, -20, SHADE),
    (DISC, 0.54, -0.40, 0.07, 0.07, 0, INK),
)
BOAT: Table = (
    (BOX, 0, -0.15, 0.04, 0.72, 0, FIRST),
    (TRIANGLE, 0.34, -0.20, 0.34, 0.58, 0, WHITE),
    (TRIANGLE, -0.26, -0.12, 0.24, 0.44, 0, SECOND),
    (DOME, 0, 0.42, 0.86, 0.46, 180, COAT),
    (DISC, 0, 0.92, 0.98, 0.10, 0, THIRD),
)
CLUTTER: Table = (
    (BOX, -0.5, 0.4, 0.35, 0.3, 15, COAT),
    (DISC, 0.4, 0.4, 0.36, 0.36, 0, FIRST),
    (TRIANGLE, 0.2, -0.4, 0.36, 0.36, -20, SECOND),
    (RING, -0.4, -0.4, 0.32, 0.32, 0, THIRD),
    (BOX, 0, 0.1, 0.5, 0.09, 35, SHADE),
    (DISC, 0, 0.7, 0.2, 0.14, 0, PALE),
    (DOME, 0.6, -0.1, 0.3, 0.3, 30, COAT),
)
BRIGHT = "#d9483b #e8a33a #4f8fd0 #f0ece6 #58a868 #9a6cc0"
PETALS = "#d9483b #e8a33a #4f8fd0 #f0ece6 #e58fb5 #9a6cc0"
WOOD, LEAF, GLASS = "#7a5536 #8c6a48", "#4f9a4a #78b04a #3c7d58", "#a8d8ee #5f7f98 #f4e08a"
OTHERS = (
    Kind(DOG_HEAD, FUR, ("", "#e07a80")),
    Kind(HOUSE, BRIGHT, ("#a8453a #5b5f70 #8c5a38", WOOD, GLASS)),
    Kind(FISH, BRIGHT, ("#e8a33a #d9483b #4f8fd0",)),
    Kind(TREE, LEAF, (WOOD, "#d9483b #e8c23a")),
    Kind(CUP, BRIGHT, ("#4a2f22 #8c5a38", "#f0ece6 #8d9099")),
    Kind(DOG, FUR, ("", "#e07a80"), placed(DOG_HEAD, 0.66, -0.28, 0.42)),
    Kind(CAR, BRIGHT, ("", "#f4e08a", GLASS)),
    Kind(FLOWER, PETALS, (LEAF, "#f2cf3f #6a4530")),
    Kind(BIRD, BRIGHT, ("", "#e8a33a")),
    Kind(BOAT, BRIGHT, (WOOD, "#f0ece6 #e8a33a", "#4f8fd0 #3f6f98")),
    Kind(CLUTTER, BRIGHT, (BRIGHT, BRIGHT, BRIGHT), mess=0.5),
)
KINDS = (*OTHERS, *CATS)
MOST_PARTS = max(len(kind.body) + len(kind.head) for kind in KINDS)
OPTIONS = 6  # each list of colours is repeated to this length


@functools.cache
def as_arrays(kind: Kind) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Convert a kind to arrays of numbers.

    Returns:
        parts: (parts, 8), each part followed by 0 for the body or 1 for the head.
        strays: (parts, 8), the largest random deviation of each of these numbers.
        colours: (4, OPTIONS, 3), the choices for COAT, FIRST, SECOND and THIRD; RGB in [0, 1].
    """
    parts = np.array(
        [(*part, 0) for part in kind.body] + [(*part, 1) for part in kind.head], np.float32
    )
    strays = np.zeros_like(parts)
    strays[:, 1:3] = kind.mess
    strays[:, 3:5] = 0.06 * parts[:, 3:5]
    strays[:, 5] = 2 + 60 * kind.mess
    colours = np.zeros((4, OPTIONS, 3), np.float32)
    for slot, names in enumerate((kind.coats, *kind.extras)):
        rgb = [tuple(bytes.fromhex(name[1:])) for name in names.split()]
        if rgb:
            colours[slot] = np.resize(rgb, (OPTIONS, 3)) / 255
    return parts, strays, colours
