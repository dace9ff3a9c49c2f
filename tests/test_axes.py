"""Arrays as they come: the layouts they may have, and the lines that mend them, each executed."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest

from jaxnet.data.axes import possible_layouts, to_bytes, to_rgb
from jaxnet.data.load import load_dataset
from jaxnet.data.source import DataSource
from jaxnet.errors import DataError, JaxnetError, UsageError

LABELS = np.arange(8) % 2
RGB = np.random.default_rng(0).integers(0, 256, (8, 6, 5, 3), dtype=np.uint8)
RGB[0, 0, 0] = (0, 0, 255)
SQUARE = np.random.default_rng(1).integers(0, 256, (8, 4, 4, 3), dtype=np.uint8)
GREY = RGB[..., 0]
AS_RGB = GREY[..., None].repeat(3, axis=-1)
OPAQUE = np.concatenate([RGB, np.full((8, 6, 5, 1), 255, np.uint8)], axis=-1)
CLEAR = np.concatenate([RGB, np.zeros((8, 6, 5, 1), np.uint8)], axis=-1)

# By name: the array, and the pictures that it means.
ONE_MEANING: dict[str, tuple[np.ndarray, np.ndarray]] = {
    "NCHW": (RGB.transpose(0, 3, 1, 2), RGB),
    "HWCN": (RGB.transpose(1, 2, 3, 0), RGB),
    "HWN": (GREY.transpose(1, 2, 0), AS_RGB),
    "N1HW": (GREY[:, None], AS_RGB),
    "HW1N": (GREY.transpose(1, 2, 0)[:, :, None], AS_RGB),
    "RGBA, opaque": (OPAQUE, RGB),
    "RGBA, transparent": (CLEAR, np.full_like(RGB, 255)),
    "NCHW of RGBA": (CLEAR.transpose(0, 3, 1, 2), np.full_like(RGB, 255)),
    "float32 in [0, 1]": ((RGB / 255).astype(np.float32), RGB),
    "float64 in [-1, 1]": (RGB / 127.5 - 1, RGB),
    "NCHW of float64": (RGB.transpose(0, 3, 1, 2) / 255, RGB),
    "grey in [0, 1]": (GREY / 255, AS_RGB),
    "RGBA in [0, 1]": (OPAQUE / 255, RGB),
    "float64 in 0 … 255": (RGB.astype(float), RGB),
    "int64": (RGB.astype(np.int64), RGB),
    "uint16": (RGB * np.uint16(257), RGB),
    "bool": (RGB > 127, 255 * (RGB > 127).astype(np.uint8)),
    "rows of grey": (SQUARE[..., 0].reshape(8, 16), SQUARE[..., :1].repeat(3, axis=-1)),
    "rows of grey in [0, 1]": (
        SQUARE[..., 0].reshape(8, 16) / 255,
        SQUARE[..., :1].repeat(3, axis=-1),
    ),
    "columns of grey": (SQUARE[..., 0].reshape(8, 16).T, SQUARE[..., :1].repeat(3, axis=-1)),
}


def write(path: Path, kind: str, images: np.ndarray, labels: np.ndarray = LABELS) -> Path:
    """Write an npz file, an HDF5 file of the article's names, or one of other names."""
    if kind == "npz":
        np.savez(path / "a.npz", x_train=images, y_train=labels)
        return path / "a.npz"
    names = ("train_set_x", "train_set_y") if kind == "article" else ("x_train", "y_train")
    with h5py.File(path / "a.h5", "w") as file:
        file[names[0]], file[names[1]] = images, labels
    return path / "a.h5"


def lines_of(error: JaxnetError) -> list[str]:
    return [line.strip() for line in error.remedy.splitlines() if line.strip()[:7] == "import "]


