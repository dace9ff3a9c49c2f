"""Pictures of 16 and 32 bits, and files that are no pictures."""

import base64
import io
import zipfile
from pathlib import Path

import h5py
import numpy as np
import pytest
from picture_files import write_tiff
from PIL import Image

from jaxnet.data.pictures import picture_suffixes, read_pictures
from jaxnet.errors import DataError


def read(path: Path) -> np.ndarray:
    return read_pictures([path], 8, 8)[0][0]


def refusal(path: Path) -> DataError:
    with pytest.raises(DataError) as caught:
        read(path)
    return caught.value


def numbers(dtype: str, low: int, high: int, samples: int = 0) -> np.ndarray:
    """Spread whole numbers from `low` to `high` over 8 × 8 pixels."""
    spread = np.linspace(low, high, 64).round().astype(dtype).reshape(8, 8)
    return spread[..., None].repeat(samples, 2) if samples else spread


@pytest.mark.parametrize(
    ("dtype", "low", "high", "samples"),
    [
        ("int32", 0, 255, 0),
        ("int32", 0, 65535, 0),
        ("uint32", 0, 255, 0),
        ("uint16", 0, 255, 0),
        ("uint16", 0, 1, 0),
        ("uint16", 0, 4095, 0),  # 12 bits
        ("uint16", 0, 16383, 0),  # 14 bits
        ("uint16", 32768, 33023, 0),
        ("int16", 0, 255, 0),
        ("int16", -1024, 3071, 0),  # Hounsfield units
        ("int16", -32768, 32767, 0),
        ("int32", -5, 2**31 - 1, 0),
        ("uint16", 0, 255, 3),
        ("uint16", 0, 4095, 3),
    ],
)
def test_a_small_part_of_the_range_is_refused(
    dtype: str, low: int, high: int, samples: int, tmp_path: Path
) -> None:
    write_tiff(tmp_path / "few.tiff", numbers(dtype, low, high, samples))
    error = refusal(tmp_path / "few.tiff")
    kind = f"{dtype[-2:]}-bit {'unsigned' if dtype[0] == 'u' else 'signed'} numbers from "
    assert kind in error.found
    assert "does not tell which are black and white" in error.found
    assert samples or f"from {low} to {high}" in error.found
    assert "damaged" not in str(error)
    assert "PIL.Image.fromarray(" in error.remedy


def test_the_conversion_that_the_message_names(tmp_path: Path) -> None:
    for low, high, expected in ((0, 255, 1), (0, 4095, 255 / 4095)):
        pixels = numbers("int32", low, high)
        write_tiff(tmp_path / "few.tiff", pixels)
        code = refusal(tmp_path / "few.tiff").remedy.partition("fromarray(")[2]
        converted = eval(code.partition(").save")[0], {"pixels": pixels})
        assert converted.dtype == np.uint8
        np.testing.assert_allclose(converted, pixels * expected, atol=1)


@pytest.mark.parametrize("dtype", ["uint16", "int16", "int32", "uint32"])
def test_the_full_range_is_scaled(dtype: str, tmp_path: Path) -> None:
    top = int(np.iinfo(dtype).max)
    write_tiff(tmp_path / "full.tiff", numbers(dtype, 0, top))
    expected = np.linspace(0, 255, 64).reshape(8, 8, 1).repeat(3, 2)
    np.testing.assert_allclose(read(tmp_path / "full.tiff"), expected, atol=0.51)


def test_the_full_range_of_colours(tmp_path: Path) -> None:
    write_tiff(tmp_path / "full.tiff", numbers("uint16", 0, 65535, 3))
    expected = np.linspace(0, 255, 64).reshape(8, 8, 1).repeat(3, 2)
    np.testing.assert_allclose(read(tmp_path / "full.tiff"), expected, atol=1)


@pytest.mark.parametrize("samples", [0, 3])
@pytest.mark.parametrize("value", [77, 255])
def test_a_uniform_picture_of_16_bits(value: int, samples: int, tmp_path: Path) -> None:
    write_tiff(tmp_path / "same.tiff", numbers("uint16", 257 * value, 257 * value, samples))
    np.testing.assert_array_equal(read(tmp_path / "same.tiff"), value)


