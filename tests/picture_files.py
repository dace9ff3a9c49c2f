"""Picture files for tests, made part by part: ICC profiles, PNG chunks, TIFF numbers."""

import itertools
import struct
import zlib
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

# Columns: X, Y, Z of red, green and blue, adapted to D50 (Lindbloom).
SRGB = np.array(
    [[0.43607, 0.38506, 0.14308], [0.22250, 0.71688, 0.06062], [0.01393, 0.09710, 0.71417]]
)
PROPHOTO = np.array([[0.79767, 0.13519, 0.03135], [0.28804, 0.71187, 0.00009], [0, 0, 0.82521]])
DISPLAY_P3 = np.array(
    [[0.51512, 0.29198, 0.15710], [0.24119, 0.69224, 0.06657], [-0.00105, 0.04188, 0.78407]]
)


def encode(linear: np.ndarray) -> np.ndarray:
    """Encode linear light 0 .. 1 as sRGB 0 .. 255 (IEC 61966-2-1)."""
    light = linear.clip(0, 1)
    return 255 * np.where(light <= 0.0031308, 12.92 * light, 1.055 * light ** (1 / 2.4) - 0.055)


def expected_srgb(colors: np.ndarray, primaries: np.ndarray, gamma: float) -> np.ndarray:
    """Convert colours (..., 3) of a matrix profile to sRGB."""
    xyz = (colors / 255) ** gamma @ primaries.T
    return encode(xyz @ np.linalg.inv(SRGB).T)


def fixed(*values: float) -> bytes:
    return b"".join(struct.pack(">i", round(value * 65536)) for value in values)


def profile(kind: bytes, space: bytes, pcs: bytes, tags: dict[bytes, bytes]) -> bytes:
    """Write an ICC profile of version 2 with these tags."""
    offset, table, body = 128 + 4 + 12 * len(tags), b"", b""
    for name, data in tags.items():
        table += name + struct.pack(">II", offset + len(body), len(data))
        body += data + b"\0" * (-len(data) % 4)
    body = struct.pack(">I", len(tags)) + table + body
    head = struct.pack(">I4sI4s4s4s", 128 + len(body), b"\0" * 4, 0x02400000, kind, space, pcs)
    head = (head + b"\0" * 12 + b"acsp").ljust(68, b"\0") + fixed(0.9642, 1, 0.8249)
    return head.ljust(128, b"\0") + body


def curve(gamma: float) -> bytes:
    return b"curv" + struct.pack(">IIH", 0, 1, round(gamma * 256))


def rgb_profile(primaries: np.ndarray, gamma: float) -> bytes:
    white = {b"wtpt": b"XYZ \0\0\0\0" + fixed(0.9642, 1, 0.8249)}
    columns = zip(b"rgb", primaries.T, strict=True)
    matrix = {bytes([c]) + b"XYZ": b"XYZ \0\0\0\0" + fixed(*xyz) for c, xyz in columns}
    return profile(
        b"mntr",
        b"RGB ",
        b"XYZ ",
        white | matrix | {bytes([c]) + b"TRC": curve(gamma) for c in b"rgb"},
    )


def grey_profile(gamma: float) -> bytes:
    white = {b"wtpt": b"XYZ \0\0\0\0" + fixed(0.9642, 1, 0.8249)}
    return profile(b"mntr", b"GRAY", b"XYZ ", white | {b"kTRC": curve(gamma)})


def cmyk_profile() -> bytes:
    """Write a profile whose every ink is grey: L = 100 (1 - k) (1 - (c + m + y) / 3)."""
    line = bytes(range(256))
    corners = itertools.product((0, 1), repeat=4)
    cube = b"".join(
        bytes([round(255 * (1 - k) * (1 - (c + m + y) / 3)), 128, 128]) for c, m, y, k in corners
    )
    table = b"mft1\0\0\0\0" + bytes([4, 3, 2, 0]) + fixed(1, 0, 0, 0, 1, 0, 0, 0, 1)
    white = {b"wtpt": b"XYZ \0\0\0\0" + fixed(0.9642, 1, 0.8249)}
    return profile(b"prtr", b"CMYK", b"Lab ", white | {b"A2B0": table + 4 * line + cube + 3 * line})


def chunk(kind: bytes, content: bytes, *, broken: bool = False) -> bytes:
    check = struct.pack(">I", zlib.crc32(kind + content) ^ broken)
    return struct.pack(">I", len(content)) + kind + content + check


def image_data(image: Image.Image) -> bytes:
    """Compress the rows of an RGB picture as PNG does."""
    rows = np.asarray(image)
    return zlib.compress(b"".join(b"\0" + row.tobytes() for row in rows))


