"""Build the offline page: style, modules and data in one file that requests nothing else.

The modules are plain ES modules, which Node runs as they are. The page holds them as one script, in
the order of their imports, without these and without the word `export` at the start of a line. So
an import must not rename anything, and no two modules may share a top-level name.
"""

import base64
import graphlib
import hashlib
import importlib.resources
import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

import numpy as np

from jaxnet.data.all_pictures import Data
from jaxnet.errors import require_integer
from jaxnet.io.files import write_whole
from jaxnet.report.page.data import PageData, collect, collect_nothing
from jaxnet.runs.page import Page
from jaxnet.runs.run import Run

PAGE_NAME = "page.html"
EMPTY_PAGE_NAME = "empty-page.html"

# The types of arrays by the names that JavaScript's typed arrays have.
TYPES = {"float64": "Float64Array", "float32": "Float32Array", "uint8": "Uint8Array"}


# The import of another module; it may take several lines.
IMPORT = re.compile(r'^import [^;]* from "\./([\w.]+)";\n', re.MULTILINE)


class Written(NamedTuple):
    """Facts about a page that was written.

    Attributes:
        size: Its size in bytes.
        shown: The number of pictures that it trains and tests on.
        of: The number of pictures in the data.
        pictures: Whether it holds these pictures.
    """

    size: int
    shown: int
    of: int
    pictures: bool


def write_page(path: Path, run: Run, dataset: Data, *, pictures: bool = True) -> Written:
    """Write the page of a run, whole or not at all.

    Args:
        path: The file to write.
        run: The run.
        dataset: The pictures that the page trains and tests on, as a rule those of the run: a
            `Dataset`, or what `open_splits` returns, of which the page takes a sample.
        pictures: Whether the pictures themselves are carried, too.

    Raises:
        DataError: If the pictures cannot be used.
        UsageError: If the run does not say how its initial weights were drawn, the page does not
            have its activation, or the file cannot be written.
    """
    data = collect(run, dataset, pictures=pictures)
    page = fill(data).encode()
    with write_whole(path) as temporary:
        temporary.write_bytes(page)
    splits = data.header["splits"].values()
    shown, of = (sum(split[count] for split in splits) for count in ("m", "of"))
    return Written(len(page), shown, of, pictures)


def make_page(run: Run, dataset: Data, *, pictures: bool = True) -> str:
    """Make the page of a run, as `write_page` writes it."""
    return fill(collect(run, dataset, pictures=pictures))


def empty_page(height: int = 720) -> Page:
    """Make a page without a run: it trains on pictures that are dropped on it or taken there.

    Nothing leaves it. What it trained it keeps as a file, which `load_run` reads.

    Args:
        height: In a notebook, in pixels.
    """
    require_integer("height", height, 100, 10_000)
    return Page(fill(collect_nothing()), height)


def fill(data: PageData) -> str:
    """Fill the template; its policy allows its own script, also in a worker, and style."""
    style, script = _source("style.css"), join_modules()
    policy = (
        f"default-src 'none'; script-src '{_hash(script)}'; style-src '{_hash(style)}'; "
        "worker-src blob:; base-uri 'none'; form-action 'none'"
    )
    compact = json.dumps(
        json.loads(_source("lessons.json")), ensure_ascii=False, separators=(",", ":")
    )
    lessons = compact.replace("<", "\\u003c")
    parts = {"policy": policy, "style": style, "script": script, "lessons": lessons}
    parts["data"] = encode(data)
    return re.sub(r"\{\{(\w+)\}\}", lambda hole: parts[hole[1]], _source("template.html"))


def encode(data: PageData) -> str:
    """Write the data as JSON, all names in base64, so that none can become markup."""
    arrays = {
        name: {"type": TYPES[array.dtype.name], "shape": array.shape, "bytes": _base64(array)}
        for name, array in data.arrays.items()
    }
    header = json.dumps(data.header, allow_nan=False).encode()
    return json.dumps({"header": base64.b64encode(header).decode(), "arrays": arrays})


def read_modules() -> dict[str, str]:
    """Read the source of every module, by its name."""
    files = importlib.resources.files(__package__).iterdir()
    names = sorted(file.name for file in files if file.name.endswith(".js"))
    return {name: _source(name) for name in names}


def join_modules(modules: Mapping[str, str] | None = None) -> str:
    """Join modules, by default those of the page, to one script, each after those it imports.

    Raises:
        graphlib.CycleError: If modules import each other; it names them.
    """
    modules = read_modules() if modules is None else modules
    imports = {name: IMPORT.findall(source) for name, source in modules.items()}
    order = graphlib.TopologicalSorter(imports).static_order()
    script = "\n".join(IMPORT.sub("", modules[name]) for name in order)
    return re.sub(r"^export ", "", script, flags=re.MULTILINE)


def _source(name: str) -> str:
    return (importlib.resources.files(__package__) / name).read_text(encoding="utf-8")


def _hash(text: str) -> str:
    return f"sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}"


def _base64(array: np.ndarray) -> str:
    little = array.astype(array.dtype.newbyteorder("<"))
    return base64.b64encode(little.tobytes()).decode()
