"""Read picture files as RGB arrays (height, width, 3) uint8, and resize such arrays."""

import concurrent.futures
import contextlib
import functools
import importlib.util
import warnings
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
from PIL import Image, UnidentifiedImageError

from jaxnet.data.decode import RESAMPLING, Placed, decode, open_picture, pillow_formats
from jaxnet.data.depth import UnclearRangeError
from jaxnet.errors import DataError
from jaxnet.explain import explain, is_contradiction
from jaxnet.io.content import PICTURE, describe_content
from jaxnet.io.files import (
    COPY_AGAIN,
    cannot_be_read,
    content_remedy,
    expand,
    require_path,
)
from jaxnet.progress import Track, silent

# What decodes pictures; an error that is raised in it is one of the file.
DECODERS = ("PIL", "pi_heif")

# How many pictures are read at a time, by all cores; fewer, if they take more memory than this.
READ_AHEAD, READ_AHEAD_BYTES = 256, 64 * 2**20


def picture_suffixes() -> frozenset[str]:
    """List the suffixes of readable picture files, in lower case, with the dot."""
    readable = pillow_formats()
    suffixes = Image.registered_extensions().items()
    heic = (".heic", ".heif") if _reads_heic() else ()
    return frozenset([*(suffix for suffix, kind in suffixes if kind in readable), *heic])


def _readable_formats() -> tuple[str, ...]:
    """List the formats that can be read: Pillow's, and HEIC if its package is installed."""
    return (*pillow_formats(), "HEIC") if _reads_heic() else pillow_formats()


def is_picture(path: Path) -> bool:
    """Return whether the content of a file begins like a picture, whatever its name is."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            with Image.open(path, formats=_readable_formats()):
                return True
    except Image.DecompressionBombError:
        return True  # reading it raises an error that tells the reason, here and below
    except Exception as cause:  # Pillow's decoders raise errors of many kinds
        if explain(cause) is None and not is_contradiction(cause, *DECODERS):
            raise
        return explain(cause) is not None


def read_pictures(
    paths: Sequence[Path],
    height: int,
    width: int,
    *,
    skip_bad: bool = False,
    track: Track = silent,
) -> tuple[np.ndarray, list[int], list[DataError]]:
    """Read picture files as upright 8-bit RGB pictures of one size.

    The EXIF rotation is applied, an embedded colour profile is converted to sRGB, transparent
    pixels are composited onto white, 16-bit grey is reduced to 8 bits, and every colour model is
    converted to RGB. Of an animation only the first frame is read.

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
    results = list(read_each(paths, height, width, track=track))
    errors = [result for result in results if isinstance(result, DataError)]
    require_readable(errors, len(paths), skip_bad=skip_bad)
    images = [result for result in results if isinstance(result, np.ndarray)]
    kept = [i for i, result in enumerate(results) if isinstance(result, np.ndarray)]
    return np.stack(images), kept, errors


