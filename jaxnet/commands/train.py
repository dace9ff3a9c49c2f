"""`jaxnet train`: from pictures to a trained network in a run folder."""

import math
import time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer
from rich.progress import TextColumn
from rich.table import Table

from jaxnet.commands import options
from jaxnet.commands.console import (
    Interruption,
    describe_device,
    make_bar,
    print_json,
    save_figure,
    speak,
)
from jaxnet.commands.data import load_and_print, to_arrays
from jaxnet.errors import UsageError, require_number

if TYPE_CHECKING:
    from collections.abc import Iterator

    import numpy as np
    import optax

    from jaxnet.network import Params
    from jaxnet.training import Fit

FIGURE_NAME = "training.png"

# About as much arithmetic as a laptop does in a tenth of a second, so that the bar keeps moving.
CHUNK_FLOPS = 5e9

# What an outcome means and what to do about it; "learning" speaks for itself.
ADVICE = {
    "not finite": "A cost or a parameter was no finite number any more; the last good state is "
    "saved. Take a smaller --learning-rate, or --scale symmetric.",
    "dead": "No hidden unit is active on any training picture, so only the output bias still "
    "learns. Take a smaller --learning-rate, or --activation leaky_relu.",
    "diverged": "The cost ended above that of always predicting the class rate. If it was still "
    "falling, take more --iterations; if it jumped, a smaller --learning-rate.",
    "plateau": "The cost ended at that of always predicting the class rate: no more than that "
    "rate is learnt so far. Take more --iterations, a larger --learning-rate or --weight-scale.",
    "stopped": "The run was interrupted; what it had learnt until then is saved.",
}


