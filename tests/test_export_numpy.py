"""The Python file of a network treats picture files as jaxnet does, or refuses them in words."""

import ast
import collections
import inspect
import runpy
import struct
import subprocess
import sys
from pathlib import Path
from typing import Any

import jax
import numpy as np
import pytest
from picture_files import (
    PROPHOTO,
    chunk,
    cmyk_profile,
    frame,
    grey_profile,
    rgb_profile,
    write_containers,
    write_png,
    write_tiff,
)
from PIL import Image
from test_model import make_model
from test_picture_depth import HEIC

from jaxnet.activations import ACTIVATIONS
from jaxnet.data.pictures import read_pictures
from jaxnet.data.preprocessing import Preprocessing
from jaxnet.errors import DataError
from jaxnet.network import init_params
from jaxnet.runs.export import export_model
from jaxnet.runs.export_numpy import LICENSE, MODULES, write_numpy
from jaxnet.runs.model import Model

Names = dict[str, Any]


@pytest.fixture(scope="module")
def file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("numpy") / "model.py"
    write_numpy(make_model(), path)
    return path


@pytest.fixture(scope="module")
def names(file: Path) -> Names:
    return runpy.run_path(str(file))


def draw_pictures(folder: Path) -> list[Path]:
    """Draw pictures of every kind: containers, modes, depths, rotations, profiles, sizes."""
    draw = np.random.default_rng(0)
    noise = Image.fromarray(draw.integers(0, 256, (11, 17, 4), dtype=np.uint8))
    for mode in ("1", "L", "LA", "P", "RGB", "RGBA", "I;16"):
        noise.convert("L" if mode == "I;16" else mode).convert(mode).save(folder / f"{mode}.png")
    palette = noise.convert("RGB").quantize(9)
    palette.save(folder / "transparent.png", transparency=2)
    for mode in ("RGB", "L", "CMYK", "YCbCr"):
        noise.convert("RGB").convert(mode).save(folder / f"{mode}.jpg", quality=90)
    photo = Image.fromarray(draw.integers(0, 256, (200, 301, 3), dtype=np.uint8))
    for turn in range(1, 9):
        exif = Image.Exif()
        exif[0x0112] = turn
        photo.save(folder / f"turned{turn}.jpg", exif=exif)
    for size in ((1, 1), (1, 9), (300, 2), (7, 5)):
        photo.resize(size).save(folder / f"{size}.webp", lossless=True)
    wide = draw.integers(0, 2**16, (9, 7), dtype=np.uint16)
    Image.fromarray(wide).save(folder / "wide.png")
    write_tiff(folder / "wide.tif", wide)
    write_tiff(folder / "colors.tif", np.stack([wide] * 3, -1))
    write_tiff(folder / "longer.tif", wide.astype(np.uint32) * 65537)
    Image.fromarray(wide).save(folder / "wide.pgm")
    small = noise.convert("RGB")
    small.save(folder / "prophoto.png", icc_profile=rgb_profile(PROPHOTO, 1.8))
    small.convert("L").save(folder / "grey.tif", icc_profile=grey_profile(1.0))
    small.convert("CMYK").save(folder / "inks.jpg", icc_profile=cmyk_profile())
    part = Image.new("RGB", (5, 4), "red")
    control = chunk(b"acTL", struct.pack(">II", 1, 0))
    write_png(folder / "part.png", small, control, frame(0, part, (3, 2)))
    write_containers(folder)
    return sorted(folder.iterdir())


def test_it_treats_pictures_of_every_kind_as_jaxnet_does(names: Names, tmp_path: Path) -> None:
    paths = draw_pictures(tmp_path)
    assert len(paths) > 50
    expected, _, _ = read_pictures(paths, 8, 6)
    for path, pixels in zip(paths, expected, strict=True):
        np.testing.assert_array_equal(names["read_picture"](path, 8, 6), pixels, path.name)
    np.testing.assert_allclose(
        names["predict_files"](paths), make_model().predict_files(paths), rtol=1e-5
    )


@pytest.mark.parametrize("activation", ACTIVATIONS)
@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize(("color", "pixel_scale"), [("gray", "symmetric"), ("rgb", "raw")])
def test_it_computes_what_the_network_does(
    color: str, pixel_scale: str, dtype: str, activation: str, images: np.ndarray, tmp_path: Path
) -> None:
    how = Preprocessing(8, 6, color, pixel_scale)
    with jax.enable_x64(True):
        params = init_params(jax.random.key(0), how.n_x, 3, weight_scale=0.001, dtype=dtype)
    model = Model(params, how, ("a", "b"), ACTIVATIONS[activation])
    exported = export_model(model, tmp_path / "model.py", "numpy", images)
    assert exported.pictures == len(images)
    assert exported.deviation < 64 * np.finfo(dtype).eps
    assert 0.3 < model.predict_images(images).mean() < 0.7  # where deviations show


