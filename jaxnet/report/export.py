"""A network in another format, or from elsewhere, in words."""

from pathlib import Path

from jaxnet.io.names import MODEL_NAME
from jaxnet.runs.export import Exported
from jaxnet.runs.export_onnx import INPUT, IR_VERSION, OPSET, OUTPUT
from jaxnet.runs.imports import Imported
from jaxnet.runs.model import Model


def describe_export(exported: Exported, model: Model, source: str) -> list[str]:
    """Say what was written, how it was verified, and how it is used, a line each.

    Args:
        exported: What was written.
        model: The network.
        source: Where the pictures are from on which it was run.
    """
    lines = [
        f"written: {exported.path}, verified against the network",
        f"on {exported.pictures} pictures ({source}) the largest deviation of a probability is "
        f"{exported.deviation:.2g}; run by {exported.run_by}",
    ]
    if exported.kind == "onnx":
        how = model.preprocessing
        dtype = model.params["W1"].dtype
        lines.append(
            f"input {INPUT} (N, {how.height}, {how.width}, 3) uint8, RGB; output {OUTPUT} (N,) "
            f"{dtype}; operator set {OPSET}, IR version {IR_VERSION}"
        )
    if exported.kind == "numpy":
        lines.append(f"to predict: python {exported.path} photo.jpg")
    return lines


def describe_import(imported: Imported, folder: Path) -> list[str]:
    """Say what was imported, how it was verified, and how it is used, a line each."""
    model = imported.model
    n_h, n_x = model.params["W1"].shape
    lines = [
        f"{n_x:,} inputs, {n_h:,} units ({model.hidden.name}), 1 output, "
        f"{model.params['W1'].dtype}: {', '.join(imported.arrays)}"
    ]
    if imported.outputs == 2:
        lines.append("two outputs became one: a softmax is a sigmoid of their difference")
    return [
        *lines,
        f"written: {folder / MODEL_NAME}, verified against its arrays",
        f"on {imported.pictures} drawn sketches the largest deviation of a probability is "
        f"{imported.deviation:.2g}",
        f"to score it: jaxnet evaluate {folder} --data DATA",
    ]
