"""`jaxnet tutor`: find what is wrong in a function of one's own, or in a folder of them."""

from pathlib import Path
from typing import Annotated

import typer

from jaxnet.commands.options import NETWORK, OUTPUT, Json, expanded
from jaxnet.report.console import print_json, show_progress, speak

MINE = (
    "A file of Python, mine.py or mine.py:function; or a folder of such files. The function takes "
    "(params, X, Y) or (params, cache, X, Y), in NumPy or JAX, and returns dW1, db1, dW2 and db2 "
    "as a dict or a tuple; dA2, dZ2, dA1 and dZ1 may be among them."
)
PART = (
    "backprop; forward (params, X), loss (A2, Y), update (params, grads, learning_rate), or "
    "training (params, X, Y, learning_rate, iterations)."
)
ANSWER = "Give the answers, and not only a hint for the first quantity that is wrong."


def tutor(
    mine: Annotated[Path, typer.Argument(metavar="MINE", callback=expanded, help=MINE)],
    part: Annotated[str, typer.Option(help=PART)] = "backprop",
    activation: Annotated[
        str, typer.Option(help="That of the hidden units.", rich_help_panel=NETWORK)
    ] = "relu",
    seconds: Annotated[int, typer.Option(help="Processor time of a file.")] = 20,
    memory: Annotated[int, typer.Option(help="Address space of a file, in MiB.")] = 3072,
    answer: Annotated[bool, typer.Option("--answer", help=ANSWER, rich_help_panel=OUTPUT)] = False,
    as_json: Json = False,
) -> None:
    """Find the first wrong quantity in your own backpropagation, and give a hint."""
    from jaxnet.activations import ACTIVATIONS
    from jaxnet.errors import UsageError, require_choice
    from jaxnet.evaluation.tutor.hand_in import check_file
    from jaxnet.report import tutor as report

    require_choice("activation", activation, ACTIVATIONS)
    files = sorted(mine.glob("*.py")) if mine.is_dir() else [mine]
    if not files:
        raise UsageError(f"{mine} holds no file of Python", "a folder of .py files", "name another")
    console = speak(as_json)
    hand_ins = [
        check_file(file, part, ACTIVATIONS[activation], seconds=seconds, memory=memory)
        for file in show_progress(files, "checking", len(files))
    ]
    if mine.is_dir():
        console.print(report.hand_ins_table(hand_ins))
    else:
        for line in report.describe_hand_in(hand_ins[0], answer):
            console.print(line)
    if as_json:
        listed = [report.tutoring_to_json(each) for each in hand_ins]
        print_json(listed if mine.is_dir() else listed[0])
    if any(each.ended == "refused" for each in hand_ins) and not mine.is_dir():
        raise typer.Exit(2)
    if not all(each.result is not None and each.result.right for each in hand_ins):
        raise typer.Exit(1)
