"""Name the kind of a file by its first bytes, for error messages."""

import zlib
from pathlib import Path

_GZIP = 16 + zlib.MAX_WBITS  # tells zlib that the data have a gzip header

PICTURE = " picture"  # the names of the kinds of pictures end in this word

# (position, bytes, name): the first row that fits decides. Kinds that pictures are taken for, or
# that are given as data by mistake.
_SIGNATURES: tuple[tuple[int, bytes, str], ...] = (
    (0, b"\x89HDF\r\n\x1a\n", "an HDF5 file"),
    (512, b"\x89HDF\r\n\x1a\n", "an HDF5 file"),  # after a user block, as MATLAB writes it
    (0, b"\xff\xd8\xff", "a JPEG picture"),
    (0, b"\x89PNG", "a PNG picture"),
    (0, b"GIF8", "a GIF picture"),
    (0, b"II*\0", "a TIFF picture"),
    (0, b"MM\0*", "a TIFF picture"),
    (0, b"II+\0", "a TIFF picture"),
    (0, b"MM\0+", "a TIFF picture"),
    (0, b"BM", "a BMP picture"),
    (0, b"\0\0\0\x0cjP", "a JPEG 2000 picture"),
    (0, b"\xff\x4f\xff\x51", "a JPEG 2000 picture"),
    (0, b"\xff\x0a", "a JPEG XL picture"),
    (0, b"\0\0\0\x0cJXL ", "a JPEG XL picture"),
    (8, b"WEBP", "a WebP picture"),
    *((0, b"P%d" % kind + end, "a PPM picture") for kind in range(1, 7) for end in (b"\n", b" ")),
    (0, b"\0\0\1\0", "an ICO picture"),
    (0, b"8BPS", "a Photoshop picture"),
    (0, b"gimp xcf", "a GIMP picture"),
    (0, b"\x76\x2f\x31\x01", "an OpenEXR picture"),
    (0, b"\x93NUMPY", "a NumPy array (.npy)"),
    (0, b"%PDF", "a PDF document"),
    (0, b"SQLite format 3\0", "an SQLite database"),
    (0, b"PAR1", "a Parquet table"),
    (0, b"MATLAB 5.0", "a MATLAB file of version 5"),
    (0, b"\x1f\x8b", "a gzip archive"),
    (0, b"BZh", "a bzip2 archive"),
    (0, b"\xfd7zXZ\0", "an xz archive"),
    (0, b"7z\xbc\xaf\x27\x1c", "a 7z archive"),
    (0, b"Rar!", "a RAR archive"),
    (0, b"\x28\xb5\x2f\xfd", "a zstd archive"),
    (257, b"ustar", "a tar archive"),
    (0, b"\x1aE\xdf\xa3", "a Matroska or WebM video"),
    (8, b"AVI ", "an AVI video"),
    (8, b"WAVE", "a WAV sound"),
    (0, b"ID3", "an MP3 sound"),
    (0, b"\x7fELF", "a program"),
    (0, b"\x80\x02", "a Python pickle"),
    (0, b"\x80\x03", "a Python pickle"),
    (0, b"\x80\x04", "a Python pickle"),
    (0, b"\x80\x05", "a Python pickle"),
    (8, b'{"', "a safetensors file"),
)

_HEIC_BRANDS = (b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"mif1", b"msf1")


def describe_content(path: Path) -> str:
    """Name the kind of a file by its first bytes, for the message that it cannot be read."""
    with path.open("rb") as file:
        return name_content(file.read(1024))


def name_content(head: bytes) -> str:
    """Name the kind of a file whose first 1024 bytes, or all if it is shorter, are `head`."""
    text = head.lstrip().lower()
    if not head:
        return "an empty file"
    if text.startswith(b"version https://git-lfs"):
        return "a Git LFS pointer, not the file that it points to"
    if text.startswith((b"<!doctype html", b"<html")) or b"<html" in text:
        return "an HTML page, which a browser saves if a link opens a page instead of the file"
    if _is_tar(_gunzip(head)):
        return "a tar archive, compressed by gzip"
    for position, signature, name in _SIGNATURES:
        if head.startswith(signature, position) and not (signature == b"BM" and _is_text(head)):
            return name
    if head[4:8] == b"ftyp":
        brands = [head[8:12], *(head[i : i + 4] for i in range(16, min(len(head), 64), 4))]
        if brands[0] in (b"avif", b"avis") or b"avif" in brands:
            return "an AVIF picture"
        if any(brand in _HEIC_BRANDS for brand in brands):
            return "a HEIC picture"
        return "a video (MP4, MOV) or a raw photo of a camera (CR3)"
    if head.startswith(b"PK\x03\x04"):
        # NumPy writes the arrays of an .npz file uncompressed or deflated, by the name KEY.npy.
        name_length = int.from_bytes(head[26:28], "little")
        member = head[30 : 30 + name_length]
        if member.endswith(b".npy"):
            return "a NumPy archive (.npz)"
        if member == b"[Content_Types].xml":
            return "an Office document (.xlsx, .docx)"
        return "a PyTorch file" if member.endswith(b"/data.pkl") else "a ZIP archive"
    if b"<svg" in text:
        return "an SVG drawing"
    return "a file of another kind" + (" (text)" if _is_text(head) else "")


def _gunzip(head: bytes) -> bytes:
    """Decompress the first bytes of a gzip file; of another file, or a damaged one, none."""
    try:
        return zlib.decompressobj(_GZIP).decompress(head, 512)
    except zlib.error:
        return b""


def _is_tar(head: bytes) -> bool:
    return head.startswith(b"ustar", 257)


def _is_text(head: bytes) -> bool:
    """Say whether bytes are readable text: UTF-8 without control characters."""
    try:
        text = head.decode()
    except UnicodeDecodeError as error:
        if error.start < len(head) - 3:  # else a character is cut by the end of the head
            return False
        text = head[: error.start].decode()
    return bool(text) and all(c.isprintable() or c in "\t\r\n\f" for c in text)