def test_black_is_black_in_any_range(tmp_path: Path) -> None:
    write_tiff(tmp_path / "black.tiff", np.zeros((8, 8), np.uint16))
    np.testing.assert_array_equal(read(tmp_path / "black.tiff"), 0)


@pytest.mark.parametrize("suffix", ["png", "jp2"])
def test_formats_with_a_fixed_range_keep_it(suffix: str, tmp_path: Path) -> None:
    dark = numbers("uint16", 0, 15 * 257)
    Image.fromarray(dark).save(tmp_path / f"dark.{suffix}")
    expected = (dark / 257).round()[..., None].repeat(3, 2)
    np.testing.assert_array_equal(read(tmp_path / f"dark.{suffix}"), expected)


def test_a_pgm_file_tells_its_white(tmp_path: Path) -> None:
    pixels = numbers("uint16", 0, 1023)
    header = b"P5\n8 8\n1023\n"
    (tmp_path / "ten-bits.pgm").write_bytes(header + pixels.astype(">u2").tobytes())
    expected = (pixels / 1023 * 255)[..., None].repeat(3, 2)
    np.testing.assert_allclose(read(tmp_path / "ten-bits.pgm"), expected, atol=0.51)


def test_floating_point_numbers(tmp_path: Path) -> None:
    write_tiff(tmp_path / "float.tiff", np.linspace(-0.5, 1, 64, dtype=np.float32).reshape(8, 8))
    error = refusal(tmp_path / "float.tiff")
    assert "holds floating-point numbers from -0.5 to 1" in error.found
    assert "damaged" not in str(error)
    assert "(pixels - -0.5) * (255 / 1.5)" in error.remedy


def test_one_bit(tmp_path: Path) -> None:
    bits = np.eye(8, dtype=bool)
    for suffix in ("png", "tiff", "bmp"):
        Image.fromarray(bits).save(tmp_path / f"bits.{suffix}")
        expected = 255 * bits[..., None].repeat(3, 2)
        np.testing.assert_array_equal(read(tmp_path / f"bits.{suffix}"), expected)


def npz() -> bytes:
    buffer = io.BytesIO()
    np.savez_compressed(buffer, x_train=np.zeros(3))
    return buffer.getvalue()


def zipped() -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr("cat.txt", "cat")
    return buffer.getvalue()


def npy() -> bytes:
    buffer = io.BytesIO()
    np.save(buffer, np.zeros(3))
    return buffer.getvalue()


def hdf5() -> bytes:
    buffer = io.BytesIO()
    with h5py.File(buffer, "w") as file:
        file["train_set_y"] = np.zeros(3)
    return buffer.getvalue()


OTHERS = {
    "an HDF5 file": hdf5(),
    "a NumPy archive (.npz)": npz(),
    "a NumPy array (.npy)": npy(),
    "a ZIP archive": zipped(),
    "a PDF document": b"%PDF-1.7\n",
    "a Python pickle": b"\x80\x04\x95\0",
    "a safetensors file": (40).to_bytes(8, "little") + b'{"W1":{"dtype":"F32"}}',
    "a video (MP4, MOV)": b"\0\0\0\x18ftypisom\0\0\0\0isommp42",
    "an SVG drawing": b'<svg xmlns="http://www.w3.org/2000/svg"/>',
    "a file of another kind (text)": "label,pixel1\nchat,été".encode(),
    "a file of another kind": bytes(range(256)),
    "a Photoshop picture": b"8BPS\0\1",
    "a JPEG XL picture": b"\xff\x0a\x00",
}


@pytest.mark.parametrize("name", OTHERS)
def test_a_file_that_is_no_picture_is_named(name: str, tmp_path: Path) -> None:
    (tmp_path / "cat.jpg").write_bytes(OTHERS[name])
    error = refusal(tmp_path / "cat.jpg")
    assert f"cat.jpg is {name}" in error.found
    assert not {"damaged", "cut off", "again"} & set(
        str(error).replace("cut off", "cut_off").split()
    )
    assert "cut off" not in str(error)


