"""`jaxnet export`: a trained network for other programs."""

from pathlib import Path
from typing import Annotated, Literal

import typer

from jaxnet.commands.options import Force, Json, RunArgument, file_option
from jaxnet.io.files import require_free
from jaxnet.report.console import print_json, show_progress, speak


def export(
    model: RunArgument,
    kind: Annotated[
        Literal["safetensors", "npz", "stablehlo", "onnx", "numpy"],
        typer.Option(
            "--format",
            help="The parameters (safetensors, npz), the function from pixels (stablehlo) or from "
            "pictures (onnx), or a Python file that predicts picture files (numpy).",
        ),
    ] = "safetensors",
    out: Annotated[
        Path | None,
        file_option("The file. \\[default: beside the model file]"),
    ] = None,
    force: Force = False,
    as_json: Json = False,
) -> None:
    """Write a trained network for other programs, and run what was written on pictures."""
    from jaxnet.io.names import MODEL_NAME
    from jaxnet.report.export import describe_export
    from jaxnet.report.json import to_json
    from jaxnet.runs.export import KINDS, export_model
    from jaxnet.runs.run import load_run
    from jaxnet.runs.sample import take_sample

    run = load_run(model)
    if out is None:
        out = (model / MODEL_NAME if model.is_dir() else model).with_suffix(KINDS[kind].suffix)
    require_free(out, force)
    sample = take_sample(run, track=show_progress)
    exported = export_model(run.model, out, kind, sample.images)
    for line in describe_export(exported, run.model, sample.source):
        speak(as_json).print(line)
    if as_json:
        answer = to_json(exported)
        print_json({"written": answer.pop("path"), "format": answer.pop("kind"), **answer})
