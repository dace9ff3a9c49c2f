"""`jaxnet page`: the offline page on which a run's network is trained anew, in the browser."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from jaxnet.commands.options import OUTPUT, Given, Json, expanded, with_options
from jaxnet.commands.show_data import load_and_show_for, show_stored
from jaxnet.data.source import DataSource
from jaxnet.errors import UsageError
from jaxnet.report.console import print_json, speak

if TYPE_CHECKING:
    from jaxnet.data.all_pictures import Data


@with_options(of_run=True, source=DataSource)
def page(
    source: Given,
    model: Annotated[
        Path | None,
        typer.Argument(
            metavar="[RUN]",
            callback=expanded,
            help="A run folder, or a model file; without it, the page begins empty.",
            show_default=False,
        ),
    ] = None,
    no_pictures: Annotated[
        bool,
        typer.Option(
            "--no-pictures",
            help="Leave the pictures out; keep the weights, curves and products of pictures.",
            rich_help_panel=OUTPUT,
        ),
    ] = False,
    open_it: Annotated[
        bool, typer.Option("--open", help="Open the page in the browser.", rich_help_panel=OUTPUT)
    ] = False,
    as_json: Json = False,
) -> None:
    """Write the page that trains the network of a run on its pictures, offline; or an empty one.

    Without a run, write empty-page.html here: it trains on pictures that are dropped on it or taken
    with the camera.
    """
    if model is None:
        if source or no_pictures:
            raise UsageError(
                "options of pictures are given without a run",
                "a run, whose page holds them; or none, and no such option",
                "name the run; on an empty page, drop the pictures themselves",
            )
        _write_empty(as_json=as_json, open_it=open_it)
        return
    from jaxnet.report.outputs import describe_page
    from jaxnet.report.page.build import PAGE_NAME, write_page
    from jaxnet.report.training import describe_ensemble
    from jaxnet.runs.run import first_params, load_run, open_if_large_for

    run = load_run(model)
    first_params(run)  # without them no page can be made, whatever the data
    console = speak(as_json)
    data: Data
    stored = open_if_large_for(run, **source)
    if stored is None:
        data, _ = load_and_show_for(console, run, source, draws=False)
    else:
        data = stored
        show_stored(console, run, stored)
    path = (model if model.is_dir() else model.parent) / PAGE_NAME
    written = write_page(path, run, data, pictures=not no_pictures)
    for line in (*describe_page(path, written), *describe_ensemble(run)):
        console.print(line)
    if as_json:
        print_json({"written": str(path), **written._asdict()})
    if open_it:
        import webbrowser

        webbrowser.open(path.absolute().as_uri())


def _write_empty(*, as_json: bool, open_it: bool) -> None:
    """Write the page that begins empty into this folder."""
    from jaxnet.report.page.build import EMPTY_PAGE_NAME, empty_page

    path = empty_page().save(EMPTY_PAGE_NAME)
    size = path.stat().st_size
    speak(as_json).print(
        f"{path}: drop two folders of pictures on it, or open the camera ({size / 1e6:.1f} MB)"
    )
    if as_json:
        print_json({"written": str(path), "size": size})
    if open_it:
        import webbrowser

        webbrowser.open(path.absolute().as_uri())
