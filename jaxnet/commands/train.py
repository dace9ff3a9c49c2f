"""`jaxnet train`: from pictures to a trained network in a run folder."""

import math
import time
import types
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

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
    from collections.abc import Callable, Iterator

    import numpy as np
    import optax

    from jaxnet.network import Params
    from jaxnet.storage.model import Model
    from jaxnet.training import Descent, Fit

FIGURE_NAME = "training.png"

# α of each optimizer, unless it is given.
RATES = {"sgd": 0.0075, "adam": 0.001}

# What of the command line is no setting of the run itself.
NOT_SETTINGS = ("checkpoint_every", "resume", "out", "force", "as_json")

# How much work is lost at most when a run is killed.
SECONDS_A_SAVE = 5.0

# About as much arithmetic as a laptop does in a tenth of a second, so that the bar keeps moving.
CHUNK_FLOPS = 5e9

# What an outcome means; "learning" speaks for itself.
MEANINGS = {
    "not finite": "at iteration {iteration} a cost or a parameter was no finite number any more; "
    "the last good state is saved",
    "dead": "all {hidden_units} hidden units have been dead since iteration {iteration}: none is "
    "active on any training picture, so only the output bias still learns",
    "diverged": "the cost ended above that of always predicting the class rate",
    "plateau": "the cost ended at that of always predicting the class rate: no more than that rate "
    "is learnt so far; take more --iterations, a larger --learning-rate or --weight-scale",
    "stopped": "the run was interrupted; what it had learnt until then is saved",
}
FAILED = ("not finite", "dead", "diverged")


def train(
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
    checkpoint_every: Annotated[
        int | None,
        typer.Option(
            min=1,
            help="Save after so many iterations. \\[default: every five seconds]",
            show_default=False,
        ),
    ] = None,
    resume: Annotated[
        Path | None,
        typer.Option(
            help="Go on with the run in this folder, to its own --iterations or more.",
            show_default=False,
        ),
    ] = None,
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
    run = types.SimpleNamespace(**_settle(ctx, resume))

    import jax

    jax.config.update("jax_enable_x64", run.precision == "float64")

    from jaxnet.activations import ACTIVATIONS
    from jaxnet.advice import dead_since, largest_rate_that_learns
    from jaxnet.data.columns import balancing_weights
    from jaxnet.figures import draw_training
    from jaxnet.network import accuracy, count_params, init_params
    from jaxnet.outcomes import label_entropy
    from jaxnet.storage.model import Model, load_descent, load_origin, save_model, versions
    from jaxnet.storage.runs import MODEL_NAME, make_run_folder, require_empty
    from jaxnet.training import fit_in_chunks, start_descent

    rule = _make_rule(run.optimizer, run.learning_rate, run.momentum, run.nesterov)
    first_scale = _parse_weight_scale(run.weight_scale)
    if out is not None and not force:
        require_empty(out)

    console = speak(as_json)
    dataset, described = load_and_print(
        console, run.data, run.test, run.positive, run.size, run.count, run.data_seed, run.skip_bad
    )
    if resume is not None and load_origin(resume)["sha256"] != described["sha256"]:
        raise UsageError(
            f"{dataset.source} holds other pictures than {resume} was trained on",
            "the same pictures, to the last byte",
            "put them back, or start a new run",
        )

    preprocessing, columns = to_arrays(dataset, run.color, run.scale, run.precision)
    X, Y = columns["train"]
    shape = dataset.train.images.shape
    console.print(
        f"{shape} → X {X.shape}, Y {Y.shape}: {run.color}, {run.scale} scale, {X.dtype}\n"
    )

    key = jax.random.key(run.seed)
    params = init_params(key, len(X), run.hidden_units, scale=first_scale, dtype=run.precision)
    console.print(_parameter_table(params))
    console.print(f"Device: {describe_device(console)} (JAX {jax.__version__})\n")

    hidden = ACTIVATIONS[run.activation]
    weights = balancing_weights(Y) if run.balanced else None
    descent = start = start_descent(params, X, rule, run.basis)
    run.basis = "pixels" if descent.span is None else "span"
    if resume is not None:
        descent = load_descent(resume, descent)
        made = len(descent.costs)
        if made >= run.iterations:
            raise UsageError(
                f"{resume} has made {made:,} iterations",
                f"more than these to go on, not {run.iterations:,}",
                f"add --iterations {2 * made}, say",
            )
        console.print(f"{resume} goes on after {made:,} iterations")
    folder = resume or make_run_folder(out, force=force)
    origin = {"source": dataset.source, "sha256": described["sha256"], **versions()}

    def as_model(descent: "Descent") -> "Model":
        settings = {name: value for name, value in sorted(vars(run).items()) if value is not None}
        for kept_elsewhere in ("activation", "color", "scale"):
            del settings[kept_elsewhere]
        return Model(
            descent.params,
            preprocessing,
            dataset.classes,
            hidden,
            descent.costs,
            settings,
            origin,
        )

    def save(descent: "Descent") -> None:
        save_model(folder / MODEL_NAME, as_model(descent), descent)

    save(descent)
    started = time.perf_counter()
    chunk = int(min(max(CHUNK_FLOPS / (4 * run.hidden_units * X.size), 1), 100))
    if checkpoint_every is not None:
        chunk = checkpoint_every // math.ceil(checkpoint_every / chunk)
    fits = fit_in_chunks(
        descent, Y, hidden, iterations=run.iterations, weights=weights, chunk=chunk
    )
    with Interruption() as interruption:
        fit = _watch(fits, run.iterations, interruption, save, checkpoint_every)
    seconds = time.perf_counter() - started
    outcome = fit.outcome or "stopped"
    save(fit.descent)
    model = as_model(fit.descent)
    title = (
        f"{run.data}: {len(fit.costs):,} iterations at learning rate {run.learning_rate:g}, "
        f"{outcome}"
    )
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
    advice = None
    if outcome in FAILED and run.optimizer == "sgd":
        settings = {"momentum": run.momentum, "nesterov": run.nesterov, "weights": weights}
        settings |= {"scale": first_scale, "n_h": run.hidden_units, "iterations": run.iterations}
        advice = largest_rate_that_learns(key, X, Y, hidden, below=run.learning_rate, **settings)
    if outcome in MEANINGS:
        iteration = len(fit.costs) - 1
        if outcome == "dead":
            iteration = dead_since(start, Y, hidden, iterations=len(fit.costs), weights=weights)
        meaning = MEANINGS[outcome].format(iteration=iteration, hidden_units=run.hidden_units)
        console.print(f"{outcome}: {meaning}", style="yellow")
    if outcome in FAILED:
        console.print(_advise(run.learning_rate, advice, outcome), style="yellow")
    if outcome == "stopped":
        console.print(f"jaxnet train --resume {folder} goes on", style="yellow")
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
                "learning_rate_that_learns": advice,
                "seconds": seconds,
            }
        )
    if interruption.signal is not None:
        raise typer.Exit(128 + interruption.signal)
    if outcome in FAILED:
        raise typer.Exit(1)


