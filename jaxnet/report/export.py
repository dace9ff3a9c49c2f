"""A network in another format, in words."""

from jaxnet.runs.export import Exported
from jaxnet.runs.export_onnx import INPUT, IR_VERSION, OPSET, OUTPUT
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
