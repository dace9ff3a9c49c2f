"""Reduce whole numbers of more than 8 bits to 8 bits, if their range is known."""

from typing import NamedTuple

import numpy as np
from PIL import Image

BITS_PER_SAMPLE, SAMPLE_FORMAT = 258, 339  # tags of TIFF

# The brightest pixel of a picture reaches a quarter of the range of its numbers at least (two bits
# below the full range), and the others spread over a 64th of it (four of 256 levels). Fewer levels
# are those of other numbers: of 8, 12 or 14 bits, counts or labels.
BRIGHTEST, SPREAD = 4, 64


class UnclearRangeError(ValueError):
    """The file does not tell which of its numbers are black and white."""

    expected = "8 bits a channel, or 16 or 32 bits whose whole range is used"

    def __init__(self, found: str, low: float, high: float) -> None:
        self.found = found
        if 0 <= low <= high <= 255 and high > 1:
            ends, code = "0 and 255", "pixels.astype('uint8')"
        else:
            ends = f"{low:.9g} and {high:.9g}"
            code = f"((pixels - {low:.9g}) * (255 / {high - low or 1:.9g})).astype('uint8')"
        self.remedy = (
            "decide which numbers are black and white, scale them to 0 and 255, and save 8 bits; "
            f"in Python, if they are {ends}: PIL.Image.fromarray({code}).save('new.png')"
        )
        super().__init__(found)


class Depth(NamedTuple):
    """The numbers of a TIFF file: the bits of one, and whether it may be negative."""

    bits: int
    signed: bool

    @property
    def top(self) -> int:
        """The largest number."""
        return int(2 ** (self.bits - self.signed) - 1)

    def __str__(self) -> str:
        """Return the numbers as words: 16-bit unsigned."""
        return f"{self.bits}-bit {'signed' if self.signed else 'unsigned'} numbers"


def tiff_depth(image: Image.Image) -> Depth | None:
    """Return the depth of a TIFF file's numbers; None for the other formats, which fix theirs."""
    tags = getattr(image, "tag_v2", None)
    if image.format != "TIFF" or tags is None:
        return None
    bits = tags.get(BITS_PER_SAMPLE, (1,))
    sample_format = tags.get(SAMPLE_FORMAT, (1,))
    return Depth(int(bits[0]), sample_format[0] == 2)


def to_eight_bits(image: Image.Image, depth: Depth | None) -> Image.Image:
    """Reduce a decoded image of whole numbers to 8 bits a channel; others stay as they are.

    Args:
        image: The image as Pillow decodes it.
        depth: That of a TIFF file; None for PNG, PGM and JPEG 2000, which Pillow reads as 16 bits
            of which 65535 is white.

    Raises:
        UnclearRangeError: If the pixels are floating-point numbers or negative, or use so little
            of the range of their numbers that white must be another number.
    """
    if image.mode == "F":
        numbers = np.asarray(image)
        low, high = float(numbers.min()), float(numbers.max())
        raise UnclearRangeError(
            f"holds floating-point numbers from {low:g} to {high:g}, "
            "and does not tell which are black and white",
            low,
            high,
        )
    if image.mode.startswith("I"):
        pixels = np.asarray(image)
        if depth and depth.bits == 32 and not depth.signed:
            pixels = pixels.view(np.uint32)
        if depth:
            _require_range(int(pixels.min()), int(pixels.max()), depth)
        # 65535 / 257 = 255.
        scaled = pixels.astype(np.float64) / ((depth.top if depth else 65535) / 255)
        reduced = Image.fromarray(scaled.round().clip(0, 255).astype(np.uint8))
        reduced.info = {key: image.info[key] for key in image.info if key != "transparency"}
        return reduced
    if depth and depth.bits == 16 and image.mode in ("RGB", "RGBA", "RGBX"):
        # Pillow keeps the upper eight of the sixteen bits.
        colors = np.asarray(image)[..., :3]
        _require_range(256 * int(colors.min()), 256 * int(colors.max()) or 255, depth)
    return image


def _require_range(low: int, high: int, depth: Depth) -> None:
    """Raise an UnclearRangeError unless numbers from `low` to `high` fill their range."""
    found = f"holds {depth} from {low} to {high}"
    if low < 0:
        raise UnclearRangeError(f"{found}, and does not tell which are black and white", low, high)
    narrow = 0 < high <= depth.top // BRIGHTEST or 0 < high - low < depth.top // SPREAD
    if narrow:
        raise UnclearRangeError(
            f"{found}, a small part of the range from 0 to {depth.top}, "
            "and does not tell which are black and white",
            low,
            high,
        )