def _settle(ctx: typer.Context, resume: Path | None) -> dict[str, Any]:
    """Put together the settings of a run: what is given, or what the run to be resumed has had."""
    settings = {name: value for name, value in ctx.params.items() if name not in NOT_SETTINGS}
    if settings["test"] is not None:
        settings["test"] = str(settings["test"])
    if settings["learning_rate"] is None:
        settings["learning_rate"] = RATES[settings["optimizer"]]
    if resume is None:
        return settings

    from jaxnet.storage.model import load_settings

    stored = settings | dict.fromkeys(settings) | load_settings(resume)
    for name in ctx.params:
        source = ctx.get_parameter_source(name)
        if source is None or source.name != "COMMANDLINE" or name in ("resume", "as_json"):
            continue
        if name in ("out", "force"):
            raise UsageError(
                f"--{name} is given with --resume",
                "one or the other",
                "a run goes on in its folder",
            )
        if name == "iterations":
            stored[name] = settings[name]
        elif name in settings and stored[name] != settings[name]:
            option = name.replace("_", "-")
            raise UsageError(
                f"--{option} is {settings[name]}",
                f"{stored[name]}, with which {resume} was begun",
                f"leave --{option} out, or start a new run",
            )
    return stored


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


def _advise(rate: float, learns: float | None, outcome: str) -> str:
    if learns is not None:
        return f"the rate {rate:g} is too large: {learns:.3g} learns in as many iterations"
    if outcome == "diverged":
        return "no smaller rate learns in as many iterations either: take more --iterations"
    return "take a smaller --learning-rate, --activation leaky_relu, or --scale symmetric"


def _watch(
    fits: "Iterator[Fit]",
    iterations: int,
    interruption: Interruption,
    save: "Callable[[Descent], None]",
    checkpoint_every: int | None,
) -> "Fit":
    """Train with a progress bar, saving now and then, to the end or the chunk after a signal."""
    saved_at, saved = time.monotonic(), 0
    bar = make_bar("training", TextColumn("cost {task.fields[cost]:.4f}"))
    with bar:
        task = bar.add_task("training", total=iterations, cost=float("nan"))
        for fit in fits:
            bar.update(task, completed=len(fit.costs), cost=fit.costs[-1])
            if interruption.signal is not None:
                break
            made, age = len(fit.costs) - saved, time.monotonic() - saved_at
            if made >= checkpoint_every if checkpoint_every else age > SECONDS_A_SAVE:
                save(fit.descent)
                saved_at, saved = time.monotonic(), len(fit.costs)
    return fit


def _score_line(name: str, accuracy: float, labels: "np.ndarray", classes: tuple[str, str]) -> str:
    """Say a split's accuracy beside that of always giving the more frequent class."""
    m, positives = len(labels), int(labels.sum())
    guess, hits = (classes[1], positives) if 2 * positives > m else (classes[0], m - positives)
    return (
        f"{name:5} accuracy {round(accuracy * m)}/{m} = {accuracy:.1%}"
        f'   (always "{guess}" would score {hits / m:.1%})'
    )
