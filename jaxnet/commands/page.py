"""`jaxnet page`: the offline page on which a run's network is trained anew, in the browser."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.console import Console

from jaxnet.commands import options
from jaxnet.commands.console import print_json, speak
from jaxnet.errors import UsageError

if TYPE_CHECKING:
    from jaxnet.data.dataset import Dataset
    from jaxnet.page.build import Written
    from jaxnet.storage.model import Model


def page(
    model: Annotated[Path, typer.Argument(help="A run folder, or a model file.")],
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

    from jaxnet.page.build import PAGE_NAME, write_page
    from jaxnet.page.data import first_params
    from jaxnet.storage.model import load_model

    network = load_model(model)
    start = first_params(network)
    console = speak(as_json)
    dataset = _load_data(console, model, network)
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
            "it holds the pictures: give it only to those who may have them, or add --no-pictures"
        )
    return lines


def _load_data(console: Console, model: Path, network: "Model") -> "Dataset":
    """Load the data that the run was trained on."""
    from jaxnet.commands.evaluate import DATA_OPTIONS, _load

    settings: dict[str, Any] = network.settings
    if "data" not in settings:
        raise UsageError(
            f"{model} does not say on which data it was trained",
            "a model that `jaxnet train` wrote",
            "train one: jaxnet train",
        )
    named = dict.fromkeys(DATA_OPTIONS) | {"data_seed": 0, "skip_bad": False}
    named |= {name: settings[name] for name in DATA_OPTIONS if name in settings}
    dataset, described = _load(console, named, network.classes[1])
    if described["sha256"] != network.origin.get("sha256"):
        console.print(
            "the data have changed: these are not the pictures and labels that the run was "
            "trained on, so the page's numbers differ from the run's",
            style="yellow",
        )
    return dataset
