"""Read the pictures in the file of a training that an empty page kept."""

import json
from pathlib import Path

from jaxnet.data.dataset import Dataset, Split
from jaxnet.errors import DataError
from jaxnet.io.bounded_tensors import PAGE_RUN, SAFETENSORS, open_tensors, require_undamaged
from jaxnet.io.files import COPY_AGAIN


def is_kept(path: Path, content: str) -> bool:
    """Return whether a file is of safetensors, by its content."""
    return content == SAFETENSORS


def read_kept(path: Path, test: Path | None = None, *, positive: str | None = None) -> Dataset:
    """Read the pictures that a page trained on, with those that it held out.

    A browser may decode a JPEG a level differently, so the page keeps the bytes themselves.

    Raises:
        DataError: If the file is damaged, of another kind, or another test split is given.
    """
    if test is not None:
        raise DataError(
            f"the test split {test} is given for {path}, which holds its own",
            "the file alone",
            "leave the test split out",
        )
    with open_tensors(path) as file:
        texts = file.metadata() or {}
        if texts.get("format") != PAGE_RUN:
            raise DataError(
                f"{path} is a safetensors file without pictures",
                "a training that an empty page of jaxnet kept",
                "give a file or a folder of pictures",
            )
        require_undamaged(path, texts)
        held = set(file.keys())
        splits = [
            Split(file.get_tensor(f"{name}/images"), file.get_tensor(f"{name}/labels"))
            for name in ("train", "test")
            if {f"{name}/images", f"{name}/labels"} <= held
        ]
    try:
        negative, name = json.loads(texts["classes"])
        train, *rest = splits
    except (KeyError, TypeError, ValueError) as cause:
        raise DataError(
            f"{path} lacks pictures, labels or classes", "a whole file", COPY_AGAIN
        ) from cause
    source = f"{path}, kept by an empty page"
    return Dataset(train, rest[0] if rest else None, (negative, name), source)
