"""What tests share: strict JAX, float64 on request, a tiny network, pictures, the real cats."""

import functools
import os
import re
import sys
import tempfile
from importlib.metadata import version

# Most of the time of the tests is compiling. Of the same graph XLA makes machine code in less time
# with its older code generator for the CPU, in one piece instead of one for each core, and without
# most of LLVM's optimizations, which halves it. Then programs run more slowly: tests that compare
# bits, or train for long, are marked as `optimized`. All this is asked for before JAX starts, so
# that processes that tests start ask for it, too. An unknown flag ends a process: the flags are
# given where they are known to exist. `XLA_FLAGS= pytest …` tests the code that users run.
if os.environ.get("XLA_FLAGS") != "":
    os.environ["JAX_DISABLE_MOST_OPTIMIZATIONS"] = "true"
    if version("jaxlib").startswith("0.10."):
        os.environ.setdefault(
            "XLA_FLAGS",
            "--xla_cpu_use_fusion_emitters=false --xla_cpu_parallel_codegen_split_count=1",
        )

# The threads of OpenBLAS wait for each other by computing: with two, the logistic regression of an
# evaluation takes seven times the time of the processor.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

# Nobody reads from which lines of Python a program comes, and noting them for each operation takes
# some of the time of tracing.
os.environ.setdefault("JAX_TRACEBACK_IN_LOCATIONS_LIMIT", "0")

# A program that one test has compiled the others load, in whatever process they run, from a folder
# that lasts as long as pytest; JAX_COMPILATION_CACHE_DIR names one that is kept for the next time.
# pytest's own processes write into it (below), those that tests start read only. So the user's own
# cache of compiled programs is left alone.
if "JAX_COMPILATION_CACHE_DIR" not in os.environ:
    programs = tempfile.TemporaryDirectory(prefix="jaxnet-programs-")
    os.environ["JAX_COMPILATION_CACHE_DIR"] = programs.name
os.environ["JAX_PERSISTENT_CACHE_MIN_COMPILE_TIME_SECS"] = "1e9"
os.environ["JAX_PERSISTENT_CACHE_ENABLE_XLA_CACHES"] = "none"

from collections.abc import Callable, Generator, Iterator
from pathlib import Path
from typing import NamedTuple

import h5py
import jax
import jax.numpy as jnp
import numpy as np
import pytest
from jax._src.lru_cache import LRUCache
from PIL import Image

from jaxnet.data import recipe2
from jaxnet.data.dataset import Dataset
from jaxnet.data.download import FILES, FOLDER_VARIABLE
from jaxnet.data.kinds import Kind
from jaxnet.network import Params, init_params

pytest_plugins = ["browser", "engine"]

jax.config.update("jax_numpy_rank_promotion", "raise")
jax.config.update("jax_persistent_cache_min_compile_time_secs", 0.0)

_put = LRUCache.put


DOCS = Path(__file__).parent.parent / "docs"


def cells(page: str) -> list[tuple[str, str]]:
    """List the head and the code of each cell of a page of docs/."""
    text = (DOCS / page).read_text(encoding="utf-8")
    parts = r"^```\{code-cell\} ipython3\n(---\n.*?^---\n)?(.*?)^```$"
    return re.findall(parts, text, re.DOTALL | re.MULTILINE)


def put_whole(self: LRUCache, key: str, value: bytes) -> None:
    """Write an entry so that no other process reads a part of it, which JAX guards by locks."""
    if self.eviction_enabled:
        _put(self, key, value)
    else:
        part = self.path / f"{key}.{os.getpid()}"
        part.write_bytes(value)
        part.replace(self.path / f"{key}-cache")


LRUCache.put = put_whole  # type: ignore[method-assign]


@functools.lru_cache(256)
def paint_once(keys: bytes, kind: Kind) -> np.ndarray:
    """Paint a block of the sketches, 0.2 s of which most tests that train need the same."""
    return PAINT(np.frombuffer(keys, np.uint32).reshape(-1, 2), kind)


PAINT = recipe2._paint
recipe2._paint = lambda keys, kind: paint_once(keys.tobytes(), kind)

QUICKLY = "JAX_DISABLE_MOST_OPTIMIZATIONS"
AS_USERS = os.environ.get("XLA_FLAGS") == ""

# What the tests start with; asked for here, since the fixture x64 changes the answer.
WIDE = jax.config.values["jax_enable_x64"]


def is_optimized(item: pytest.Item) -> bool:
    return AS_USERS or item.get_closest_marker("optimized") is not None


