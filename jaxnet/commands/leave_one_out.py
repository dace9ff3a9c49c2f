"""`jaxnet leave-one-out`: what each training picture does, by training without it."""

import contextlib
import statistics
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.table import Table

from jaxnet.commands import options
from jaxnet.commands.console import (
    Interruption,
    describe_device,
    print_json,
    save_figure,
    show_progress,
    speak,
)
from jaxnet.commands.data import load_and_print, to_arrays
from jaxnet.errors import UsageError

if TYPE_CHECKING:
    import numpy as np

    from jaxnet.data.dataset import Dataset
    from jaxnet.many.leave_one_out import Change, LeaveOneOut
    from jaxnet.progress import T

FIGURE_NAME = "leave-one-out.png"

# Fewer seeds would hardly tell an influence from noise.
LEAST_SEEDS = 4

# What of the command line decides where the answer goes, or of which picture it is.
NOT_SETTINGS = ("picture", "out", "force", "as_json")

EXPLAINED = 3  # test pictures, unless they are named
SHOWN = 5  # training pictures in a table
MOST_EXPLAINING = 20  # training pictures for each test picture, for a program


def leave_one_out(
    ctx: typer.Context,
    data: options.Data = "sketches",
    test: options.Test = None,
    positive: options.Positive = None,
    size: options.Size = None,
    count: options.Count = None,
    data_seed: options.DataSeed = 0,
    skip_bad: options.SkipBad = False,
    color: options.Color = "gray",
    scale: options.Scale = "symmetric",
    seeds: Annotated[
        int,
        typer.Option(
            min=LEAST_SEEDS, max=100_000, help="How many: 0, 1, …, each as --seed of train."
        ),
    ] = LEAST_SEEDS,
    picture: Annotated[
        list[int] | None,
        typer.Option(
            min=0,
            help="The number, from 0, of a test picture to explain; may be given several times. "
            "\\[default: those that a single training picture changes most]",
            show_default=False,
        ),
    ] = None,
    hidden_units: options.HiddenUnits = 8,
    activation: options.ActivationName = "relu",
    weight_scale: options.WeightScale = "0.01",
    learning_rate: Annotated[float, typer.Option(min=0, help="α in W − α dW.")] = 0.0075,
    momentum: options.Momentum = 0.0,
    nesterov: options.Nesterov = False,
    iterations: options.Iterations = 2500,
    precision: options.Precision = "float32",
    out: Annotated[
        Path | None,
        typer.Option(
            help="The run folder. \\[default: the next free of runs/001, …]", show_default=False
        ),
    ] = None,
    force: options.Force = False,
    as_json: options.Json = False,
) -> None:
    """Train without each picture in turn: what is learnt by heart, what explains a test picture.

    The time grows with the cube of the number of training pictures, the memory with its square.
    """
    from jaxnet.devices import use_all_cores

    with contextlib.suppress(UsageError):  # called from Python, where JAX may be in use already
        use_all_cores()

    import jax
    import numpy as np
    from scipy import stats

    jax.config.update("jax_enable_x64", precision == "float64")

    from jaxnet.activations import ACTIVATIONS
    from jaxnet.many import leave_one_out as exact
    from jaxnet.outcomes import FAILED
    from jaxnet.report.influence_figure import draw_influence
    from jaxnet.runs.folder import make_run_folder, require_empty

    first_scale = options.parse_weight_scale(weight_scale)
    if out is not None and not force:
        require_empty(out)
    console = speak(as_json)
    dataset, described = load_and_print(console, ctx.params)
    if picture is not None:
        _require_test_pictures(dataset, picture)
    m = len(dataset.train.labels)
    console.print(
        f"(all {m} training pictures, and all but each of them) × {seeds} seeds = "
        f"{(m + 1) * seeds:,} networks of {iterations:,} iterations"
    )
    console.print(f"Device: {describe_device(console)} (JAX {jax.__version__})\n")

    _, columns = to_arrays(dataset, color, scale, precision)
    with Interruption() as interruption:

        def track(sequence: "Iterable[T]", description: str, total: float | None) -> "Iterator[T]":
            for item in show_progress(sequence, description, total):
                yield item
                if interruption.signal is not None:
                    console.print("stopped: nothing is written", style="yellow")
                    raise typer.Exit(128 + interruption.signal)

        found = exact.leave_one_out(
            jax.vmap(jax.random.key)(np.arange(seeds)),
            *columns["train"],
            ACTIVATIONS[activation],
            learning_rate=learning_rate,
            scale=first_scale,
            n_h=hidden_units,
            momentum=momentum,
            nesterov=nesterov,
            iterations=iterations,
            test=columns.get("test"),
            track=track,
        )

    learnt = exact.memorisation(found, dataset.train.labels)
    moved = None if found.test is None else exact.influence(found)
    explained = picture or []
    if moved is not None and not explained:
        explained = exact.most_moved(moved)[:EXPLAINED].tolist()
    folder = make_run_folder(out, force=force)
    title = f"{data}: {m} training pictures left out in turn, mean ± spread over {seeds} seeds"
    save_figure(draw_influence(found, dataset, explained, title), folder / FIGURE_NAME)

    answer = _answer(found, learnt, moved, explained, dataset)
    console.print(
        ", ".join(f"{networks:,} {outcome}" for outcome, networks in answer["outcomes"].items())
    )
    failed = sum(answer["outcomes"].get(outcome, 0) for outcome in FAILED)
    if failed:
        console.print(
            f"{failed:,} of {(m + 1) * seeds:,} networks went wrong, so that what follows says "
            "little: take another --learning-rate, or see jaxnet sweep",
            style="yellow",
        )
    console.print(_say_accuracy(answer))
    console.print(_memory_table(answer))
    if explained:
        console.print(_influence_table(answer))
    console.print(
        "change: with the training picture minus without it, the mean over the seeds ± their "
        "standard deviation; noise if it is no larger than that (of changes by chance alone "
        f"{2 * stats.t.sf(np.sqrt(seeds), seeds - 1):.0%} would be larger)"
    )
    console.print(f"written: {folder / FIGURE_NAME}")
    if as_json:
        settings = {name: value for name, value in ctx.params.items() if name not in NOT_SETTINGS}
        settings["test"] = None if test is None else str(test)
        print_json({"run": str(folder), "data": described, "settings": settings} | answer)
    if failed:
        raise typer.Exit(1)


