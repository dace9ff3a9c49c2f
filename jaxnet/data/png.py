"""Reduce a PNG file to what its picture needs, before Pillow decodes it.

Pillow refuses a whole file for a long text, a long colour profile or a wrong checksum in a part
that the pixels do not depend on; and of an animation whose default image is not its first frame,
it reads the default image. Browsers do neither. What is left out here is never decompressed, so
that Pillow's own limits need not be raised.
"""

import contextlib
import io
import struct
import zlib
from pathlib import Path
from typing import BinaryIO, NamedTuple

SIGNATURE = b"\x89PNG\r\n\x1a\n"

# A profile of more bytes than this, or a text or an EXIF chunk of more than that, is left out.
PROFILE_LIMIT = 2**24
TEXT_LIMIT = 2**20

# Pillow reads the rotation of a picture from EXIF chunks, and from texts with these names.
_ROTATION_TEXTS = (b"Raw profile type exif", b"XML:com.adobe.xmp")

# The bytes of a tRNS chunk, by colour type.
_TRANSPARENCY_SIZES = {0: range(2, 3), 2: range(6, 7), 3: range(1, 257)}


class DamagedPngError(ValueError):
    """The bytes of a PNG file contradict themselves."""


class Png(NamedTuple):
    """A PNG picture without what its pixels do not depend on.

    Attributes:
        stream: A PNG file of one image.
        profile: The ICC profile, decompressed.
        canvas: The (width, height) of the whole picture.
        corner: The position (x, y) of the image on the canvas, of which an animation's first frame
            may fill a part only.
    """

    stream: io.BytesIO
    profile: bytes | None
    canvas: tuple[int, int]
    corner: tuple[int, int]


class _Chunk(NamedTuple):
    kind: bytes
    data: bytes  # empty if the chunk is longer than its limit; shorter if the file ends
    whole: bool  # the file does not end in it
    sound: bool  # its checksum is right


class _Parts:
    """What was found in a PNG file so far."""

    def __init__(self, header: bytes) -> None:
        self.header = header
        self.before: list[bytes] = []  # chunks that come before the image data
        self.image: list[bytes] = []  # the default image's chunks
        self.frame: list[bytes] = []  # the first frame's chunks, if it is not the default image
        self.control = b""  # the first frame's size and position
        self.animated = self.frame_ended = False
        self.profile: bytes | None = None
        self.end = b""


def reduce_png(path: Path) -> Png:
    """Read the parts of a PNG file that its pixels depend on.

    Raises:
        DamagedPngError: If the header, the palette or the order of the parts is impossible.
    """
    size = path.stat().st_size
    with path.open("rb") as file:
        if file.read(8) != SIGNATURE:
            raise DamagedPngError("its first eight bytes are not a PNG signature")
        first = _next_chunk(file, size)
        if first is None or first.kind != b"IHDR" or len(first.data) < 13 or not first.sound:
            raise DamagedPngError("its header is incomplete or changed")
        parts = _Parts(first.data[:13])
        while chunk := _next_chunk(file, size):
            _take(chunk, parts)
            if chunk.kind == b"IEND" or not chunk.whole:
                break
    if not parts.image:
        raise DamagedPngError("it ends before its pixels")
    width, height = struct.unpack(">II", parts.header[:8])
    corner, header, image = (0, 0), parts.header, parts.image
    if parts.frame:
        frame_width, frame_height, *corner_list = struct.unpack(">4I", parts.control[4:20])
        header = struct.pack(">II", frame_width, frame_height) + header[8:]
        corner, image = (corner_list[0], corner_list[1]), parts.frame
    body = b"".join([SIGNATURE, _pack(b"IHDR", header), *parts.before, *image, parts.end])
    return Png(io.BytesIO(body), parts.profile, (width, height), corner)


def _next_chunk(file: BinaryIO, size: int) -> _Chunk | None:
    """Read the next chunk of a file of `size` bytes, or skip it if its data are not needed."""
    head = file.read(8)
    if len(head) < 8:
        return None
    length, kind = int.from_bytes(head[:4], "big"), head[4:]
    if not kind.isalpha() or length >= 2**31:
        raise DamagedPngError(f"a part is named {kind!r} and is {length} bytes long")
    end = file.tell() + length + 4
    needed = kind[:1].isupper() or kind == b"fdAT" or length <= _limit(kind)
    if not needed:
        file.seek(min(end, size))
        return _Chunk(kind, b"", end <= size, sound=False)
    data, check = file.read(max(0, min(length, size - file.tell()))), file.read(4)
    return _Chunk(kind, data, end <= size, struct.pack(">I", zlib.crc32(kind + data)) == check)


