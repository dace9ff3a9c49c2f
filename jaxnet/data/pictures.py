"""Read picture files as RGB arrays (height, width, 3) uint8, and resize such arrays."""

import concurrent.futures
import warnings
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from PIL import Image, ImageOps

from jaxnet.errors import DataError
from jaxnet.io.files import require_path, unreadable
from jaxnet.progress import Track, silent

# The usual formats of pictures. Pillow opens more, some by running other programs (EPS).
FORMATS = ("AVIF", "BMP", "GIF", "ICO", "JPEG", "JPEG2000", "PNG", "PPM", "TIFF", "WEBP")

# Pictures are stretched to the new shape, not cropped, so that nothing at the edge is lost.
RESAMPLING = Image.Resampling.LANCZOS

# Large JPEG files are decoded at a fraction of their size, but at no less than this multiple of the
# target size, so that the resampling still averages over several pixels.
DRAFT = 4


def picture_suffixes() -> frozenset[str]:
    """List the suffixes of readable picture files, in lower case, with the dot."""
    readable = _readable_formats()
    suffixes = Image.registered_extensions().items()
    return frozenset(suffix for suffix, kind in suffixes if kind in readable)


def _readable_formats() -> tuple[str, ...]:
    """List those of FORMATS that the installed Pillow can read."""
    Image.init()
    return tuple(kind for kind in FORMATS if kind in Image.OPEN)


def is_picture(path: Path) -> bool:
    """Return whether the content of a file begins like a picture, whatever its name is."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            with Image.open(path, formats=_readable_formats()):
                return True
    except (Image.DecompressionBombError, PermissionError):
        return True  # reading it raises an error that tells the reason
    except Exception:  # Pillow's decoders raise errors of many kinds
        return False


def read_pictures(
    paths: Sequence[Path],
    height: int,
    width: int,
    *,
    skip_bad: bool = False,
    track: Track = silent,
) -> tuple[np.ndarray, list[int], list[DataError]]:
    """Read picture files as upright 8-bit RGB pictures of one size.

    The EXIF rotation is applied, transparent pixels are composited onto white, 16-bit grey is
    reduced to 8 bits, and every colour model is converted to RGB. Of an animation only the first
    frame is read.

    Args:
        paths: The files, at least one.
        height: The height of the result in pixels.
        width: The width of the result in pixels.
        skip_bad: Leave out files that cannot be read, instead of raising an error.
        track: Reports the progress.

    Returns:
        The images (m, height, width, 3) uint8, the indices in `paths` of those that could be
        read, and the errors of those that could not.

    Raises:
        DataError: If a file cannot be read and `skip_bad` is false, or if none can be read. It
            names the first six such files and the number of the others.
    """

    def read(path: Path) -> np.ndarray | DataError:
        try:
            return _read_picture(path, height, width)
        except DataError as error:
            return error

    with warnings.catch_warnings(), concurrent.futures.ThreadPoolExecutor() as pool:
        # Pillow warns of odd EXIF entries and palettes, which do not make a picture unusable.
        warnings.simplefilter("ignore")
        results = list(track(pool.map(read, paths), "reading pictures", len(paths)))
    errors = [result for result in results if isinstance(result, DataError)]
    if errors and (not skip_bad or len(errors) == len(paths)):
        first, more = errors[0], len(errors) - 1
        others = [f"\n  and {error.found}" for error in errors[1:6]]
        others += [f"\n  and {more - 5} more"] if more > 5 else []
        raise DataError(
            first.found + "".join(others),
            first.expected,
            first.remedy + ("" if skip_bad else "; or leave it out: skip_bad=True"),
        )
    images = [result for result in results if isinstance(result, np.ndarray)]
    kept = [i for i, result in enumerate(results) if isinstance(result, np.ndarray)]
    return np.stack(images), kept, errors


def _read_picture(path: Path, height: int, width: int) -> np.ndarray:
    expected = f"a picture in one of the formats {', '.join(_readable_formats())}"
    require_path(path)
    if not path.is_file():
        kind = "a folder" if path.is_dir() else "a pipe or a device"
        raise DataError(f"{path} is {kind}", expected, "give picture files")
    try:
        with Image.open(path, formats=_readable_formats()) as image:
            side = DRAFT * max(height, width)  # the EXIF rotation may swap the sides
            image.draft(None, (side, side))
            return np.asarray(_to_rgb(image).resize((width, height), RESAMPLING))
    except Image.DecompressionBombError as cause:
        raise DataError(
            f"{path} declares a picture too large to decode ({cause})",
            "a picture that fits into memory",
            "if you trust the file, make the picture smaller first",
        ) from cause
    except PermissionError as cause:
        raise DataError(
            f"{path} cannot be read: permission denied", expected, "change its permissions"
        ) from cause
    except Exception as cause:  # Pillow's decoders raise errors of many kinds
        raise unreadable(path, expected, DataError, str(cause)) from cause


def _to_rgb(image: Image.Image) -> Image.Image:
    """Convert a picture of any mode to upright RGB."""
    image = ImageOps.exif_transpose(image)
    if image.mode.startswith("I"):
        # 16-bit grey; 65535 / 257 = 255.
        pixels = np.asarray(image).astype(np.float64) / 257
        image = Image.fromarray(pixels.round().clip(0, 255).astype(np.uint8))
    elif image.mode == "F":
        raise ValueError("its pixels are floating-point numbers of an unknown range")
    if image.has_transparency_data:
        image = image.convert("RGBA")
        image = Image.alpha_composite(Image.new("RGBA", image.size, "white"), image)
    return image.convert("RGB")


def resize_images(images: np.ndarray, height: int, width: int) -> np.ndarray:
    """Resize images (m, h, w, 3) uint8 to (m, height, width, 3), as `read_pictures` does."""
    if images.shape[1:3] == (height, width):
        return images
    return np.stack(
        [np.asarray(Image.fromarray(i).resize((width, height), RESAMPLING)) for i in images]
    )
