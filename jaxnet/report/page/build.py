"""Fill the offline page: style, modules and data in one file that asks for nothing more.

The modules are plain ES modules. Node and a reader see them as they are; the page takes them as one
script, in the order of MODULES, without their imports and without the word `export` at the start
of a line. So an import keeps the names as they are, and no two modules share a top-level name.
"""

import base64
import hashlib
import importlib.resources
import json
import re
from pathlib import Path
from typing import NamedTuple

import numpy as np

from jaxnet.data.dataset import Dataset
from jaxnet.io.files import write_whole
from jaxnet.network import Params
from jaxnet.report.page.data import PageData, collect
from jaxnet.runs.model_file import Model

PAGE_NAME = "page.html"

# A module imports only from modules before it.
MODULES = (
    "engine.js",
    "draw.js",
    "data.js",
    "settings.js",
    "starts.js",
    "lesson.js",
    "resample.js",
    "strings.js",
    "dom.js",
    "colors.js",
    "formulas.js",
    "command.js",
    "transport.js",
    "setup.js",
    "scores.js",
    "charts.js",
    "curves.js",
    "diagram.js",
    "matrix.js",
    "units.js",
    "pictures.js",
    "chosen.js",
    "photo.js",
    "address.js",
    "play.js",
    "frame.js",
    "main.js",
)

# The types of arrays by the names that JavaScript's typed arrays have.
TYPES = {"float64": "Float64Array", "float32": "Float32Array", "uint8": "Uint8Array"}


class Written(NamedTuple):
    """What was written.

    Attributes:
        size: Its size in bytes.
        shown: How many pictures it trains and tests on,
        of: of how many.
        pictures: Whether it holds these pictures.
    """

    size: int
    shown: int
    of: int
    pictures: bool


def write_page(
    path: Path, model: Model, start: Params, dataset: Dataset, *, pictures: bool = True
) -> Written:
    """Write the page of a run, whole or not at all.

    Args:
        path: Where to.
        model: The trained network of the run.
        start: The parameters that its training started from.
        dataset: The pictures that it was trained and tested on.
        pictures: Whether the pictures themselves are carried, too.

    Raises:
        UsageError: If it cannot be written there.
    """
    data = collect(model, start, dataset, pictures=pictures)
    page = fill(data).encode()
    with write_whole(path) as temporary:
        temporary.write_bytes(page)
    splits = data.header["splits"].values()
    shown, of = (sum(split[count] for split in splits) for count in ("m", "of"))
    return Written(len(page), shown, of, pictures)


def fill(data: PageData) -> str:
    """Make the page: its policy allows the script and the style in it, and no request at all."""
    style, script = _source("style.css"), join_modules()
    policy = (
        f"default-src 'none'; script-src '{_hash(script)}'; style-src '{_hash(style)}'; "
        "base-uri 'none'; form-action 'none'"
    )
    parts = {"policy": policy, "style": style, "script": script, "data": encode(data)}
    return re.sub(r"\{\{(\w+)\}\}", lambda hole: parts[hole[1]], _source("template.html"))


def encode(data: PageData) -> str:
    """Write the data as JSON; all names in it are in base64, and so can never become markup."""
    arrays = {
        name: {"type": TYPES[array.dtype.name], "shape": array.shape, "bytes": _base64(array)}
        for name, array in data.arrays.items()
    }
    header = json.dumps(data.header, allow_nan=False).encode()
    return json.dumps({"header": base64.b64encode(header).decode(), "arrays": arrays})


def join_modules() -> str:
    """Join the modules to one script."""
    texts = (re.sub(r"^import [^;]*;\n", "", _source(name), flags=re.MULTILINE) for name in MODULES)
    return re.sub(r"^export ", "", "\n".join(texts), flags=re.MULTILINE)


def _source(name: str) -> str:
    return (importlib.resources.files(__package__) / name).read_text(encoding="utf-8")


def _hash(text: str) -> str:
    return f"sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}"


def _base64(array: np.ndarray) -> str:
    little = array.astype(array.dtype.newbyteorder("<"))
    return base64.b64encode(little.tobytes()).decode()
