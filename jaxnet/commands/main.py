"""The command `jaxnet`."""

from typing import Annotated

import typer

from jaxnet import __version__
from jaxnet.commands import (
    check,
    data,
    evaluate,
    export,
    leave_one_out,
    page,
    predict,
    sweep,
    train,
)
from jaxnet.commands.console import out, run_in_words

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
app.command("evaluate")(evaluate.evaluate)
app.command("check")(check.check)
app.command("leave-one-out")(leave_one_out.leave_one_out)
app.command("page")(page.page)
app.command("export")(export.export)


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
    """Run the command line."""
    run_in_words(app)
