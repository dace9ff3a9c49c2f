"""Embedded colour profiles, ancillary parts of PNG files, and animations."""

import struct
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from picture_files import (
    DISPLAY_P3,
    PROPHOTO,
    SRGB,
    chunk,
    cmyk_profile,
    encode,
    expected_srgb,
    frame,
    grey_profile,
    rgb_profile,
    write_png,
)
from PIL import Image, ImageCms, PngImagePlugin

from jaxnet.data import png
from jaxnet.data.pictures import read_pictures
from jaxnet.errors import DataError

PROFILES = {
    "linear": (SRGB, 1.0),
    "prophoto": (PROPHOTO, 1.8),
    "display-p3": (DISPLAY_P3, 2.2),
}


def read(path: Path, height: int = 8, width: int = 8) -> np.ndarray:
    return read_pictures([path], height, width)[0][0]


@pytest.fixture
def colors() -> Image.Image:
    """An 8 × 8 picture of other colours in every pixel."""
    return Image.fromarray(np.random.default_rng(1).integers(0, 256, (8, 8, 3), dtype=np.uint8))


@pytest.mark.parametrize("name", PROFILES)
@pytest.mark.parametrize("suffix", ["png", "tiff", "webp", "avif"])
def test_a_profile_is_converted_to_srgb(
    name: str, suffix: str, colors: Image.Image, tmp_path: Path
) -> None:
    path = tmp_path / f"colors.{suffix}"
    lossless: dict[str, dict[str, Any]] = {
        "webp": {"lossless": True},
        "avif": {"quality": 100, "subsampling": "4:4:4"},
    }
    options = lossless.get(suffix, {})
    if suffix == "avif":
        colors = Image.new("RGB", (8, 8), (200, 120, 90))  # its matrix rounds colours
    colors.save(path, icc_profile=rgb_profile(*PROFILES[name]), **options)
    expected = expected_srgb(np.asarray(colors), *PROFILES[name])
    np.testing.assert_allclose(read(path), expected, atol=4 if suffix == "avif" else 1.5)


@pytest.mark.parametrize("mode", ["RGB", "L"])
def test_a_jpeg_with_a_profile(mode: str, tmp_path: Path) -> None:
    image = Image.new("RGB", (64, 64), (128, 128, 128)).convert(mode)
    image.save(tmp_path / "grey.jpg", icc_profile=rgb_profile(SRGB, 1.0), quality=95)
    np.testing.assert_allclose(read(tmp_path / "grey.jpg"), 188, atol=2)


@pytest.mark.parametrize("suffix", ["png", "tiff"])
@pytest.mark.parametrize("kind", ["L", "LA", "16 bits"])
def test_a_grey_profile(suffix: str, kind: str, tmp_path: Path) -> None:
    grey = np.arange(64, dtype=np.uint16).reshape(8, 8) * 4
    made = Image.fromarray(257 * grey if kind == "16 bits" else grey.astype(np.uint8))
    made = made.convert("LA") if kind == "LA" else made
    made.save(tmp_path / f"grey.{suffix}", icc_profile=grey_profile(1.0))
    expected = encode(grey / 255)[..., None].repeat(3, 2)
    np.testing.assert_allclose(read(tmp_path / f"grey.{suffix}"), expected, atol=1)


@pytest.mark.parametrize("suffix", ["jpg", "tiff"])
def test_a_cmyk_profile(suffix: str, tmp_path: Path) -> None:
    image = Image.new("CMYK", (16, 16), (255, 0, 0, 0))
    image.save(tmp_path / f"cyan.{suffix}", icc_profile=cmyk_profile())
    # L = 66.7 is the luminance 0.362, which is 162 in sRGB.
    np.testing.assert_allclose(read(tmp_path / f"cyan.{suffix}"), 162, atol=3)


def test_transparency_stays_beside_a_profile(tmp_path: Path) -> None:
    image = Image.new("RGBA", (8, 8), (128, 128, 128, 0))
    image.paste((128, 128, 128, 255), (0, 0, 8, 4))
    image.save(tmp_path / "half.png", icc_profile=rgb_profile(SRGB, 1.0))
    pixels = read(tmp_path / "half.png")
    np.testing.assert_allclose(pixels[:4], 188, atol=1)
    np.testing.assert_array_equal(pixels[4:], 255)


def test_a_palette_with_a_profile(tmp_path: Path) -> None:
    image = Image.new("P", (8, 8), 1)
    image.putpalette([0, 0, 0, 128, 128, 128])
    image.save(tmp_path / "palette.png", icc_profile=rgb_profile(SRGB, 1.0))
    np.testing.assert_allclose(read(tmp_path / "palette.png"), 188, atol=1)


def test_a_profile_of_srgb_leaves_every_pixel(colors: Image.Image, tmp_path: Path) -> None:
    icc = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    colors.save(tmp_path / "srgb.png", icc_profile=icc)
    np.testing.assert_array_equal(read(tmp_path / "srgb.png"), np.asarray(colors))


