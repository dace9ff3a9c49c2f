"""The command `jaxnet`."""

import os
import sys
from typing import Annotated

import typer

from jaxnet import __version__
from jaxnet.commands import data, predict, sweep, train
from jaxnet.commands.console import err, out
from jaxnet.errors import JaxnetError

app = typer.Typer(
    help="How a neural network learns: 4096 pixels → 8 ReLU → 1 sigmoid, in JAX.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode="rich",
    context_settings={"help_option_names": ["-h", "--help"]},
)
app.command("data")(data.data)
app.command("train")(train.train)
app.command("sweep")(sweep.sweep)
app.command("predict")(predict.predict)


def _print_version(asked: bool) -> None:
    if asked:
        out.print(f"jaxnet {__version__}")
        raise typer.Exit


@app.callback()
def _root(
    version: Annotated[
        bool,
        typer.Option(
            "--version", callback=_print_version, is_eager=True, help="Print the version."
        ),
    ] = False,
) -> None:
    pass


def main() -> None:
    """Run the command line; an error on purpose is told in words, not as a traceback."""
    # JAX would otherwise take three quarters of a GPU's memory at once.
    os.environ.setdefault("XLA_PYTHON_CLIENT_PREALLOCATE", "false")
    for stream in (sys.stdout, sys.stderr):
        # A name or a symbol that the terminal's encoding lacks is no reason to end.
        stream.reconfigure(errors="backslashreplace")  # type: ignore[union-attr]
    try:
        app()
    except (JaxnetError, OSError) as error:
        _tell(error)
        sys.exit(2)


def _tell(error: Exception) -> None:
    err.print("Error: ", end="", style="bold red")
    err.print(str(error))
