"""Read what an empty page trained and kept: a run, with its pictures in the same file.

A safetensors file. Its tensors: W1, b1, W2, b2, float64, as in an export, so that any reader of
safetensors has the weights; first/W1 and so on, the initial weights; span/C, span/s and span/Z1,
the state of the descent in the span of the pictures; train/images (m, h, w, 3) and train/labels
(m,), uint8, and likewise of the test split if there is one; train/costs, (iterations + 1,), and
train/correct. Its texts: format, format_version, activation, classes, preprocessing, settings,
outcome, prng, used, crc32 (of all numbers).
"""

import json
from pathlib import Path
from typing import Any, NamedTuple

import jax
import numpy as np

from jaxnet.data.kept import read_kept
from jaxnet.data.source import DataSource
from jaxnet.devices import at_precision
from jaxnet.errors import ModelFileError
from jaxnet.io.attributes import Value
from jaxnet.io.bounded_hdf5 import verify_parts
from jaxnet.io.bounded_tensors import PAGE_RUN, open_tensors, require_undamaged
from jaxnet.runs.checkpoint import Checkpoint
from jaxnet.runs.model import Model
from jaxnet.settings import Settings
from jaxnet.training import choose_basis


class Kept(NamedTuple):
    """What such a file holds beside the network."""

    checkpoint: Checkpoint
    settings: Settings
    data_source: DataSource
    origin: dict[str, Value]


def read_page_file(path: Path, model: Model) -> Kept | None:
    """Read what a page kept beside its network; None if the file is an export.

    Raises:
        ModelFileError: If it is damaged or contradicts itself.
    """
    with open_tensors(path, ModelFileError) as file:
        texts = file.metadata() or {}
        if texts.get("format") != PAGE_RUN:
            return None
        require_undamaged(path, texts, ModelFileError)
        arrays = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
    with verify_parts("a training that a page kept", path, "keep it again"):
        settings = Settings(**json.loads(texts["settings"]))
        costs = arrays["train/costs"]
        checkpoint = _checkpoint(arrays, model, settings, costs[:-1])
        data = read_kept(path)
        origin: dict[str, Value] = {
            "data": data.source,
            "train_pictures": len(data.train.labels),
            "sha256": data.sha256,
            "train_sha256": data.train_sha256,
            "prng": texts["prng"],
            # Fewer iterations than the run was asked for: it can always go on.
            "outcome": "stopped" if texts["outcome"] == "unfinished" else texts["outcome"],
        }
    return Kept(checkpoint, settings, DataSource(str(path)), origin)


def _checkpoint(
    arrays: dict[str, Any], model: Model, settings: Settings, costs: np.ndarray
) -> Checkpoint:
    """Put the state of the page's descent into the basis that jaxnet goes on in."""
    optimizer = settings.make_optimizer()
    m = arrays["train/labels"].size
    basis = choose_basis(settings.basis, optimizer, model.preprocessing.n_x, m)
    names = ("b1", "W2", "b2")
    state = {name: arrays[name] for name in names}
    state |= {"C": arrays["span/C"]} if basis == "span" else {"W1": arrays["W1"]}
    if basis == "span" and settings.weight_decay:
        state["s"] = arrays["span/s"]
    with at_precision(settings.precision):
        memory = tuple(
            np.asarray(leaf) for leaf in jax.tree.leaves(optimizer.init(jax.device_put(state)))
        )
    kept = Checkpoint(model.params, costs, basis, state, memory)
    if basis == "pixels":
        return kept
    return kept._replace(W1=arrays["first/W1"], Z1=arrays["span/Z1"])