def _limit(kind: bytes) -> int:
    return PROFILE_LIMIT if kind == b"iCCP" else TEXT_LIMIT


def _pack(kind: bytes, data: bytes) -> bytes:
    check = struct.pack(">I", zlib.crc32(kind + data))
    return struct.pack(">I", len(data)) + kind + data + check


def _take(chunk: _Chunk, parts: _Parts) -> None:
    """Keep a chunk if the pixels or the rotation depend on it."""
    kind, data = chunk.kind, chunk.data
    color_type = parts.header[9]
    if kind == b"IDAT":
        # As it is, with a wrong checksum too: the decompression detects what is wrong.
        parts.image.append(_pack(kind, data) if chunk.whole else _cut(kind, data))
    elif kind == b"IEND":
        parts.end = _pack(kind, b"")
    elif kind[:1].isupper():
        if not chunk.sound:
            flaw = "is changed: its checksum is wrong" if chunk.whole else "is cut off"
            raise DamagedPngError(f"its part {kind.decode()} {flaw}")
        parts.before.append(_pack(kind, data))
    elif kind == b"fdAT":
        _take_frame_data(chunk, parts)
    elif not chunk.sound:
        pass  # the pixels do not depend on it
    elif kind == b"iCCP" and not parts.image:
        parts.profile = parts.profile or _profile(data)
    elif kind == b"tRNS" and not parts.image:
        if len(data) in _TRANSPARENCY_SIZES.get(color_type, ()):
            parts.before.append(_pack(kind, data))
    elif kind == b"eXIf" or (kind in (b"tEXt", b"zTXt", b"iTXt") and _tells_rotation(kind, data)):
        parts.before.append(_pack(kind, data))
    elif kind == b"acTL" and not parts.image:
        parts.animated = len(data) >= 8 and 0 < int.from_bytes(data[:4], "big") < 2**31
    elif kind == b"fcTL" and len(data) == 26:
        _take_frame_control(data, parts)


def _cut(kind: bytes, data: bytes) -> bytes:
    """Pack the last chunk of a file that ends within it, so that the decoder detects the end."""
    return struct.pack(">I", 2**31 - 1) + kind + data


def _take_frame_control(data: bytes, parts: _Parts) -> None:
    """Note where the first frame lies, unless it is the default image."""
    if not parts.image:
        parts.animated = False  # the default image is the first frame
    elif parts.control:
        parts.frame_ended = True
    else:
        _, width, height, x, y = struct.unpack(">5I", data[:20])
        columns, rows = struct.unpack(">II", parts.header[:8])
        fits = 0 < width and x + width <= columns and 0 < height and y + height <= rows
        parts.animated = parts.animated and fits
        parts.control = data


def _take_frame_data(chunk: _Chunk, parts: _Parts) -> None:
    """Keep image data of the first frame; without its whole, right data there is no animation."""
    if not parts.animated or not parts.control or parts.frame_ended:
        return
    number = int.from_bytes(parts.control[:4], "big") + len(parts.frame) + 1
    in_order = int.from_bytes(chunk.data[:4], "big") == number
    if not in_order or (chunk.whole and not chunk.sound):
        parts.animated, parts.frame = False, []
        return
    data = chunk.data[4:]
    parts.frame.append(_pack(b"IDAT", data) if chunk.whole else _cut(b"IDAT", data))


def _profile(data: bytes) -> bytes | None:
    """Decompress the profile of an iCCP chunk; None if it is broken or too long."""
    _, _, packed = data.partition(b"\0")
    if packed[:1] != b"\0":
        return None
    profile = _decompress(packed[1:], PROFILE_LIMIT)
    return profile or None


def _decompress(packed: bytes, limit: int) -> bytes | None:
    """Decompress at most `limit` bytes; None if there are more, or an error."""
    with contextlib.suppress(zlib.error):
        data = zlib.decompressobj().decompress(packed, limit + 1)
        return data if len(data) <= limit else None
    return None


def _tells_rotation(kind: bytes, data: bytes) -> bool:
    """Say whether a text may tell the rotation of the picture, and is short enough for Pillow."""
    name, _, rest = data.partition(b"\0")
    if name not in _ROTATION_TEXTS:
        return False
    if kind == b"zTXt":
        return rest[:1] == b"\0" and _decompress(rest[1:], TEXT_LIMIT) is not None
    if kind == b"iTXt" and rest[:1] == b"\1":
        *_, packed = rest[2:].split(b"\0", 2)
        return _decompress(packed, TEXT_LIMIT) is not None
    return True