def read_each(
    paths: Sequence[Path], height: int, width: int, *, track: Track = silent
) -> Iterator[np.ndarray | DataError]:
    """Read picture files as `read_pictures` does, one after the other, in bounded memory.

    Yields:
        For each file its picture (height, width, 3) uint8, or the error if it cannot be read.
    """

    def read(path: Path) -> np.ndarray | DataError:
        try:
            return _read_picture(path, height, width)
        except DataError as error:
            return error

    ahead = max(1, min(READ_AHEAD, READ_AHEAD_BYTES // (3 * height * width)))

    def results() -> Iterator[np.ndarray | DataError]:
        with concurrent.futures.ThreadPoolExecutor() as pool:
            for start in range(0, len(paths), ahead):
                with warnings.catch_warnings():
                    # Pillow warns of odd EXIF entries and palettes; the picture is usable.
                    warnings.simplefilter("ignore")
                    batch = list(pool.map(read, paths[start : start + ahead]))
                yield from batch

    yield from track(results(), "reading pictures", len(paths))


def require_readable(errors: Sequence[DataError], total: int, *, skip_bad: bool) -> None:
    """Raise a DataError for pictures that could not be read, unless they are to be left out.

    Args:
        errors: One for each of them.
        total: The number of all pictures; that none can be read is always an error.
        skip_bad: Whether they are to be left out.
    """
    if errors and (not skip_bad or len(errors) == total):
        first, more = errors[0], len(errors) - 1
        others = [f"\n  and {error.found}" for error in errors[1:6]]
        others += [f"\n  and {more - 5} more"] if more > 5 else []
        raise DataError(
            first.found + "".join(others),
            first.expected,
            first.remedy + ("" if skip_bad else "; or leave it out: skip_bad=True"),
        )


def _read_picture(path: Path, height: int, width: int) -> np.ndarray:
    path = expand(path)
    expected = f"a picture in one of the formats {', '.join(_readable_formats())}"
    require_path(path)
    if not path.is_file():
        kind = "a folder" if path.is_dir() else "a pipe or a device"
        raise DataError(f"{path} is {kind}", expected, "give picture files")
    try:
        with _open(path) as placed:
            return decode(placed, height, width)
    except Image.DecompressionBombError as cause:
        raise DataError(
            f"{path} declares a picture too large to decode ({cause})",
            "a picture that fits into memory",
            "if you trust the file, make the picture smaller first",
        ) from cause
    except UnclearRangeError as cause:
        raise DataError(
            f"{path} {cause.found}", UnclearRangeError.expected, cause.remedy
        ) from cause
    except Exception as cause:  # Pillow's decoders raise errors of many kinds
        reason = explain(cause)
        if reason is not None:
            raise cannot_be_read(path, reason) from cause
        if not is_contradiction(cause, *DECODERS):
            raise
        raise _unreadable_picture(path, expected, cause) from cause


@contextlib.contextmanager
def _open(path: Path) -> Iterator[Placed]:
    content = describe_content(path)
    if content == "a HEIC picture" and _reads_heic():
        yield _open_heic(path), None
    else:
        with open_picture(path, content) as placed:
            yield placed


@functools.cache  # asked for every picture
def _reads_heic() -> bool:
    return importlib.util.find_spec("pi_heif") is not None


def _open_heic(path: Path) -> Image.Image:
    """Decode a HEIC picture, upright; the package is the optional extra `heic`."""
    from pi_heif import open_heif

    heif = open_heif(path)
    pixels = heif.size[0] * heif.size[1]
    if pixels > 2 * (Image.MAX_IMAGE_PIXELS or np.inf):  # Pillow's own limit
        raise Image.DecompressionBombError(f"{pixels} pixels")
    image: Image.Image = heif.to_pillow()
    return image


def _unreadable_picture(path: Path, expected: str, cause: Exception) -> DataError:
    """Make the error for a file that is no picture, or one that could not be decoded."""
    content = describe_content(path)
    if not content.endswith(PICTURE):
        remedy = content_remedy(content, "give a picture file")
        if content == "an HDF5 file":
            remedy = "give a picture file; load_dataset reads the pictures in an HDF5 file"
        return DataError(f"{path} is {content}", expected, remedy)
    if content == "a HEIC picture" and not _reads_heic():
        return DataError(
            f"{path} is {content}, which is read only with the package pi-heif",
            expected,
            "install pi-heif (the extra heic of jaxnet), or export the picture as JPEG",
        )
    names = [_NAMES.get(kind, kind) for kind in _readable_formats()]
    if content.split()[1] not in [name.split()[0] for name in names]:
        return DataError(
            f"{path} is {content}, a format that is not read", expected, "export it as PNG or JPEG"
        )
    found = f"{path} is {content} that"
    if isinstance(cause, UnidentifiedImageError):
        return DataError(
            f"{found} cannot be read: it is of an unsupported variant, or incomplete",
            expected,
            "open it in another program and export it as PNG or JPEG; "
            "if none opens it, copy or download it again",
        )
    if any(word in str(cause).lower() for word in _UNSUPPORTED):
        return DataError(
            f"{found} is of an unsupported variant ({cause})",
            expected,
            "open it in another program and export it as PNG or JPEG",
        )
    return DataError(f"{found} is cut off or damaged ({cause})", expected, COPY_AGAIN)


# The names of formats in messages, where they are not those of Pillow.
_NAMES = {"JPEG2000": "JPEG 2000", "WEBP": "WebP"}

# Words in the messages of decoders that know a file's variant and cannot decode it.
_UNSUPPORTED = ("not available", "unsupported", "not supported", "unknown", "not implemented")


def resize_images(images: np.ndarray, height: int, width: int) -> np.ndarray:
    """Resize images (m, h, w, 3) uint8 to (m, height, width, 3), as `read_pictures` does."""
    if images.shape[1:3] == (height, width):
        return images
    return np.stack(
        [np.asarray(Image.fromarray(i).resize((width, height), RESAMPLING)) for i in images]
    )