def link(_: bytes) -> bytes:
    return rgb_profile(PROPHOTO, 1.8).replace(b"mntr", b"link")


BROKEN: dict[str, Callable[[bytes], bytes]] = {
    "noise": lambda _: b"no profile at all",
    "cut off": lambda icc: icc[:200],
    "no curves": lambda icc: icc.replace(b"TRC", b"XXX"),
    "for grey": lambda _: grey_profile(1.0),
    "for CMYK": lambda _: cmyk_profile(),
    "a link": link,
}


@pytest.mark.parametrize("name", BROKEN)
@pytest.mark.parametrize("suffix", ["png", "tiff"])
def test_a_profile_that_is_broken_or_of_another_kind_is_ignored(
    name: str, suffix: str, colors: Image.Image, tmp_path: Path
) -> None:
    path = tmp_path / f"colors.{suffix}"
    colors.save(path, icc_profile=BROKEN[name](rgb_profile(PROPHOTO, 1.8)))
    np.testing.assert_array_equal(read(path), np.asarray(colors))


def test_a_colour_profile_applies_to_grey(tmp_path: Path) -> None:
    Image.new("L", (8, 8), 128).save(tmp_path / "grey.png", icc_profile=rgb_profile(SRGB, 1.0))
    np.testing.assert_allclose(read(tmp_path / "grey.png"), 188, atol=1)


LONG = b"a long text " * 200_000  # 2.4 MB
TEXTS = {
    "tEXt": chunk(b"tEXt", b"Comment\0" + LONG),
    "zTXt": chunk(b"zTXt", b"Comment\0\0" + zlib.compress(LONG)),
    "iTXt": chunk(b"iTXt", b"Comment\0\1\0\0\0" + zlib.compress(LONG)),
    "rotation": chunk(b"zTXt", b"Raw profile type exif\0\0" + zlib.compress(LONG)),
    "XMP": chunk(b"iTXt", b"XML:com.adobe.xmp\0\1\0\0\0" + zlib.compress(LONG)),
    "a hundred": 100 * chunk(b"zTXt", b"Comment\0\0" + zlib.compress(LONG[:1_000_000])),
}


@pytest.mark.parametrize("place", ["before", "after"])
@pytest.mark.parametrize("name", TEXTS)
def test_a_png_with_long_texts_is_whole(
    name: str, place: str, colors: Image.Image, tmp_path: Path
) -> None:
    limits = PngImagePlugin.MAX_TEXT_CHUNK, PngImagePlugin.MAX_TEXT_MEMORY
    parts = (TEXTS[name], b"") if place == "before" else (b"", TEXTS[name])
    write_png(tmp_path / "text.png", colors, *parts)
    np.testing.assert_array_equal(read(tmp_path / "text.png"), np.asarray(colors))
    assert limits == (PngImagePlugin.MAX_TEXT_CHUNK, PngImagePlugin.MAX_TEXT_MEMORY)


def test_a_long_profile_is_converted(colors: Image.Image, tmp_path: Path) -> None:
    icc = rgb_profile(PROPHOTO, 1.8) + bytes(3_000_000)
    icc = struct.pack(">I", len(icc)) + icc[4:]
    write_png(tmp_path / "long.png", colors, chunk(b"iCCP", b"icc\0\0" + zlib.compress(icc)))
    expected = expected_srgb(np.asarray(colors), PROPHOTO, 1.8)
    np.testing.assert_allclose(read(tmp_path / "long.png"), expected, atol=1.5)


