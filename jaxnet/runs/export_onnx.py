"""A network as an ONNX graph: pictures of its own size in, probabilities out.

    images (N, h, w, 3) uint8 → Cast → grey or RGB → pixel scale → Xᵀ (N, n_x)
    → Gemm W1, b1 → activation → Gemm W2, b2 → Sigmoid → probability (N,)

The graph is written operator by operator, at an operator set and an IR version of 2020, which
onnxruntime reads from 1.7 on.
"""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from jaxnet import __version__
from jaxnet.data.pixels import LUMA
from jaxnet.errors import UsageError
from jaxnet.runs.model import Model

OPSET, IR_VERSION = 13, 7

INPUT, OUTPUT = "images", "probability"

# Pixels are divided by the first number, then the second is subtracted.
_SCALES = {"symmetric": (127.5, 1.0), "unit": (255.0, 0.0), "raw": (1.0, 0.0)}


def _import_onnx() -> Any:
    try:
        import onnx
    except ImportError as cause:
        raise UsageError(
            "ONNX is written with the package onnx, which is not installed",
            "the extra onnx of jaxnet",
            "install onnx, or choose another format",
        ) from cause
    return onnx


def write_onnx(model: Model, path: Path, texts: dict[str, str]) -> None:
    """Write a network as an ONNX file, which holds `texts` as its metadata.

    Raises:
        UsageError: If the package onnx is not installed.
    """
    onnx = _import_onnx()
    helper, how = onnx.helper, model.preprocessing
    dtype = np.dtype(model.params["W1"].dtype)
    number = helper.np_dtype_to_tensor_dtype(dtype)
    constants: dict[str, np.ndarray] = {}
    nodes = []

    def node(kind: str, inputs: Sequence[str], output: str, **options: float) -> str:
        nodes.append(helper.make_node(kind, inputs, [output], **options))
        return output

    def constant(name: str, value: Any, dtype: Any = dtype) -> str:
        constants[name] = np.ascontiguousarray(value, dtype)
        return name

    pixels = node("Cast", [INPUT], "pixels", to=number)
    if how.color == "gray":
        pixels = node("MatMul", [pixels, constant("luma", np.array(LUMA)[:, None])], "grey")
    X = node("Reshape", [pixels, constant("columns", [-1, how.n_x], np.int64)], "rows")  # (N, n_x)
    factor, offset = _SCALES[how.pixel_scale]
    if factor != 1:
        X = node("Div", [X, constant("factor", factor)], "divided")
    if offset:
        X = node("Sub", [X, constant("offset", offset)], "X")
    for layer, activation in enumerate((model.hidden.name, "sigmoid"), 1):
        names = [f"W{layer}", f"b{layer}"]
        W, b = (np.asarray(model.params[name]) for name in names)
        weighted = node("MatMul", [X, constant(names[0], W.T)], f"W{layer}X")
        Z = node("Add", [weighted, constant(names[1], b.ravel())], f"Z{layer}")
        if activation == "leaky_relu":  # LeakyRelu is not computed in float64 by onnxruntime
            X = node("Max", [Z, node("Mul", [Z, constant("slope", 0.01)], "leaked")], f"A{layer}")
        else:
            X = node({"relu": "Relu", "sigmoid": "Sigmoid"}[activation], [Z], f"A{layer}")
    node("Reshape", [X, constant("row", [-1], np.int64)], OUTPUT)

    shape = ("N", how.height, how.width, 3)
    graph = helper.make_graph(
        nodes,
        "jaxnet",
        [helper.make_tensor_value_info(INPUT, onnx.TensorProto.UINT8, shape)],
        [helper.make_tensor_value_info(OUTPUT, number, ("N",))],
        [onnx.numpy_helper.from_array(value, name) for name, value in constants.items()],
    )
    whole = helper.make_model(
        graph,
        opset_imports=[helper.make_opsetid("", OPSET)],
        ir_version=IR_VERSION,
        producer_name="jaxnet",
        producer_version=__version__,
        doc_string=f'The probability of "{model.classes[1]}" for RGB pictures of this size.',
    )
    helper.set_model_props(whole, texts)
    onnx.checker.check_model(whole, full_check=True)
    path.write_bytes(whole.SerializeToString())


def open_onnx(path: Path) -> tuple[Callable[[np.ndarray], np.ndarray], str]:
    """Open an ONNX file by onnxruntime, else by onnx's own evaluator.

    Returns:
        The function of images (m, h, w, 3) uint8 that it holds, and what runs it.
    """
    try:
        import onnxruntime
    except ImportError:
        onnx = _import_onnx()
        from onnx.reference import ReferenceEvaluator

        evaluator = ReferenceEvaluator(onnx.load(path))
        return lambda images: evaluator.run(None, {INPUT: images})[0], f"onnx {onnx.__version__}"
    session = onnxruntime.InferenceSession(path.read_bytes(), providers=["CPUExecutionProvider"])
    runner = f"onnxruntime {onnxruntime.__version__}"
    return lambda images: session.run(None, {INPUT: images})[0], runner
