"""Run every experiment except those of speed, and print which claims hold.

    python -m experiments --out results

Expect about three minutes on two cores. If an experiment cannot run with the given data, the table
has a – and the reason; course_table always needs the cats.
"""

import importlib
import inspect
from pathlib import Path
from typing import Annotated

import typer
from rich.table import Table

from experiments import DEFAULT_OUT, answer
from jaxnet import JaxnetError, load_dataset, use_all_cores
from jaxnet.report.console import out as console
from jaxnet.report.console import run_command

# In the order of the article.
EXPERIMENTS = (
    "explore_data",
    "parameter_count",
    "activation_functions",
    "input_scaling",
    "vanishing_gradient",
    "dead_relu",
    "initialisation",
    "one_step",
    "gradient_check",
    "learning_rate",
    "learning_map",
    "cost_and_accuracy",
    "cats",
    "early_stopping",
    "what_helps",
    "how_many_pictures",
    "course_table",
)


def main(
    data: Annotated[str, typer.Option(help="Any source of pictures.")] = "sketches",
    out: Annotated[Path, typer.Option(help="The folder for the results.")] = DEFAULT_OUT,
) -> None:
    """Run every experiment; each prints its own text, and the table of all comes last."""
    use_all_cores()
    load_dataset(data)  # so that a wrong name or file is reported before anything runs
    table = Table(title="The article's claims", title_justify="left", box=None, pad_edge=False)
    for heading in ("claim", "holds", "key number"):
        table.add_column(heading)
    table.add_column("picture", no_wrap=True)
    table.add_column("seconds", justify="right", no_wrap=True)
    for name in EXPERIMENTS:
        console.print(f"\n{name}", style="bold")
        run = importlib.import_module(f"experiments.{name}").main
        takes_data = "data" in inspect.signature(run).parameters and name != "course_table"
        try:
            result, paths, seconds = answer(run, out, **({"data": data} if takes_data else {}))
        except JaxnetError as error:
            console.print(str(error), style="yellow")
            table.add_row(name, "–", error.found, "", "")
            continue
        number, value = next(iter(result.numbers.items()))
        shown = f"{value:.4g}" if isinstance(value, float) else str(value)
        verdict = "yes" if result.holds else "no"
        table.add_row(result.claim, verdict, f"{number}: {shown}", paths[-1].name, f"{seconds:.1f}")
    console.print(table)
    console.print(f"written: {out}")


if __name__ == "__main__":
    run_command(lambda: typer.run(main))
