"""Run every experiment but the benchmark, and print what became of each claim.

    python -m experiments --out results

Expect one minute on two cores. An experiment that cannot be made with the data has a – and the
reason in the table; course_table needs the cats whatever --data is.
"""

import importlib
import inspect
from pathlib import Path
from typing import Annotated

import typer
from rich.table import Table

from experiments import DEFAULT_OUT, answer
from jaxnet import JaxnetError, load_dataset, use_all_cores
from jaxnet.commands.console import out as console
from jaxnet.commands.console import run_in_words

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
    "course_table",
)


def main(
    data: Annotated[str, typer.Option(help="Any source of pictures.")] = "sketches",
    out: Annotated[
        Path, typer.Option(help="Where the numbers and pictures are written.")
    ] = DEFAULT_OUT,
) -> None:
    """Run every experiment; what each prints by itself stands above the table."""
    use_all_cores()
    load_dataset(data)  # so that a name or file that is wrong is told before anything else
    table = Table(title="The article's claims", title_justify="left", box=None, pad_edge=False)
    for heading in ("claim", "holds", "key number"):
        table.add_column(heading)
    table.add_column("picture", no_wrap=True)
    table.add_column("seconds", justify="right", no_wrap=True)
    for name in EXPERIMENTS:
        console.print(f"\n{name}", style="bold")
        ask = importlib.import_module(f"experiments.{name}").main
        takes_data = "data" in inspect.signature(ask).parameters and name != "course_table"
        try:
            result, paths, seconds = answer(ask, out, **({"data": data} if takes_data else {}))
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
    run_in_words(lambda: typer.run(main))
