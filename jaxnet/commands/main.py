"""The command `jaxnet`."""

import copy
import functools
import sys
from collections.abc import Callable
from typing import Annotated

import typer

from jaxnet import __version__
from jaxnet.commands import (
    card,
    check,
    cross_validate,
    data,
    evaluate,
    export,
    import_model,
    improve,
    info,
    learning_curve,
    leave_one_out,
    page,
    predict,
    repeat,
    sweep,
    train,
    tutor,
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


def _compiling_once(command: Callable[..., None]) -> Callable[..., None]:
    """Keep what a command compiles for the next one; in the command, so that help needs no JAX."""

    @functools.wraps(command)
    def called(**values: object) -> None:
        from jaxnet.compilation_cache import cache_programs

        cache_programs()
        command(**values)

    return called


COMMANDS: dict[str, Callable[..., None]] = {
    "data": data.data,
    "train": train.train,
    "sweep": sweep.sweep,
    "predict": predict.predict,
    "evaluate": evaluate.evaluate,
    "check": check.check,
    "cross-validate": cross_validate.cross_validate,
    "improve": improve.improve,
    "leave-one-out": leave_one_out.leave_one_out,
    "learning-curve": learning_curve.learning_curve,
    "repeat": repeat.repeat,
    "page": page.page,
    "export": export.export,
    "card": card.card,
    "import": import_model.import_,
    "tutor": tutor.tutor,
    "info": info.info,
}
for name, command in COMMANDS.items():
    app.command(name)(_compiling_once(command))


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
    run_command(lambda: _run(with_new_names(sys.argv[1:])), as_options)


def _run(words: list[str]) -> None:
    """Run a command; of the others Typer need not read the options, which takes a while."""
    named = [command for command in app.registered_commands if command.name in words[:1]]
    only = copy.copy(app)
    only.registered_commands = named or app.registered_commands
    only(words)
