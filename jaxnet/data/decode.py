"""Decode a picture file as upright 8-bit sRGB on white: with NumPy, Pillow, and nothing else.

The file that `export_model` writes as "numpy" contains this module and those that it imports, so
that it treats pictures as jaxnet does: nothing else is imported here.
"""

import contextlib
import struct
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import numpy as np
from PIL import Image, ImageOps

from jaxnet.data.color import to_srgb
from jaxnet.data.depth import tiff_depth, to_eight_bits
from jaxnet.data.png import reduce_png

# The usual formats of pictures. Pillow opens more, some by running other programs (EPS).
FORMATS = ("AVIF", "BMP", "GIF", "ICO", "JPEG", "JPEG2000", "PNG", "PPM", "TIFF", "WEBP")

# Pictures are stretched to the new shape, not cropped, so that nothing at the edge is lost.
RESAMPLING = Image.Resampling.LANCZOS

# Large JPEG files are decoded at a fraction of their size, but at no less than this multiple of the
# target size, so that the resampling still averages over several pixels.
DRAFT = 4


class Place(NamedTuple):
    """Where an image lies on its canvas: (width, height) of the canvas, (x, y) of the image."""

    canvas: tuple[int, int]
    corner: tuple[int, int]


# An image with its place on the canvas; None if it fills the canvas.
Placed = tuple[Image.Image, Place | None]


def pillow_formats() -> tuple[str, ...]:
    """List those of FORMATS that the installed Pillow can read."""
    Image.init()
    return tuple(kind for kind in FORMATS if kind in Image.OPEN)


@contextlib.contextmanager
def open_picture(path: Path, content: str) -> Iterator[Placed]:
    """Open the first image that a viewer shows; its place on the canvas if it fills only a part.

    Args:
        path: The file.
        content: Its kind, as `describe_content` returns it.
    """
    if content == "a PNG picture":
        png = reduce_png(path)
        with Image.open(png.stream, formats=("PNG",)) as image:
            image.info["icc_profile"] = png.profile
            place = Place(png.canvas, png.corner) if image.size != png.canvas else None
            if place and png.canvas[0] * png.canvas[1] > 2 * (Image.MAX_IMAGE_PIXELS or np.inf):
                raise Image.DecompressionBombError(f"{png.canvas[0] * png.canvas[1]} pixels")
            yield image, place
    else:
        with Image.open(path, formats=pillow_formats()) as image:
            yield image, None


def decode(placed: Placed, height: int, width: int) -> np.ndarray:
    """Decode an opened picture, and resize it to (height, width, 3) uint8."""
    image, place = placed
    side = DRAFT * max(height, width)  # the EXIF rotation may swap the sides
    image.draft(None, (side, side))
    return np.asarray(_to_rgb(image, place).resize((width, height), RESAMPLING))


def _to_rgb(image: Image.Image, place: Place | None = None) -> Image.Image:
    """Convert a picture of any mode to upright sRGB on white."""
    depth = tiff_depth(image)
    image.load()
    profile = image.info.get("icc_profile")
    if place:
        image = _on_canvas(to_eight_bits(image, depth), place)
    image = to_srgb(to_eight_bits(_upright(image), depth), profile)
    if image.has_transparency_data:
        image = image.convert("RGBA")
        image = Image.alpha_composite(Image.new("RGBA", image.size, "white"), image)
    return image.convert("RGB")


def _upright(image: Image.Image) -> Image.Image:
    """Rotate an image as its EXIF tag says; a broken EXIF part says nothing."""
    try:
        return ImageOps.exif_transpose(image)
    except (SyntaxError, ValueError, TypeError, LookupError, OSError, struct.error):
        return image


def _on_canvas(image: Image.Image, place: Place) -> Image.Image:
    """Lay an image on its transparent canvas."""
    mode = "LA" if image.mode in ("1", "L", "LA") else "RGBA"
    canvas = Image.new(mode, place.canvas)
    canvas.paste(image.convert(mode), place.corner)
    canvas.info.update({key: image.info[key] for key in image.info if key != "transparency"})
    return canvas
