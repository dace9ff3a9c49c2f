import os
import struct
import zlib
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from jaxnet.data.pictures import picture_suffixes, read_pictures, resize_images
from jaxnet.errors import DataError


def read(path: Path, height: int = 8, width: int = 8) -> np.ndarray:
    return read_pictures([path], height, width)[0][0]


@pytest.fixture
def halves() -> Image.Image:
    """A 16 × 8 picture: left half red, right half blue."""
    pixels = np.zeros((8, 16, 3), np.uint8)
    pixels[:, :8, 0] = pixels[:, 8:, 2] = 255
    return Image.fromarray(pixels)


@pytest.mark.parametrize("suffix", ["jpg", "png", "webp", "gif", "bmp", "tiff", "ppm"])
def test_formats(suffix: str, halves: Image.Image, tmp_path: Path) -> None:
    path = tmp_path / f"halves.{suffix}"
    halves.save(path)
    image = read(path, 8, 16)
    assert image.shape == (8, 16, 3)
    assert image.dtype == np.uint8
    np.testing.assert_allclose(image[4, 2], (255, 0, 0), atol=12)
    np.testing.assert_allclose(image[4, 13], (0, 0, 255), atol=12)
    assert f".{suffix}" in picture_suffixes()


def test_exif_rotation_is_applied(halves: Image.Image, tmp_path: Path) -> None:
    exif = Image.Exif()
    exif[0x0112] = 6  # the camera was turned: to be shown rotated by 90° clockwise
    halves.save(tmp_path / "turned.jpg", exif=exif, quality=95)
    image = read(tmp_path / "turned.jpg", 16, 8)
    np.testing.assert_allclose(image[2, 4], (255, 0, 0), atol=12)
    np.testing.assert_allclose(image[13, 4], (0, 0, 255), atol=12)


def transparent(path: Path) -> None:
    Image.new("RGBA", (9, 9), (0, 0, 0, 0)).save(path)


def half_transparent(path: Path) -> None:
    Image.new("RGBA", (9, 9), (0, 0, 0, 128)).save(path)


def transparent_grey(path: Path) -> None:
    Image.new("LA", (9, 9), (0, 0)).save(path)


def transparent_palette(path: Path) -> None:
    image = Image.new("P", (9, 9), 0)
    image.putpalette([0, 0, 0, 255, 0, 0])
    image.save(path, transparency=0)


def palette(path: Path) -> None:
    image = Image.new("P", (9, 9), 1)
    image.putpalette([0, 0, 0, 255, 0, 0])
    image.save(path)


def grey(path: Path) -> None:
    Image.new("L", (9, 9), 77).save(path)


def one_bit(path: Path) -> None:
    Image.new("1", (9, 9), 1).save(path)


def sixteen_bits(path: Path) -> None:
    Image.fromarray(np.full((9, 9), 257 * 77, np.uint16)).save(path)


@pytest.mark.parametrize(
    ("draw", "expected"),
    [
        (transparent, (255, 255, 255)),
        (half_transparent, (127, 127, 127)),
        (transparent_grey, (255, 255, 255)),
        (transparent_palette, (255, 255, 255)),
        (palette, (255, 0, 0)),
        (grey, (77, 77, 77)),
        (one_bit, (255, 255, 255)),
        (sixteen_bits, (77, 77, 77)),
    ],
    ids=lambda value: getattr(value, "__name__", None),
)
def test_modes(draw: Callable[[Path], None], expected: tuple[int, ...], tmp_path: Path) -> None:
    path = tmp_path / "picture.png"
    draw(path)
    np.testing.assert_allclose(read(path), np.broadcast_to(expected, (8, 8, 3)), atol=1)


def test_cmyk(tmp_path: Path) -> None:
    Image.new("CMYK", (16, 16), (0, 255, 255, 0)).save(tmp_path / "red.jpg", quality=95)
    np.testing.assert_allclose(read(tmp_path / "red.jpg")[4, 4], (255, 0, 0), atol=6)


def test_the_first_frame_of_an_animation(tmp_path: Path) -> None:
    frames = [Image.new("RGB", (9, 9), colour) for colour in ("red", "blue")]
    frames[0].save(tmp_path / "two.gif", save_all=True, append_images=frames[1:])
    np.testing.assert_array_equal(read(tmp_path / "two.gif")[4, 4], (255, 0, 0))


