"""`jaxnet page`: the offline page on which a run's network is trained anew, in the browser."""

import dataclasses
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from jaxnet.commands import options
from jaxnet.commands.console import print_json, speak
from jaxnet.commands.run_data import Data, load_for_model, typed_options

if TYPE_CHECKING:
    from jaxnet.report.page.build import Written


def page(
    ctx: typer.Context,
    model: Annotated[Path, typer.Argument(help="A run folder, or a model file.")],
    data: Data = None,
    test: options.Test = None,
    positive: options.Positive = None,
    size: options.Size = None,
    count: options.Count = None,
    data_seed: options.DataSeed = 0,
    skip_bad: options.SkipBad = False,
    exclude_leaks: options.ExcludeLeaks = False,
    no_pictures: Annotated[
        bool,
        typer.Option(
            "--no-pictures",
            help="Leave the pictures out: keep weights, curves and the pictures' products only.",
        ),
    ] = False,
    open_it: Annotated[bool, typer.Option("--open", help="Show it in the browser.")] = False,
    as_json: options.Json = False,
) -> None:
    """Write page.html into a run folder: it trains the network on the run's pictures, offline."""
    import jax

    # The page's numbers are computed in float64.
    jax.config.update("jax_enable_x64", True)

    from jaxnet.report.page.build import PAGE_NAME, write_page
    from jaxnet.report.page.data import first_params
    from jaxnet.runs.model_file import load_model, load_settings

    network = load_model(model)
    start = first_params(network)
    console = speak(as_json)
    dataset, _, _ = load_for_model(ctx, console, model, network, load_settings(model))
    # The page says with which command to train alike, so it must name the data that it shows.
    typed = {name: ctx.params[name] for name in typed_options(ctx)}
    named = {name: str(v) if isinstance(v, Path) else v for name, v in typed.items()}
    network = dataclasses.replace(network, settings=network.settings | named)
    path = (model if model.is_dir() else model.parent) / PAGE_NAME
    written = write_page(path, network, start, dataset, pictures=not no_pictures)
    for line in describe_page(path, written):
        console.print(line)
    if as_json:
        print_json({"written": str(path), **written._asdict()})
    if open_it:
        import webbrowser

        webbrowser.open(path.absolute().as_uri())


def describe_page(path: Path, written: "Written") -> list[str]:
    """Say what was written, and what is to be known about it, a line each."""
    lines = [f"written: {path} ({written.size / 1e6:.1f} MB)"]
    if written.shown < written.of:
        lines.append(
            f"it trains on a sample of {written.shown} of the {written.of:,} pictures, each class "
            "in its share, so its numbers differ from the run's"
        )
    if written.pictures:
        lines.append(
            "it holds the pictures: give it only to those who may have them "
            f"(jaxnet page {path.parent} --no-pictures leaves them out)"
        )
    return lines
