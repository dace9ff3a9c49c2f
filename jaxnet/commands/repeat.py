"""`jaxnet repeat`: train a run again, and compare the results bit by bit."""

from typing import Any

import typer

from jaxnet.commands.options import Given, Json, RunArgument, with_options
from jaxnet.commands.show_data import load_and_show_for
from jaxnet.commands.watch import Watch
from jaxnet.data.source import DataSource
from jaxnet.report.console import print_json, speak


@with_options(of_run=True, source=DataSource)
def repeat(model: RunArgument, source: Given, as_json: Json = False) -> None:
    """Train a run again, and say whether its parameters and costs agree to the bit."""
    from jaxnet.report.repetition import describe_repetition
    from jaxnet.runs.repeat import repeat as repeat_run
    from jaxnet.runs.run import load_run

    run = load_run(model)
    console = speak(as_json)
    if run.origin.get("command"):
        console.print(f"Made by: {run.origin['command']}")
    dataset, _ = load_and_show_for(console, run, source, draws=False)
    with Watch("repeating", len(run.costs)) as watch:
        repetition = repeat_run(run, dataset, hook=watch)
    if watch.signal is not None:
        console.print("stopped: nothing was compared", style="yellow")
        raise typer.Exit(128 + watch.signal)
    for line in describe_repetition(repetition):
        console.print(line)
    if as_json:
        answer: dict[str, Any] = repetition._asdict()
        del answer["run"]
        print_json({"run": str(model), "command": run.origin.get("command"), **answer})
    if not repetition.same:
        raise typer.Exit(1)
