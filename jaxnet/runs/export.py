"""A trained network for other programs: safetensors, NumPy's npz, or StableHLO.

safetensors and npz hold W1, b1, W2 and b2; with them, as text, the classes, the activation and how
pictures become columns. StableHLO holds the whole function from X (n_x, m), any m, to the
probabilities A2 (1, m), for CPU, CUDA and TPU; `jax.export.deserialize` reads it without jaxnet.
"""

import json
import math
from collections.abc import Callable
from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np
import safetensors.numpy
from jax import export

from jaxnet.devices import at_precision
from jaxnet.errors import ModelFileError, require_choice
from jaxnet.io.files import write_whole
from jaxnet.network import forward
from jaxnet.runs.model import Model, preprocessing_attributes

PLATFORMS = ("cpu", "cuda", "tpu")


def export_model(model: Model, path: str | Path, kind: str) -> None:
    """Write a network in another format, once what was written is verified against the network.

    Args:
        model: The network.
        path: Where to; an older file is replaced.
        kind: "safetensors", "npz" or "stablehlo".

    Raises:
        UsageError: If the kind is none of these, or it cannot be written there.
        ModelFileError: If what was written is not the network.
    """
    require_choice("kind", kind, KINDS)
    write, verify = KINDS[kind]
    with at_precision(model.params["W1"].dtype), write_whole(path) as temporary:
        write(model, temporary)
        if not verify(model, temporary):
            raise ModelFileError(
                f"the {kind} file does not contain the same network",
                "the same parameters, or the same probabilities, when the file is read back",
                "use another format, and report this as a bug of jaxnet",
            )


def _describe(model: Model) -> dict[str, str]:
    """Say in texts what is needed beside the parameters."""
    return {
        "classes": json.dumps(model.classes),
        "activation": model.hidden.name,
        "preprocessing": json.dumps(preprocessing_attributes(model.preprocessing)),
    }


def _arrays(model: Model) -> dict[str, np.ndarray]:
    return {name: np.ascontiguousarray(leaf) for name, leaf in model.params.items()}


def _write_safetensors(model: Model, path: Path) -> None:
    safetensors.numpy.save_file(_arrays(model), path, metadata=_describe(model))


def _verify_safetensors(model: Model, path: Path) -> bool:
    with safetensors.safe_open(path, "numpy") as file:
        texts = file.metadata()
    return texts == _describe(model) and _same(model, safetensors.numpy.load_file(path))


def _write_npz(model: Model, path: Path) -> None:
    arrays = _arrays(model) | {name: np.array(text) for name, text in _describe(model).items()}
    with path.open("wb") as file:  # given a name, NumPy would append .npz to it
        np.savez(file, allow_pickle=False, **arrays)


def _verify_npz(model: Model, path: Path) -> bool:
    with np.load(path, allow_pickle=False) as file:
        texts = {name: str(file[name]) for name in _describe(model)}
        return texts == _describe(model) and _same(model, {n: file[n] for n in model.params})


def _same(model: Model, arrays: dict[str, np.ndarray]) -> bool:
    """Say whether the arrays are the parameters, bit for bit."""
    return arrays.keys() == model.params.keys() and all(
        array.dtype == model.params[name].dtype and np.array_equal(array, model.params[name])
        for name, array in arrays.items()
    )


def _write_stablehlo(model: Model, path: Path) -> None:
    (m,) = export.symbolic_shape("m")
    X = jax.ShapeDtypeStruct((model.preprocessing.n_x, m), model.params["W1"].dtype)

    def probabilities(X: jax.Array) -> jax.Array:
        return forward(model.params, X, model.hidden).A2

    exported = export.export(jax.jit(probabilities), platforms=PLATFORMS)(X)
    path.write_bytes(exported.serialize())


def _verify_stablehlo(model: Model, path: Path) -> bool:
    """Compare the probabilities of one column and of thirty, to rounding."""
    exported = export.deserialize(bytearray(path.read_bytes()))
    params = {name: jnp.asarray(leaf) for name, leaf in model.params.items()}
    size = {name: np.abs(leaf) for name, leaf in model.params.items()}
    n_x, dtype = model.preprocessing.n_x, params["W1"].dtype
    draw = np.random.default_rng(0)
    for m in (1, 30):
        X = jnp.asarray(draw.uniform(-1, 1, (n_x, m)), dtype)
        ours = forward(params, X, model.hidden).A2
        # The n_x terms of Z1 may be added in another order; no slope that follows exceeds 1.
        terms = size["W2"] @ (size["W1"] @ np.abs(X) + size["b1"]) + size["b2"]
        bound = math.sqrt(n_x) * float(np.finfo(dtype).eps) * terms
        if not (np.abs(exported.call(X) - ours) <= bound).all():
            return False
    return True


KINDS: dict[str, tuple[Callable[[Model, Path], None], Callable[[Model, Path], bool]]] = {
    "safetensors": (_write_safetensors, _verify_safetensors),
    "npz": (_write_npz, _verify_npz),
    "stablehlo": (_write_stablehlo, _verify_stablehlo),
}