def write_unreadable(folder: Path) -> dict[str, str]:
    """Write what is refused; return words of the reasons by the names of the files."""
    write_tiff(folder / "float.tif", np.linspace(0, 1, 20, dtype=np.float32).reshape(4, 5))
    write_tiff(folder / "narrow.tif", np.arange(20, dtype=np.uint16).reshape(4, 5))
    (folder / "photo.heic").write_bytes(HEIC)
    (folder / "page.jpg").write_text("<html>no cat</html>")
    (folder / "empty.png").touch()
    (folder / "folder").mkdir()
    Image.new("RGB", (60, 60), "red").save(folder / "cut.png")
    (folder / "cut.png").write_bytes((folder / "cut.png").read_bytes()[:60])
    header = chunk(b"IHDR", struct.pack(">IIBBBBB", 40_000, 40_000, 8, 2, 0, 0, 0))
    end = chunk(b"IDAT", b"") + chunk(b"IEND", b"")
    (folder / "bomb.png").write_bytes(b"\x89PNG\r\n\x1a\n" + header + end)
    return {
        "float.tif": "floating-point numbers",
        "narrow.tif": "a small part of the range",
        "photo.heic": "is a HEIC picture, which Pillow",
        "page.jpg": "an HTML page",
        "empty.png": "an empty file",
        "folder": "is no file",
        "nowhere.png": "there is no",
        "cut.png": "damaged",
        "bomb.png": "too large to decode",
    }


def test_what_it_would_treat_differently_is_refused_in_words(names: Names, tmp_path: Path) -> None:
    for name, words in write_unreadable(tmp_path).items():
        with pytest.raises(names["RefusedError"], match=words) as caught:
            names["predict_files"]([tmp_path / name])
        assert name in str(caught.value)
        with pytest.raises(DataError):
            read_pictures([tmp_path / name], 8, 6)


def test_an_old_pillow_and_one_without_color_management_are_refused(
    names: Names, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "a.png"
    Image.new("RGB", (3, 3), "red").save(path, icc_profile=rgb_profile(PROPHOTO, 1.8))

    def missing(*_: object) -> None:
        raise ImportError("The _imagingcms C module is not installed")

    with monkeypatch.context() as patch:
        patch.setattr("PIL.ImageCms.ImageCmsProfile", missing)
        with pytest.raises(names["RefusedError"], match="colour profile"):
            names["predict_files"]([path])
    monkeypatch.setattr("PIL.__version__", "10.4.0")
    with pytest.raises(names["RefusedError"], match=r"Pillow 10\.4\.0 is older than 11"):
        names["predict_files"]([path])


def test_it_imports_the_standard_library_numpy_and_pillow_only(file: Path) -> None:
    tree = ast.parse(file.read_text("utf-8"))
    imported = {
        name.split(".")[0]
        for node in ast.walk(tree)
        if isinstance(node, ast.Import | ast.ImportFrom)
        for name in (
            [str(node.module)] if isinstance(node, ast.ImportFrom) else [a.name for a in node.names]
        )
    }
    assert imported - sys.stdlib_module_names == {"numpy", "PIL"}


def test_no_two_of_its_modules_share_a_name() -> None:
    defined: collections.Counter[str] = collections.Counter()
    for module in MODULES:
        for node in ast.parse(inspect.getsource(module)).body:
            if isinstance(node, ast.FunctionDef | ast.ClassDef):
                defined[node.name] += 1
            elif isinstance(node, ast.Assign | ast.AnnAssign):
                targets = node.targets if isinstance(node, ast.Assign) else [node.target]
                names = [name for target in targets for name in ast.walk(target)]
                defined.update(name.id for name in names if isinstance(name, ast.Name))
    assert len(defined) > 50
    assert set(defined.values()) == {1}


def test_the_licence_is_that_of_jaxnet() -> None:
    assert (Path(__file__).parent.parent / "LICENSE").read_text("utf-8") == LICENSE


def test_as_a_program_it_prints_csv(names: Names, tmp_path: Path, capsys: Any) -> None:
    photo = tmp_path / "photo.png"
    Image.new("RGB", (9, 9), "red").save(photo)
    assert names["NETWORK"].run([str(photo), str(tmp_path / "none.png")]) == 2
    printed = capsys.readouterr()
    [probability] = names["predict_files"]([photo])
    class_ = "cät" if probability > 0.5 else "non-cat"
    assert printed.out.splitlines() == [
        "picture,positive,probability,class",
        f"{photo},cät,{float(probability)},{class_}",
    ]
    assert printed.err.startswith("refused: there is no ")
    assert names["NETWORK"].run([]) == 2
    assert names["NETWORK"].run(["--help"]) == 0


@pytest.mark.parametrize(("b2", "class_"), [(-0.1, "dog"), (0.1, "cat")])
def test_the_class_is_the_more_probable_one(
    b2: float, class_: str, tmp_path: Path, capsys: Any
) -> None:
    shapes = {"W1": (1, 1), "b1": (1, 1), "W2": (1, 1)}
    params = {name: np.zeros(shape, np.float32) for name, shape in shapes.items()}
    params["b2"] = np.full((1, 1), b2, np.float32)
    write_numpy(
        Model(jax.device_put(params), Preprocessing(1, 1), ("dog", "cat")), tmp_path / "model.py"
    )
    Image.new("RGB", (9, 9)).save(tmp_path / "photo.png")
    network = runpy.run_path(str(tmp_path / "model.py"))["NETWORK"]
    assert network.run([str(tmp_path / "photo.png")]) == 0
    probability, shown = capsys.readouterr().out.splitlines()[1].split(",")[2:]
    assert float(probability) == pytest.approx(1 / (1 + np.exp(-b2)))
    assert shown == class_


def test_it_runs_in_a_process_without_jaxnet(
    file: Path, names: Names, tmp_path: Path, images: np.ndarray
) -> None:
    Image.fromarray(images[0]).save(tmp_path / "photo.png")
    command = [sys.executable, "-I", str(file), "photo.png"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=True)
    shown = float(done.stdout.splitlines()[1].split(",")[2])
    assert shown == pytest.approx(float(names["predict_files"]([tmp_path / "photo.png"])[0]))