def write_png(path: Path, image: Image.Image, extra: bytes = b"", after: bytes = b"") -> None:
    """Write an RGB picture with further chunks before and after its image data."""
    header = chunk(b"IHDR", struct.pack(">IIBBBBB", *image.size, 8, 2, 0, 0, 0))
    body = header + extra + chunk(b"IDAT", image_data(image)) + after + chunk(b"IEND", b"")
    path.write_bytes(b"\x89PNG\r\n\x1a\n" + body)


def frame(number: int, image: Image.Image, corner: Sequence[int] = (0, 0)) -> bytes:
    """Write a frame of an animated PNG file, with the sequence numbers from `number` on."""
    place = struct.pack(">5I", number, *image.size, *corner)
    data = struct.pack(">I", number + 1) + image_data(image)
    return chunk(b"fcTL", place + struct.pack(">HHBB", 1, 10, 0, 0)) + chunk(b"fdAT", data)


def write_tiff(path: Path, numbers: np.ndarray) -> None:
    """Write whole or floating-point numbers (height, width) or (height, width, 3) unpacked."""
    height, width = numbers.shape[:2]
    samples = numbers.shape[2] if numbers.ndim == 3 else 1
    data, bits = numbers.tobytes(), 8 * numbers.itemsize
    depths = struct.pack("<4H", *[bits] * samples, *[0] * (4 - samples))
    at = 8 + len(data)
    tags = [
        (256, 3, 1, width),
        (257, 3, 1, height),
        (258, 3, samples, bits if samples == 1 else at),
    ]
    tags += [(259, 3, 1, 1), (262, 3, 1, 1 if samples == 1 else 2), (273, 4, 1, 8)]
    tags += [(277, 3, 1, samples), (278, 3, 1, height), (279, 4, 1, len(data))]
    if samples == 1:
        tags += [(339, 3, 1, {"u": 1, "i": 2, "f": 3}[numbers.dtype.kind])]
    directory = struct.pack("<H", len(tags)) + b"".join(struct.pack("<HHII", *t) for t in tags)
    start = struct.pack("<4sI", b"II*\0", at + 8)
    path.write_bytes(start + data + depths + directory + b"\0" * 4)


def write_containers(folder: Path) -> dict[str, Path]:
    """Write one picture of sixteen colours into many containers, each of which keeps every pixel.

    Returns:
        The files by name. The first is a PNG file.
    """
    draw = np.random.default_rng(16)
    colors = draw.integers(0, 256, (16, 3), dtype=np.uint8)
    picture = Image.fromarray(colors[draw.integers(0, 16, (20, 28))])
    few, opaque = picture.quantize(16), picture.convert("RGBA")
    other = Image.new("RGB", picture.size, "red")
    frames: dict[str, Any] = {"save_all": True, "append_images": [other]}
    turned = Image.Exif()
    turned[0x0112] = 6  # to be turned clockwise by 90 degrees
    saved: dict[str, tuple[Image.Image, dict[str, Any]]] = {
        "plain.png": (picture, {}),
        "palette.png": (few, {"bits": 4}),
        "opaque.png": (opaque, {}),
        "turned.png": (picture.transpose(Image.Transpose.ROTATE_90), {"exif": turned}),
        "animated.png": (picture, frames),
        "still.gif": (few, {}),
        "animated.gif": (few, {"save_all": True, "append_images": [other.quantize(16)]}),
        "plain.bmp": (picture, {}),
        "palette.bmp": (few, {}),
        "opaque.bmp": (opaque, {}),
        "plain.tif": (picture, {}),
        "lzw.tif": (picture, {"compression": "tiff_lzw"}),
        "deflate.tif": (picture, {"compression": "tiff_adobe_deflate"}),
        "packbits.tif": (picture, {"compression": "packbits"}),
        "palette.tif": (few, {}),
        "opaque.tif": (opaque, {}),
        "large.tif": (picture, {"big_tiff": True}),
        "pages.tif": (picture, frames),
        "lossless.webp": (picture, {"lossless": True}),
        "opaque.webp": (opaque, {"lossless": True}),
        "animated.webp": (picture, {**frames, "lossless": True}),
        "plain.ppm": (picture, {}),
        "lossless.jp2": (picture, {"irreversible": False}),
        "lossless.j2k": (picture, {"irreversible": False, "no_jp2": True}),
        "plain.ico": (picture, {"sizes": [picture.size]}),
    }
    for name, (image, options) in saved.items():
        image.save(folder / name, **options)
    pixels = " ".join(map(str, np.asarray(picture).ravel()))
    (folder / "text.ppm").write_text(f"P3\n{picture.width} {picture.height}\n255\n{pixels}\n")
    whole = (folder / "plain.png").read_bytes()
    (folder / "without an ending").write_bytes(whole)
    comment = chunk(b"zTXt", b"Comment\0\0" + zlib.compress(bytes(3_000_000)))
    write_png(folder / "text.png", picture, comment, b"")
    named = [*saved, "text.ppm", "without an ending", "text.png"]
    return {name: folder / name for name in named}
