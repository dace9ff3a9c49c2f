"""`jaxnet export`: a trained network for other programs."""

from pathlib import Path
from typing import Annotated, Literal

import typer

from jaxnet.commands.options import OUTPUT, Force, Json, RunArgument, expanded
from jaxnet.io.files import require_free
from jaxnet.report.console import print_json, speak


def export(
    model: RunArgument,
    kind: Annotated[
        Literal["safetensors", "npz", "stablehlo"],
        typer.Option(
            "--format", help="The parameters (safetensors, npz) or the whole function (stablehlo)."
        ),
    ] = "safetensors",
    out: Annotated[
        Path | None,
        typer.Option(
            callback=expanded,
            help="The file. \\[default: beside the model file]",
            show_default=False,
            rich_help_panel=OUTPUT,
        ),
    ] = None,
    force: Force = False,
    as_json: Json = False,
) -> None:
    """Write a trained network for other programs, and verify what was written."""
    from jaxnet.io.names import MODEL_NAME
    from jaxnet.runs.export import export_model
    from jaxnet.runs.model_file import load_model

    network = load_model(model)
    if out is None:
        out = (model / MODEL_NAME if model.is_dir() else model).with_suffix(f".{kind}")
    require_free(out, force)
    export_model(network, out, kind)
    speak(as_json).print(f"written: {out}, verified against the network")
    if as_json:
        print_json({"written": str(out), "format": kind, "bytes": out.stat().st_size})