def _require_test_pictures(dataset: "Dataset", numbers: list[int]) -> None:
    there = 0 if dataset.test is None else len(dataset.test.labels)
    if any(number >= there for number in numbers):
        raise UsageError(
            f"--picture is {max(numbers)}",
            f"a test picture, 0 to {there - 1}" if there else "test pictures, and there are none",
            "give such a number" if there else "leave --picture out, or name a --test split",
        )


def _answer(
    found: "LeaveOneOut",
    learnt: "Change",
    moved: "Change | None",
    explained: list[int],
    dataset: "Dataset",
) -> dict[str, Any]:
    """Say for a program what is found."""
    import numpy as np

    from jaxnet.evaluation.baselines import more_frequent
    from jaxnet.many.leave_one_out import unseen_accuracies

    labels, classes = dataset.train.labels, dataset.classes
    accuracy, by_seed = unseen_accuracies(found, labels)
    often = more_frequent(labels)
    counts = zip(*np.unique(found.outcomes, return_counts=True), strict=True)
    seen, unseen = (
        np.where(labels == 1, A2, 1 - A2).mean(axis=0) for A2 in (found.train, found.unseen)
    )

    def changes(change: "Change", order: "np.ndarray") -> list[dict[str, Any]]:
        return [
            {
                "picture": int(i),
                "class": classes[labels[i]],
                "change": float(change.mean[i]),
                "spread": float(change.spread[i]),
                "noise": bool(change.noise[i]),
            }
            for i in order
        ]

    answer: dict[str, Any] = {
        "positive": classes[1],
        "outcomes": {str(outcome): int(networks) for outcome, networks in counts},
        "left_out": {"pictures": len(labels), "accuracy": accuracy._asdict()},
        "left_out_by_seed": by_seed.tolist(),
        "seen_by_seed": ((found.train > 0.5) == labels).mean(axis=1).tolist(),
        "always": {"class": classes[often], "accuracy": float((labels == often).mean())},
        "memorisation": [
            row | {"seen": float(seen[row["picture"]]), "left_out": float(unseen[row["picture"]])}
            for row in changes(learnt, np.argsort(-learnt.mean, kind="stable"))
        ],
        "explained": [],
    }
    if moved is not None and found.test is not None and dataset.test is not None:
        answer["explained"] = [
            {
                "picture": j,
                "class": classes[dataset.test.labels[j]],
                "probability": float(found.test[:, j].mean()),
                "by": changes(moved.of(j), moved.of(j).order[:MOST_EXPLAINING]),
            }
            for j in explained
        ]
    return answer


def _say_accuracy(answer: dict[str, Any]) -> str:
    m, (share, low, high) = answer["left_out"]["pictures"], answer["left_out"]["accuracy"].values()
    by_seed, always = answer["left_out_by_seed"], answer["always"]
    return (
        f"left out: a picture's class is predicted rightly for {share * m:.0f}/{m} = "
        f"{100 * share:.1f} % [{100 * low:.1f}–{100 * high:.1f} %]; that is the median seed, all "
        f"run from {100 * min(by_seed):.1f} to {100 * max(by_seed):.1f} %\n"
        f"seen:     {100 * statistics.median_low(answer['seen_by_seed']):.1f} %; "
        f'always "{always["class"]}" would score {100 * always["accuracy"]:.1f} %'
    )


def _memory_table(answer: dict[str, Any]) -> Table:
    table = Table(title="learnt by heart most: P of its own class", title_justify="left")
    for heading in ("picture", "class", "seen", "left out", "change"):
        table.add_column(heading)
    for row in answer["memorisation"][:SHOWN]:
        table.add_row(
            f"train {row['picture']}",
            row["class"],
            f"{row['seen']:.2f}",
            f"{row['left_out']:.2f}",
            _say_change(row),
        )
    return table


def _influence_table(answer: dict[str, Any]) -> Table:
    positive = answer["positive"]
    title = f'what changed P("{positive}") of test pictures most'
    table = Table(title=title, title_justify="left")
    for heading in ("picture", "class", f'P("{positive}")', "by", "class", "change"):
        table.add_column(heading)
    for part in answer["explained"]:
        first = (f"test {part['picture']}", part["class"], f"{part['probability']:.2f}")
        for i, row in enumerate(part["by"][:SHOWN]):
            cells = first if i == 0 else ("", "", "")
            table.add_row(*cells, f"train {row['picture']}", row["class"], _say_change(row))
        table.add_section()
    return table


def _say_change(row: dict[str, Any]) -> str:
    noise = " (noise)" if row["noise"] else ""
    return f"{row['change']:+.2f} ± {row['spread']:.2f}".replace("-", "−") + noise