def test_a_large_photograph_is_averaged_not_sampled(tmp_path: Path) -> None:
    stripes = np.zeros((800, 800, 3), np.uint8)
    stripes[:, ::2] = 255
    for suffix in ("png", "jpg"):
        Image.fromarray(stripes).save(tmp_path / f"stripes.{suffix}")
        np.testing.assert_allclose(read(tmp_path / f"stripes.{suffix}"), 127.5, atol=3)


def refused(path: Path, *parts: str) -> None:
    with pytest.raises(DataError) as caught:
        read(path)
    for part in parts:
        assert part in str(caught.value)


def test_no_picture(tmp_path: Path) -> None:
    refused(tmp_path / "cat.jpg", f"there is no {tmp_path / 'cat.jpg'}")
    refused(tmp_path, "is a folder")
    os.mkfifo(tmp_path / "pipe.png")
    refused(tmp_path / "pipe.png", "is a pipe")
    (tmp_path / "page.jpg").write_text("<html>no cat</html>")
    refused(tmp_path / "page.jpg", "an HTML page", "a picture in one of the formats")
    (tmp_path / "drawing.jpg").write_bytes(b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n")
    refused(tmp_path / "drawing.jpg", "a file of another kind")
    (tmp_path / "empty.png").touch()
    refused(tmp_path / "empty.png", "an empty file")
    Image.fromarray(np.zeros((9, 9), np.float32)).save(tmp_path / "float.tiff")
    refused(tmp_path / "float.tiff", "floating-point")


@pytest.mark.parametrize("suffix", ["jpg", "png", "gif", "webp"])
@pytest.mark.parametrize("share", [0.3, 0.7])
def test_a_picture_that_is_cut_off(
    suffix: str, share: float, images: np.ndarray, tmp_path: Path
) -> None:
    path = tmp_path / f"noise.{suffix}"
    Image.fromarray(images[0].repeat(5, 0)).save(path)
    whole = path.read_bytes()
    path.write_bytes(whole[: int(share * len(whole))])
    refused(path, str(path), "expected")


def test_a_picture_bomb_is_refused_before_it_is_decoded(tmp_path: Path) -> None:
    def chunk(kind: bytes, content: bytes) -> bytes:
        check = struct.pack(">I", zlib.crc32(kind + content))
        return struct.pack(">I", len(content)) + kind + content + check

    header = struct.pack(">IIBBBBB", 60_000, 60_000, 8, 2, 0, 0, 0)
    body = chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(b"")) + chunk(b"IEND", b"")
    (tmp_path / "bomb.png").write_bytes(b"\x89PNG\r\n\x1a\n" + body)
    refused(tmp_path / "bomb.png", "too large to decode", "3600000000 pixels")


def test_bad_pictures_among_good_ones(tmp_path: Path) -> None:
    paths = [tmp_path / f"{i}.png" for i in range(9)]
    for i, path in enumerate(paths):
        if i % 2:
            Image.new("RGB", (9, 9), (i, i, i)).save(path)
        else:
            path.write_bytes(b"\x89PNG broken")
    with pytest.raises(DataError) as caught:
        read_pictures(paths, 8, 8)
    assert all(str(path) in str(caught.value) for path in paths[::2])
    assert "skip_bad=True" in caught.value.remedy
    images, kept, errors = read_pictures(paths, 8, 8, skip_bad=True)
    assert kept == [1, 3, 5, 7]
    assert [image[0, 0, 0] for image in images] == kept
    assert [str(paths[0]) in errors[0].found, len(errors)] == [True, 5]
    with pytest.raises(DataError, match="a PNG picture that is cut off or damaged"):
        read_pictures(paths[::2], 8, 8, skip_bad=True)


def test_images_are_resized_as_files_are(images: np.ndarray, tmp_path: Path) -> None:
    Image.fromarray(images[0]).save(tmp_path / "noise.png")
    np.testing.assert_array_equal(
        resize_images(images[:1], 5, 7)[0], read(tmp_path / "noise.png", 5, 7)
    )
    assert resize_images(images, 8, 6) is images
