"""`jaxnet card`: the model card of a run."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from jaxnet.commands.options import Force, Given, Json, RunArgument, file_option, with_options
from jaxnet.data.source import DataSource
from jaxnet.io.files import require_free, write_whole
from jaxnet.report.console import print_json, show_progress, speak

if TYPE_CHECKING:
    from jaxnet.data.all_pictures import Data


@with_options(of_run=True, source=DataSource)
def card(
    model: RunArgument,
    source: Given,
    out: Annotated[
        Path | None,
        file_option("The Markdown file. \\[default: README.md beside the model file]"),
    ] = None,
    force: Force = False,
    as_json: Json = False,
) -> None:
    """Write a model card: data, scores, limits and origin of a network, as model hubs read it."""
    from jaxnet.io.names import CARD_NAME, MODEL_NAME
    from jaxnet.report.card import model_card
    from jaxnet.runs.run import load_run, load_searched_for, open_if_large_for
    from jaxnet.runs.scorings import count_scoring

    folder = model if model.is_dir() else model.parent
    path = out or folder / CARD_NAME
    run = load_run(model)
    require_free(path, force)
    data: Data | None = open_if_large_for(run, **source)
    pairs = None
    if data is None:
        data, pairs = load_searched_for(run, track=show_progress, **source)
    scorings = count_scoring(run, data, folder, "jaxnet card")
    text = model_card(
        run,
        data,
        name=folder.resolve().name,
        model_file=model / MODEL_NAME if model.is_dir() else model,
        scorings=scorings,
        pairs=pairs,
        track=show_progress,
    )
    with write_whole(path) as temporary:
        temporary.write_text(text, "utf-8")
    console = speak(as_json)
    console.print(f"written: {path}")
    if scorings:
        console.print("this scored the test set once more, and is counted")
    console.print(
        "read it before you publish it: add a licence, and what only you know of the pictures; it "
        "states the command line, which may name folders"
    )
    if as_json:
        print_json({"written": str(path), "test_set_scored_by": scorings})
