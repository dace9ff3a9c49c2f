"""The command `jaxnet`."""

import sys
from typing import Annotated

import typer

from jaxnet import __version__
from jaxnet.commands import (
    check,
    data,
    evaluate,
    export,
    info,
    leave_one_out,
    page,
    predict,
    repeat,
    sweep,
    train,
)
from jaxnet.commands.translation import as_options
from jaxnet.report.console import err, out, run_command

# Names of 0.1.0, which work for one release.
RENAMED = {"--scale": "--pixel-scale", "--scales": "--weight-scales"}

app = typer.Typer(
    help="How a neural network learns: 4096 pixels → 8 ReLU → 1 sigmoid, in JAX.",
    no_args_is_help=True,
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
app.command("repeat")(repeat.repeat)
app.command("page")(page.page)
app.command("export")(export.export)
app.command("info")(info.info)


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


def with_new_names(words: list[str]) -> list[str]:
    """Replace options of 0.1.0 by their names of today, and say so."""
    replaced = []
    for word in words:
        name, equals, value = word.partition("=")
        if name in RENAMED:
            err.print(
                f"{name} is called {RENAMED[name]} now; the old name works in this release only",
                style="yellow",
            )
            replaced.append(RENAMED[name] + equals + value)
        else:
            replaced.append(word)
    return replaced


def main() -> None:
    """Run the command line."""
    run_command(lambda: app(with_new_names(sys.argv[1:])), as_options)
