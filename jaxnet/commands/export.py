"""`jaxnet export`: a trained network for other programs."""

from pathlib import Path
from typing import Annotated, Literal

import typer

from jaxnet.commands import options
from jaxnet.commands.console import print_json, require_free, speak


def export(
    model: Annotated[Path, typer.Argument(help="A run folder, or a model file.")],
    kind: Annotated[
        Literal["safetensors", "npz", "stablehlo"],
        typer.Option("--format", help="Parameters (safetensors, npz) or the whole function."),
    ] = "safetensors",
    out: Annotated[
        Path | None,
        typer.Option(help="The file. \\[default: beside the model file]", show_default=False),
    ] = None,
    force: options.Force = False,
    as_json: options.Json = False,
) -> None:
    """Write a trained network for other programs, and verify what was written."""
    import jax

    # A model keeps its own precision; this only allows float64.
    jax.config.update("jax_enable_x64", True)

    from jaxnet.runs.export import export_model
    from jaxnet.runs.folder import MODEL_NAME
    from jaxnet.runs.model_file import load_model

    network = load_model(model)
    if out is None:
        out = (model / MODEL_NAME if model.is_dir() else model).with_suffix(f".{kind}")
    require_free(out, force)
    export_model(network, out, kind)
    speak(as_json).print(f"written: {out}, verified against the network")
    if as_json:
        print_json({"written": str(out), "format": kind, "bytes": out.stat().st_size})