def test_a_variant_that_is_not_read_is_not_called_damaged(tmp_path: Path) -> None:
    write_tiff(tmp_path / "colours.tiff", np.zeros((8, 8, 3), np.uint32))
    error = refusal(tmp_path / "colours.tiff")
    assert "a TIFF picture that cannot be read" in error.found
    assert "damaged" not in str(error)
    assert "export it as PNG or JPEG" in error.remedy


HEIC = b"\0\0\0\x18ftypheic\0\0\0\0mif1heic"


def test_without_its_package_heic_names_the_extra(tmp_path: Path) -> None:
    (tmp_path / "photo.heic").write_bytes(HEIC)
    error = refusal(tmp_path / "photo.heic")
    assert "is a HEIC picture, which is read only with the package pi-heif" in error.found
    assert "the extra heic of jaxnet" in error.remedy
    assert "damaged" not in str(error)
    assert ".heic" not in picture_suffixes()


# Twelve colours (3, 4, 3), drawn by default_rng(0), each a square of 16 pixels; HEVC at quality 90.
PHOTO = base64.b64decode(
    "AAAAHGZ0eXBoZWljAAAAAG1pZjFoZWljbWlhZgAAAX1tZXRhAAAAAAAAACFoZGxyAAAAAAAAAABwaWN0AAAAAAAA"
    "AAAAAAAAAAAAACJpbG9jAAAAAERAAAEAAQAAAAABoQABAAAAAAAAAK0AAAAjaWluZgAAAAAAAQAAABVpbmZlAgAA"
    "AAABAABodmMxAAAAAA5waXRtAAAAAAABAAAA/WlwcnAAAADdaXBjbwAAAHZodmNDAQNwAAAAkAAAAAAAHvAA/P34"
    "+AAADwNgAAEAGEABDAH//wNwAAADAJAAAAMAAAMAHroCQGEAAQAqQgEBA3AAAAMAkAAAAwAAAwAeoCCBBZbq5Ka5"
    "uAhoMCAAAAMDIAAAAwAhYgABAAZEAcFzwIkAAAATY29scm5jbHgAAQANAAaAAAAAFGlzcGUAAAAAAAAAQAAAAEAA"
    "AAAoY2xhcAAAAEAAAAABAAAAMAAAAAEAAAAAAAAAAv////AAAAACAAAAEHBpeGkAAAAAAwgICAAAABhpcG1hAAAA"
    "AAAAAAEAAQWBAgMFhAAAALVtZGF0AAAAqSgBrwY4Wve208/5H4Ub//1ByUv385iz//Q12b9UeHP59BwX//Ch1ee/"
    "Bl2l/uv8w+MRv/xSaFWz+8XU/+ZfB/3xLezPxepTIur/1uVut+VIxfLnH/lA+PVX1VtvPrz532P18f4ExT84P5fp"
    "W6+7ot/8IFPjBet8WPP1DqGhNj9oda9U6XmH6ryj+bXmuOufbon1+9luzCBb6ODvWn3JgB2+LPSpAX9Qx/w="
)


def test_with_its_package_heic_is_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("pi_heif")
    monkeypatch.setattr("jaxnet.data.pictures._reads_heic", lambda: True)
    (tmp_path / "photo.heic").write_bytes(PHOTO)
    colours = np.random.default_rng(0).integers(0, 256, (3, 4, 3), dtype=np.uint8)
    found = read_pictures([tmp_path / "photo.heic"], 48, 64)[0][0]
    assert np.abs(found - colours.repeat(16, 0).repeat(16, 1).astype(int)).max() <= 3
    assert {".heic", ".heif"} <= picture_suffixes()
    (tmp_path / "cut.heic").write_bytes(PHOTO[:300])
    assert "a HEIC picture that is cut off or damaged" in refusal(tmp_path / "cut.heic").found
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 1000)  # of 3,072; Pillow's own limit is twice it
    assert "too large to decode" in refusal(tmp_path / "photo.heic").found