def train(
    data: options.Data = "sketches",
    test: options.Test = None,
    positive: options.Positive = None,
    size: options.Size = None,
    count: options.Count = None,
    data_seed: options.DataSeed = 0,
    skip_bad: options.SkipBad = False,
    color: options.Color = "gray",
    scale: options.Scale = "symmetric",
    hidden_units: options.HiddenUnits = 8,
    activation: options.ActivationName = "relu",
    weight_scale: Annotated[
        str, typer.Option(help="The standard deviation of the first weights, or he.")
    ] = "0.01",
    seed: Annotated[
        int, typer.Option(min=0, max=options.LARGEST_SEED, help="Draws the first weights.")
    ] = 0,
    learning_rate: Annotated[
        float | None,
        typer.Option(help="α in W − α dW. \\[default: 0.0075; adam: 0.001]", show_default=False),
    ] = None,
    momentum: options.Momentum = 0.0,
    nesterov: options.Nesterov = False,
    optimizer: Annotated[Literal["sgd", "adam"], typer.Option(help="The update rule.")] = "sgd",
    iterations: options.Iterations = 2500,
    balanced: Annotated[
        bool,
        typer.Option("--balanced", help="Weigh the pictures so that both classes count alike."),
    ] = False,
    basis: Annotated[
        Literal["auto", "pixels", "span"],
        typer.Option(help="What W1 is trained in; the span of the pictures is faster."),
    ] = "auto",
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
    """Train the network, and save it with its picture in a run folder."""
    import jax

    jax.config.update("jax_enable_x64", precision == "float64")

    from jaxnet.activations import ACTIVATIONS
    from jaxnet.data.columns import balancing_weights
    from jaxnet.figures import draw_training
    from jaxnet.network import accuracy, count_params, init_params
    from jaxnet.optimizer import LEARNING_RATE
    from jaxnet.outcomes import label_entropy
    from jaxnet.storage.model import Model, save_model, versions
    from jaxnet.storage.runs import MODEL_NAME, make_run_folder, require_empty
    from jaxnet.training import fit_in_chunks, start_descent

    if learning_rate is None:
        learning_rate = LEARNING_RATE if optimizer == "sgd" else 0.001
    rule = _make_rule(optimizer, learning_rate, momentum, nesterov)
    first_scale = _parse_weight_scale(weight_scale)
    if out is not None and not force:
        require_empty(out)

    console = speak(as_json)
    dataset, described = load_and_print(
        console, data, test, positive, size, count, data_seed, skip_bad
    )

    preprocessing, columns = to_arrays(dataset, color, scale, precision)
    X, Y = columns["train"]
    shape = dataset.train.images.shape
    console.print(f"{shape} → X {X.shape}, Y {Y.shape}: {color}, {scale} scale, {precision}\n")

    key = jax.random.key(seed)
    params = init_params(key, len(X), hidden_units, scale=first_scale, dtype=precision)
    console.print(_parameter_table(params))
    console.print(f"Device: {describe_device(console)} (JAX {jax.__version__})\n")

    hidden = ACTIVATIONS[activation]
    weights = balancing_weights(Y) if balanced else None
    folder = make_run_folder(out, force=force)
    started = time.perf_counter()
    descent = start_descent(params, X, rule, basis)
    chunk = int(min(max(CHUNK_FLOPS / (4 * hidden_units * X.size), 1), 100))
    fits = fit_in_chunks(descent, Y, hidden, iterations=iterations, weights=weights, chunk=chunk)
    with Interruption() as interruption:
        fit = _watch(fits, iterations, interruption)
    seconds = time.perf_counter() - started
    outcome = fit.outcome or "stopped"

    model = Model(
        fit.params,
        preprocessing,
        dataset.classes,
        hidden,
        fit.costs,
        settings={
            "data": data,
            "data_seed": data_seed,
            "hidden_units": hidden_units,
            "weight_scale": weight_scale,
            "seed": seed,
            "optimizer": optimizer,
            "learning_rate": learning_rate,
            "momentum": momentum,
            "nesterov": nesterov,
            "iterations": iterations,
            "balanced": balanced,
            "basis": "pixels" if descent.span is None else "span",
            "precision": precision,
        },
        origin={"source": dataset.source, "sha256": described["sha256"], **versions()},
    )
    save_model(folder / MODEL_NAME, model)
    title = f"{data}: {len(fit.costs):,} iterations at learning rate {learning_rate:g}, {outcome}"
    figure = draw_training(model, label_entropy(Y, weights), title)
    save_figure(figure, folder / FIGURE_NAME)

    accuracies = {
        name: float(accuracy(fit.params, X, Y, hidden)) for name, (X, Y) in columns.items()
    }
    console.print(
        f"{len(fit.costs):,} iterations in {seconds:.1f} s: "
        f"cost {fit.costs[0]:.4f} → {fit.costs[-1]:.4f}, {outcome}"
    )
    for name, split in dataset.splits.items():
        console.print(_score_line(name, accuracies[name], split.labels, dataset.classes))
    if outcome in ADVICE:
        console.print(f"{outcome}: {ADVICE[outcome]}", style="yellow")
    for name in (MODEL_NAME, FIGURE_NAME):
        console.print(f"written: {folder / name}")
    if as_json:
        print_json(
            {
                "run": str(folder),
                "data": described,
                "parameters": count_params(params),
                "settings": model.settings,
                "origin": model.origin,
                "outcome": outcome,
                "iterations": len(fit.costs),
                "first_cost": float(fit.costs[0]),
                "last_cost": float(fit.costs[-1]),
                "accuracy": accuracies,
                "seconds": seconds,
            }
        )
    if interruption.signal is not None:
        raise typer.Exit(128 + interruption.signal)
    if outcome in ("not finite", "dead", "diverged"):
        raise typer.Exit(1)


def _make_rule(
    optimizer: str, learning_rate: float, momentum: float, nesterov: bool
) -> "optax.GradientTransformation":
    import optax

    from jaxnet.optimizer import sgd

    if optimizer == "sgd":
        return sgd(learning_rate, momentum, nesterov)
    if momentum or nesterov:
        raise UsageError(
            "--momentum or --nesterov is given with --optimizer adam",
            "these with --optimizer sgd only",
            "leave them out: Adam has momentum of its own",
        )
    require_number("--learning-rate", learning_rate, 0, math.inf)
    return optax.adam(learning_rate)


def _parse_weight_scale(text: str) -> float | str:
    if text == "he":
        return text
    try:
        scale = float(text)
    except ValueError:
        scale = math.nan
    if not 0 <= scale < math.inf:
        raise UsageError(f'--weight-scale is "{text}"', "a number, 0 or more, or he", "try 0.01")
    return scale


def _parameter_table(params: "Params") -> Table:
    table = Table(show_footer=True)
    layers = {"hidden": ("W1", "b1"), "output": ("W2", "b2")}
    sizes = [sum(params[name].size for name in names) for names in layers.values()]
    total = " + ".join(f"{size:,}" for size in sizes) + f" = {sum(sizes):,}"
    table.add_column("layer", footer="sum")
    table.add_column("name")
    table.add_column("shape", footer=total, justify="right")
    table.add_column("parameters", justify="right")
    for layer, names in layers.items():
        for name in names:
            table.add_row(layer, name, str(params[name].shape), f"{params[name].size:,}")
    return table


def _watch(fits: "Iterator[Fit]", iterations: int, interruption: Interruption) -> "Fit":
    """Train with a progress bar, to the end or to the next chunk after a signal."""
    bar = make_bar("training", TextColumn("cost {task.fields[cost]:.4f}"))
    with bar:
        task = bar.add_task("training", total=iterations, cost=float("nan"))
        for fit in fits:
            bar.update(task, completed=len(fit.costs), cost=fit.costs[-1])
            if interruption.signal is not None:
                break
    return fit


def _score_line(name: str, accuracy: float, labels: "np.ndarray", classes: tuple[str, str]) -> str:
    """Say a split's accuracy beside that of always giving the more frequent class."""
    m, positives = len(labels), int(labels.sum())
    guess, hits = (classes[1], positives) if 2 * positives > m else (classes[0], m - positives)
    return (
        f"{name:5} accuracy {round(accuracy * m)}/{m} = {accuracy:.1%}"
        f'   (always "{guess}" would score {hits / m:.1%})'
    )
