"""`jaxnet data`: show the contents of a data set."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.console import Console

from jaxnet.commands.data_in_files import show_large, write_large
from jaxnet.commands.options import OUTPUT, Force, Given, Json, expanded, with_options
from jaxnet.commands.show_data import load_and_show
from jaxnet.data.preprocessing import Preprocessing
from jaxnet.data.source import SOURCES, DataSource
from jaxnet.io.files import require_free
from jaxnet.report.console import print_json, speak

if TYPE_CHECKING:
    from jaxnet.data.listed import Listing


@with_options("data", "pixel_scale", options=DataSource, columns=Preprocessing)
def data(
    options: Given,
    columns: Given,
    source: Annotated[str, typer.Argument(help=SOURCES)] = "sketches",
    sheet: Annotated[
        Path | None,
        typer.Option(
            callback=expanded,
            help="Draw examples into this PNG file, in colour and as the network's input.",
            rich_help_panel=OUTPUT,
        ),
    ] = None,
    write: Annotated[
        Path | None,
        typer.Option(
            callback=expanded,
            help="Write the data into this HDF5 file, in the article's layout.",
            rich_help_panel=OUTPUT,
        ),
    ] = None,
    force: Force = False,
    as_json: Json = False,
) -> None:
    """Show the shapes, classes and values of a data set, and problems such as duplicates."""
    for path in (sheet, write):
        if path is not None:
            require_free(path, force)
    console, chosen = speak(as_json), DataSource(source, **options)

    from jaxnet.data.load import list_pictures

    listing = list_pictures(chosen)
    answer = _without_loading(console, chosen, listing, write, force=force, draws=sheet is not None)
    if answer is not None:
        if as_json:
            print_json(answer)
        return
    dataset, audit = load_and_show(console, chosen, listing=listing, draws=sheet is not None)

    from jaxnet.report.audit import describe_brightness
    from jaxnet.report.dataset import describe_dataset

    console.print(describe_brightness(audit))
    if sheet is not None:
        from jaxnet.data.preprocessing import preprocessing_for
        from jaxnet.report.figures.contact_sheet import plot_pictures
        from jaxnet.report.figures.save import save_figure

        figure = plot_pictures(dataset, preprocessing_for(dataset, **columns))
        save_figure(figure, sheet)
        console.print(f"written: {sheet}")
    if write is not None:
        from jaxnet.data.hdf5 import write_hdf5

        write_hdf5(write, dataset)
        console.print(f"written: {write}")
    if as_json:
        print_json(describe_dataset(dataset, audit))


def _without_loading(
    console: Console,
    chosen: DataSource,
    listing: "Listing | None",
    write: Path | None,
    *,
    force: bool,
    draws: bool,
) -> dict[str, Any] | None:
    """Write or show pictures that are too many to be loaded; return None if they are not."""
    from jaxnet.data.too_large import measure, open_if_large

    if listing is not None:
        if measure(chosen, listing).is_large:
            return write_large(console, listing, chosen, write, force=force, draws=draws)
        return None
    splits = open_if_large(chosen)
    if splits is not None:
        return show_large(console, splits, writes=write is not None, draws=draws)
    return None