@pytest.fixture(params=["npz", "article", "other"])
def kind(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.mark.parametrize("name", ONE_MEANING)
def test_the_line_mends_the_file(name: str, kind: str, tmp_path: Path) -> None:
    array, meant = ONE_MEANING[name]
    path = write(tmp_path, kind, array)
    with pytest.raises(DataError) as caught:
        load_dataset(path)
    assert f"has shape {array.shape} and type {array.dtype}" in caught.value.found
    (line,) = lines_of(caught.value)
    exec(line, {})
    np.testing.assert_array_equal(load_dataset(path).train.images, meant)
    np.testing.assert_array_equal(load_dataset(path).train.labels, LABELS)


@pytest.mark.parametrize("name", ["NCHW", "HWCN", "HWN"])
def test_the_layout_that_is_named_reads_the_file(name: str, kind: str, tmp_path: Path) -> None:
    array, meant = ONE_MEANING[name]
    path = write(tmp_path, kind, array)
    with pytest.raises(DataError, match=f'layout="{name}"'):
        load_dataset(path)
    dataset = load_dataset(path, layout=name.lower())
    np.testing.assert_array_equal(dataset.train.images, meant)
    assert dataset.data_source == DataSource(str(path), layout=name)
    assert load_dataset(dataset.data_source).sha256 == dataset.sha256


@pytest.mark.parametrize(("array", "layout"), [(GREY, "NHW"), (GREY[..., None], "NHWC")])
def test_the_names_of_the_article_promise_colours(
    array: np.ndarray, layout: str, tmp_path: Path
) -> None:
    path = write(tmp_path, "article", array)
    with pytest.raises(DataError, match=f'layout="{layout}"') as caught:
        load_dataset(path)
    np.testing.assert_array_equal(load_dataset(path, layout=layout).train.images, AS_RGB)
    (line,) = lines_of(caught.value)
    exec(line, {})
    np.testing.assert_array_equal(load_dataset(path).train.images, AS_RGB)


def test_a_layout_with_other_numbers_is_mended_by_one_line(kind: str, tmp_path: Path) -> None:
    path = write(tmp_path, kind, RGB.transpose(3, 2, 1, 0) / 255)
    with pytest.raises(DataError, match="leave layout out") as caught:
        load_dataset(path, layout="CWHN")
    (line,) = lines_of(caught.value)
    exec(line, {})
    np.testing.assert_array_equal(load_dataset(path).train.images, RGB)


@pytest.mark.parametrize(
    ("array", "layouts"),
    [
        (RGB[:3, :, :, :], {"NHWC": RGB[:3], "CHWN": None}),
        (RGB[:8].transpose(3, 1, 2, 0)[:, :, :, :3], {"NHWC": None, "CHWN": RGB[:3]}),
        (SQUARE[:3, :3], {"NHWC": SQUARE[:3, :3], "NCHW": None, "CHWN": None}),
        (GREY[:5], {"NHW": AS_RGB[:5], "HWN": None}),
    ],
)
def test_an_ambiguous_array_is_told_as_ambiguous(
    array: np.ndarray, layouts: dict[str, np.ndarray | None], tmp_path: Path
) -> None:
    path = write(tmp_path, "npz", array, LABELS[: len(array)])
    with pytest.raises(UsageError, match="ambiguous") as caught:
        load_dataset(path)
    for layout, meant in layouts.items():
        assert f'layout="{layout}"' in caught.value.remedy
        images = load_dataset(path, layout=layout).train.images
        assert meant is None or np.array_equal(images, meant)


def test_what_is_ambiguous_for_one_split_may_be_clear_by_another(tmp_path: Path) -> None:
    path = tmp_path / "a.npz"
    np.savez(path, x_train=RGB, y_train=LABELS, x_test=RGB[:3], y_test=LABELS[:3])
    test = load_dataset(path).test
    assert test is not None
    np.testing.assert_array_equal(test.images, RGB[:3])


def test_the_names_of_the_article_promise_its_layout(tmp_path: Path) -> None:
    path = write(tmp_path, "article", RGB[:3], LABELS[:3])
    np.testing.assert_array_equal(load_dataset(path).train.images, RGB[:3])


def test_flat_colours_have_two_meanings(kind: str, tmp_path: Path) -> None:
    for number, flat in enumerate((SQUARE, SQUARE.transpose(0, 3, 1, 2))):
        for turned in (flat.reshape(8, 48), flat.reshape(8, 48).T):
            path = write(tmp_path, kind, turned)
            with pytest.raises(DataError, match=r"side by side.*\n.*\n.*first all red") as caught:
                load_dataset(path)
            exec(lines_of(caught.value)[number], {})
            np.testing.assert_array_equal(load_dataset(path).train.images, SQUARE)


def test_matlab_stores_every_axis_in_reverse(tmp_path: Path) -> None:
    for array in (RGB.transpose(3, 2, 1, 0), RGB.transpose(0, 3, 2, 1)):
        path = write(tmp_path, "other", array, LABELS[None])
        with h5py.File(path, "a") as file:
            file["x_train"].attrs["MATLAB_class"] = np.bytes_("uint8")
        with pytest.raises(DataError) as caught:
            load_dataset(path)
        (line,) = lines_of(caught.value)
        exec(line, {})
        np.testing.assert_array_equal(load_dataset(path).train.images, RGB)


@pytest.mark.parametrize(
    "numbers",
    [
        RGB.astype(float) * 10,
        RGB.astype(float) - 128,
        RGB.astype(np.int64) // 128,
        np.where(RGB > 250, np.nan, RGB / 255),
    ],
)
def test_numbers_whose_range_nothing_tells(numbers: np.ndarray, tmp_path: Path) -> None:
    path = write(tmp_path, "npz", numbers)
    with pytest.raises(DataError, match="nothing tells which of these numbers is white"):
        load_dataset(path)


@pytest.mark.parametrize("array", [RGB.astype(complex), RGB.astype(str)])
def test_pictures_are_numbers(array: np.ndarray, tmp_path: Path) -> None:
    with pytest.raises(DataError, match="store the pictures as numbers"):
        load_dataset(write(tmp_path, "npz", array))


def test_sixteen_bits_that_hold_bytes_are_bytes() -> None:
    assert to_bytes(RGB.astype(np.uint16)) == to_bytes(RGB.astype(np.int64))


@pytest.mark.parametrize(
    ("shape", "count", "expected"),
    [
        ((8, 6, 5, 3), 8, ("NHWC",)),
        ((8, 3, 6, 5), 8, ("NCHW",)),
        ((6, 5, 3, 8), 8, ("HWCN",)),
        ((3, 6, 5, 8), 8, ("CHWN",)),
        ((8, 6, 5, 1), 8, ("NHWC",)),
        ((8, 4, 4, 3), 8, ("NHWC",)),
        ((8, 8, 8, 3), 8, ("NHWC",)),
        ((3, 3, 3, 3), 3, ("NHWC", "NCHW", "HWCN", "CHWN")),
        ((28, 28, 28), 28, ("NHW", "HWN")),
        ((8, 6, 5, 2), 8, ()),
        ((8, 6, 5, 3), 7, ()),
        ((8, 48), 8, ()),
        ((8,), 8, ()),
    ],
)
def test_possible_layouts(shape: tuple[int, ...], count: int, expected: tuple[str, ...]) -> None:
    assert possible_layouts(shape, count) == expected
    turned = tuple(layout.replace("HW", "WH") for layout in expected)
    assert possible_layouts(shape, count, reversed_axes=True) == turned


def test_every_layout_is_read(tmp_path: Path) -> None:
    axes = dict(zip("NHWC", range(4), strict=True))
    for layout in ("NHWC", "NCHW", "CWHN", "WHCN", "HNCW", "CNHW"):
        array = RGB.transpose([axes[letter] for letter in layout])
        np.testing.assert_array_equal(to_rgb(array, layout), RGB)
    for layout in ("NHW", "WHN", "HNW"):
        array = GREY.transpose([axes[letter] for letter in layout])
        np.testing.assert_array_equal(to_rgb(array, layout), AS_RGB)


@pytest.mark.parametrize("layout", ["NCH", "NHWCC", "abc", "", "NHWD"])
def test_what_is_no_layout(layout: str) -> None:
    with pytest.raises(UsageError, match=f'layout is "{layout}"'):
        DataSource("a.npz", layout=layout)


@pytest.mark.parametrize("layout", ["NHW", "HNWC", "NHCW"])
def test_a_layout_that_does_not_fit(layout: str, kind: str, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="correct the layout"):
        load_dataset(write(tmp_path, kind, RGB), layout=layout)


def test_a_layout_for_what_has_none(folder: Path, h5: Callable[..., Path]) -> None:
    sources: tuple[Any, ...] = (folder, "sketches", "catvnoncat")
    for source in sources:
        with pytest.raises(UsageError, match="layout is given"):
            load_dataset(source, layout="NHWC")