@pytest.hookimpl(wrapper=True)
def pytest_make_collect_report(
    collector: pytest.Collector,
) -> Generator[None, pytest.CollectReport, pytest.CollectReport]:
    """Let the second process read the test files from the last one on.

    To prepare the assertions of a file takes longer than to run many of its tests. A process finds
    what the other has prepared, so each prepares half.
    """
    report = yield
    if isinstance(collector, pytest.Directory) and os.environ.get("PYTEST_XDIST_WORKER") == "gw1":
        report.result.reverse()
    return report


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Run the optimized tests of a module one after the other, since each change compiles anew."""
    items.sort(key=lambda item: (item.path, is_optimized(item)))


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_setup(item: pytest.Item) -> None:
    """Compile quickly or optimize; JAX would use a program of the other kind if it had one."""
    quickly = str(not is_optimized(item)).lower()
    if os.environ.get(QUICKLY, "false") != quickly:
        os.environ[QUICKLY] = quickly  # for the processes that tests start
        jax.config.update(QUICKLY.lower(), quickly == "true")
        jax.clear_caches()


@pytest.fixture(autouse=True)
def _heic_is_not_read(monkeypatch: pytest.MonkeyPatch) -> None:
    """Make the tests the same with and without the package for HEIC; those of HEIC undo it."""
    monkeypatch.setattr("jaxnet.data.pictures._reads_heic", lambda: False)


@pytest.fixture
def x64() -> Iterator[None]:
    """Allow float64 within a test."""
    with jax.enable_x64(True):
        yield


@pytest.fixture(scope="session")
def cats() -> Dataset:
    """The article's real pictures, where JAXNET_DATA_DIR names a folder that holds them."""
    folder = Path(os.environ.get(FOLDER_VARIABLE, ""))
    if FOLDER_VARIABLE not in os.environ or not all((folder / name).exists() for name in FILES):
        pytest.skip(f"{FOLDER_VARIABLE} names no folder with {', '.join(FILES)}")
    from jaxnet.data.load import load_dataset

    return load_dataset("catvnoncat")


class Problem(NamedTuple):
    """A tiny network with data: 5 features, 3 hidden units, 7 examples."""

    params: Params
    X: jax.Array
    Y: jax.Array
    weights: jax.Array


@pytest.fixture
def tiny(x64: None) -> Problem:
    """A 5–3–1 network and 7 examples in float64, with no Z1 near a kink."""
    draw = np.random.default_rng(1).normal
    params = init_params(jax.random.key(0), 5, 3, weight_scale=0.5, dtype=jnp.float64)
    biases = {"b1": jnp.asarray(draw(0, 0.5, (3, 1))), "b2": jnp.asarray(draw(0, 0.5, (1, 1)))}
    Y = jnp.asarray([[0.0, 1.0, 1.0, 0.0, 1.0, 0.0, 0.0]])
    weights = jnp.asarray([[1.0, 2.0, 0.5, 0.0, 3.0, 1.0, 0.25]])
    return Problem(params | biases, jnp.asarray(draw(size=(5, 7))), Y, weights)


@pytest.fixture
def images() -> np.ndarray:
    """Twelve 8 × 6 pictures of noise."""
    return np.random.default_rng(0).integers(0, 256, (12, 8, 6, 3), dtype=np.uint8)


@pytest.fixture
def h5(tmp_path: Path, images: np.ndarray) -> Callable[..., Path]:
    """Write the article's HDF5 layout; keywords replace datasets, None leaves one out."""

    def write(name: str = "both.h5", **changes: object) -> Path:
        layout = {
            "train_set_x": images[:8],
            "train_set_y": np.array([0, 1, 0, 1, 0, 1, 0, 1]),
            "test_set_x": images[8:],
            "test_set_y": np.array([0, 1, 1, 1]),
            "list_classes": np.array([b"non-cat", b"cat"]),
        } | changes
        with h5py.File(tmp_path / name, "w") as file:
            for key, value in layout.items():
                if value is not None:
                    file[key] = value
        return tmp_path / name

    return write


@pytest.fixture
def folder(tmp_path: Path, images: np.ndarray) -> Path:
    """A folder of pictures: six cats (PNG) that are bright, six dogs (PNG) that are dark."""
    for i, image in enumerate(images):
        name, offset = ("cat", 128) if i % 2 else ("dog", 0)
        path = tmp_path / "pets" / name / f"{i:02}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(image // 2 + np.uint8(offset)).save(path)
    return tmp_path / "pets"


class Result(NamedTuple):
    """What a command did."""

    code: int
    out: str
    err: str


@pytest.fixture
def undrawn(monkeypatch: pytest.MonkeyPatch) -> None:
    """Leave every figure empty, in a test of many commands whose figures other tests draw.

    The panels of the hidden units and of pictures, one each, take half of the time of a command.
    """
    for name in ("training._draw_units", "evaluation._draw_most_wrong"):
        monkeypatch.setattr(f"jaxnet.report.figures.{name}", lambda *_: None)
    for name in ("contact_sheet", "influence"):
        monkeypatch.setattr(f"jaxnet.report.figures.{name}.COLUMNS", 2)
    monkeypatch.setattr(
        "matplotlib.figure.Figure.savefig", lambda _, path, **options: Path(path).write_bytes(b"")
    )


@pytest.fixture
def jaxnet(
    monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str], tmp_path: Path
) -> Callable[..., Result]:
    """Run the command line in an empty folder."""
    from jaxnet.commands.main import main

    workplace = tmp_path / "workplace"
    workplace.mkdir()
    monkeypatch.chdir(workplace)

    def run(*arguments: object) -> Result:
        monkeypatch.setattr(sys, "argv", ["jaxnet", *map(str, arguments)])
        capfd.readouterr()
        try:
            main()
            code = 0
        except SystemExit as end:
            code = end.code if isinstance(end.code, int) else int(end.code is not None)
        finally:
            jax.config.update("jax_enable_x64", WIDE)
        return Result(code, *capfd.readouterr())

    return run