def test_a_profile_is_decompressed_up_to_a_limit(
    colors: Image.Image, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    icc = rgb_profile(PROPHOTO, 1.8)
    write_png(tmp_path / "bomb.png", colors, chunk(b"iCCP", b"icc\0\0" + zlib.compress(icc)))
    monkeypatch.setattr(png, "PROFILE_LIMIT", len(icc) - 1)
    np.testing.assert_array_equal(read(tmp_path / "bomb.png"), np.asarray(colors))
    monkeypatch.setattr(png, "PROFILE_LIMIT", len(icc))
    assert (read(tmp_path / "bomb.png") != np.asarray(colors)).any()


ANCILLARY = {
    "checksum of a text": chunk(b"tEXt", b"Comment\0cat", broken=True),
    "checksum of a profile": chunk(
        b"iCCP", b"icc\0\0" + zlib.compress(rgb_profile(PROPHOTO, 1.8)), broken=True
    ),
    "checksum of a transparent colour": chunk(b"tRNS", bytes(6), broken=True),
    "checksum of an EXIF part": chunk(b"eXIf", b"MM\0*\0\0\0\x08", broken=True),
    "short gamma": chunk(b"gAMA", b"\0"),
    "short resolution": chunk(b"pHYs", b"\0"),
    "short primaries": chunk(b"cHRM", b"\0"),
    "short transparent colour": chunk(b"tRNS", b"\0"),
    "EXIF of noise": chunk(b"eXIf", b"noise, not EXIF"),
    "compression of a profile": chunk(b"iCCP", b"icc\0\7" + b"noise"),
    "compressed text of noise": chunk(b"zTXt", b"Comment\0\0noise"),
    "empty profile": chunk(b"iCCP", b""),
    "short animation": chunk(b"acTL", b"\0"),
}


@pytest.mark.parametrize("name", ANCILLARY)
def test_a_png_with_a_broken_ancillary_part_is_whole(
    name: str, colors: Image.Image, tmp_path: Path
) -> None:
    write_png(tmp_path / "broken.png", colors, ANCILLARY[name])
    np.testing.assert_array_equal(read(tmp_path / "broken.png"), np.asarray(colors))


@pytest.mark.parametrize("suffix", ["jpg", "webp", "png", "tiff"])
def test_broken_exif_does_not_make_a_picture_damaged(suffix: str, tmp_path: Path) -> None:
    path = tmp_path / f"exif.{suffix}"
    options: dict[str, Any] = {} if suffix == "tiff" else {"exif": b"Exif\0\0" + b"MM\0*noise" * 3}
    Image.new("RGB", (16, 16), "white").save(path, **options)
    np.testing.assert_allclose(read(path), 255, atol=1)


def test_a_wrong_checksum_of_the_header_is_damage(colors: Image.Image, tmp_path: Path) -> None:
    write_png(tmp_path / "header.png", colors)
    content = bytearray((tmp_path / "header.png").read_bytes())
    content[30] ^= 1
    (tmp_path / "header.png").write_bytes(content)
    with pytest.raises(DataError, match="its header is incomplete or changed"):
        read(tmp_path / "header.png")


def test_exif_rotation_in_a_png_survives(tmp_path: Path) -> None:
    image = Image.new("RGB", (16, 8), "red")
    image.paste("blue", (8, 0, 16, 8))
    exif = Image.Exif()
    exif[0x0112] = 6
    image.save(tmp_path / "turned.png", exif=exif)
    pixels = read(tmp_path / "turned.png", 16, 8)
    np.testing.assert_array_equal(pixels[[2, 13], 4], [(255, 0, 0), (0, 0, 255)])


def solid(color: str, size: tuple[int, int] = (8, 8)) -> Image.Image:
    return Image.new("RGB", size, color)


CONTROL = chunk(b"acTL", struct.pack(">II", 2, 0))


def test_an_animation_whose_default_image_is_not_part_of_it(tmp_path: Path) -> None:
    frames = frame(0, solid("red")) + frame(2, solid("blue"))
    write_png(tmp_path / "default.png", solid("lime"), CONTROL, frames)
    np.testing.assert_array_equal(read(tmp_path / "default.png")[4, 4], (255, 0, 0))


def test_an_animation_whose_default_image_is_its_first_frame(tmp_path: Path) -> None:
    path = tmp_path / "first.png"
    solid("red").save(path, save_all=True, append_images=[solid("blue")])
    np.testing.assert_array_equal(read(path)[4, 4], (255, 0, 0))


def test_a_first_frame_that_fills_a_part_of_the_canvas(tmp_path: Path) -> None:
    frames = frame(0, solid("red", (4, 2)), (4, 6)) + frame(2, solid("blue"))
    write_png(tmp_path / "part.png", solid("lime"), CONTROL, frames)
    pixels = read(tmp_path / "part.png")
    np.testing.assert_array_equal(pixels[6:, 4:], np.broadcast_to((255, 0, 0), (2, 4, 3)))
    np.testing.assert_array_equal(pixels[:6], 255)
    np.testing.assert_array_equal(pixels[:, :4], 255)


@pytest.mark.parametrize(
    ("control", "frames"),
    [
        (CONTROL, frame(0, solid("red"), (1, 0))),  # beyond the canvas
        (CONTROL, chunk(b"fdAT", frame(0, solid("red"))[58:-4], broken=True)),
        (CONTROL, frame(0, solid("red"))[:38] + chunk(b"fdAT", b"\0\0\0\7" + b"noise")),
        (CONTROL, b""),
        (b"", frame(0, solid("red"))),
        (chunk(b"acTL", struct.pack(">II", 0, 0)), frame(0, solid("red"))),
    ],
)
def test_of_a_broken_animation_the_default_image_is_read(
    control: bytes, frames: bytes, tmp_path: Path
) -> None:
    write_png(tmp_path / "broken.png", solid("lime"), control, frames)
    np.testing.assert_array_equal(read(tmp_path / "broken.png")[4, 4], (0, 255, 0))


@pytest.mark.parametrize("suffix", ["gif", "webp"])
def test_the_first_frame_of_other_animations(suffix: str, tmp_path: Path) -> None:
    path = tmp_path / f"two.{suffix}"
    solid("red").save(path, save_all=True, append_images=[solid("blue")], lossless=True)
    np.testing.assert_array_equal(read(path)[4, 4], (255, 0, 0))
