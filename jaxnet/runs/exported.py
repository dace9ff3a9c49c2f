"""Read networks that `export_model` wrote as safetensors or npz: parameters, with texts beside."""

import json
from collections.abc import Mapping
from pathlib import Path

import numpy as np

from jaxnet.activations import Activation
from jaxnet.arrays import PARAM_NAMES, check_params
from jaxnet.errors import DataError, ModelFileError
from jaxnet.io.bounded_hdf5 import verify_parts
from jaxnet.io.bounded_npz import NPZ, read_headers, read_member
from jaxnet.io.bounded_tensors import SAFETENSORS, open_tensors
from jaxnet.runs.model import Model, params_from, preprocessing_from

READABLE = (NPZ, SAFETENSORS)  # kinds of content

TEXTS = ("activation", "classes", "preprocessing")


def read_exported(path: Path, content: str, activations: Mapping[str, Activation]) -> Model:
    """Read the network in an export.

    Args:
        path: The file.
        content: One of `READABLE`.
        activations: The activations that are known, by name.

    Raises:
        ModelFileError: If it is no export of jaxnet, or contradicts itself.
    """
    arrays, texts = (_read_npz if content == NPZ else _read_safetensors)(path)
    missing = [name for name in (*PARAM_NAMES, *TEXTS) if name not in {**arrays, **texts}]
    if missing:
        raise ModelFileError(
            f"{path} is {content} without {', '.join(missing)}",
            "a model file, or a network that jaxnet exported",
            "give the folder of a run, or its model.h5",
        )
    with verify_parts("an exported network", path, "export it again"):
        check_params(arrays)
        negative, positive = json.loads(texts["classes"])
        preprocessing = preprocessing_from(json.loads(texts["preprocessing"]))
        if texts["activation"] not in activations:
            raise ValueError(f'the activation "{texts["activation"]}" is unknown')
        hidden = activations[texts["activation"]]
        return Model(params_from(arrays), preprocessing, (negative, positive), hidden)


def _read_npz(path: Path) -> tuple[dict[str, np.ndarray], dict[str, str]]:
    try:
        held = read_headers(path).keys()
        arrays = {name: read_member(path, name) for name in PARAM_NAMES if name in held}
        texts = {name: str(read_member(path, name)) for name in TEXTS if name in held}
    except DataError as cause:
        raise ModelFileError(cause.found, cause.expected, cause.remedy) from cause
    return arrays, texts


def _read_safetensors(path: Path) -> tuple[dict[str, np.ndarray], dict[str, str]]:
    with open_tensors(path, ModelFileError) as file:
        held = set(file.keys())
        arrays = {name: file.get_tensor(name) for name in PARAM_NAMES if name in held}
        return arrays, file.metadata() or {}


def read_tensors(path: Path) -> dict[str, np.ndarray]:
    """Read all arrays of a safetensors file, by name.

    Raises:
        ModelFileError: If it is damaged, or one is of a type that NumPy does not have.
    """
    with open_tensors(path, ModelFileError) as file:
        for name in file.keys():  # noqa: SIM118, since the file is no mapping
            kind = file.get_slice(name).get_dtype()
            if kind not in ("F16", "F32", "F64") and not kind.startswith(("I", "U", "BOOL")):
                raise ModelFileError(
                    f"{name} in {path} is of type {kind}",
                    "float32 or float64",
                    "convert it before it is saved: net.float()",
                )
        return {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
