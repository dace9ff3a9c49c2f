"""`jaxnet train`: from pictures to a trained network in a run folder."""

import contextlib
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
    show_progress,
    speak,
)
from jaxnet.commands.data import load_and_print, to_arrays
from jaxnet.commands.page import describe_page
from jaxnet.commands.resume import given_settings, resumed_settings, run_folder
from jaxnet.commands.verdict import explain
from jaxnet.errors import UsageError, require_number

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    import optax

    from jaxnet.data.dataset import Dataset
    from jaxnet.network import Params
    from jaxnet.runs.model_file import Model
    from jaxnet.training import Descent, Fit

FIGURE_NAME = "training.png"

# How much work is lost at most when a run is killed.
SECONDS_A_SAVE = 5.0

# The page of larger pictures would be dozens of megabytes: 128 × 128 in colour.
MOST_PAGE_VALUES = 128 * 128 * 3

# About as much arithmetic as a laptop does in a tenth of a second, so that the bar keeps moving.
CHUNK_FLOPS = 5e9


def train(
    ctx: typer.Context,
    data: options.Data = "sketches",
    test: options.Test = None,
    positive: options.Positive = None,
    size: options.Size = None,
    count: options.Count = None,
    data_seed: options.DataSeed = 0,
    skip_bad: options.SkipBad = False,
    exclude_leaks: options.ExcludeLeaks = False,
    color: options.Color = "gray",
    scale: options.Scale = "symmetric",
    hidden_units: options.HiddenUnits = 8,
    activation: options.ActivationName = "relu",
    weight_scale: options.WeightScale = "0.01",
    seed: Annotated[
        int, typer.Option(min=0, max=options.LARGEST_SEED, help="Draws the first weights.")
    ] = 0,
    seeds: Annotated[
        int,
        typer.Option(
            min=1,
            max=10_000,
            help="Train so many networks, from --seed on; keep the median by its last cost.",
        ),
    ] = 1,
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
            help="Save at least every so many iterations. \\[default: every five seconds]",
            show_default=False,
        ),
    ] = None,
    resume: Annotated[
        Path | None,
        typer.Option(
            help="Go on with the run in this folder, to its own --iterations or more; "
            "--data and --test may say where its pictures are now.",
            show_default=False,
        ),
    ] = None,
    out: Annotated[
        Path | None,
        typer.Option(
            help="The run folder. \\[default: the next free of runs/001, …]", show_default=False
        ),
    ] = None,
    no_page: Annotated[
        bool, typer.Option("--no-page", help="Leave out page.html, on which one can watch it.")
    ] = False,
    force: options.Force = False,
    as_json: options.Json = False,
) -> None:
    """Train the network, and save it with its picture and its page in a run folder."""
    if resume is None:
        run = types.SimpleNamespace(**given_settings(ctx))
    else:
        resume = run_folder(resume)
        run = types.SimpleNamespace(**resumed_settings(ctx, resume))

    if seeds > 1:
        from jaxnet.devices import use_all_cores

        with contextlib.suppress(UsageError):  # called from Python, where JAX may be in use already
            use_all_cores()

    import jax
    import numpy as np

    jax.config.update("jax_enable_x64", run.precision == "float64")

    from jaxnet.activations import ACTIVATIONS
    from jaxnet.data.columns import balancing_weights
    from jaxnet.network import count_params, init_params, predict
    from jaxnet.outcomes import FAILED, label_entropy
    from jaxnet.runs.folder import MODEL_NAME, make_run_folder, require_empty
    from jaxnet.runs.model_file import Model, load_descent, load_origin, save_model, versions
    from jaxnet.training import fit_in_chunks, start_descent

    rule = _make_rule(run.optimizer, run.learning_rate, run.momentum, run.nesterov)
    first_scale = options.parse_weight_scale(run.weight_scale)
    if out is not None and not force:
        require_empty(out)
    if seeds > 1:
        _require_many(run, seeds)

    console = speak(as_json)
    dataset, described = load_and_print(console, vars(run))

    # Imported by now, while the pictures were read.
    from jaxnet.evaluation.baselines import summary_line
    from jaxnet.many.seeds import describe_seeds, seeds_as_answer, train_seeds
    from jaxnet.report.figures import draw_training

    if resume is not None and load_origin(resume).get("sha256") != described["sha256"]:
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

    hidden = ACTIVATIONS[run.activation]
    weights = balancing_weights(Y) if run.balanced else None
    console.print(f"Device: {describe_device(console)} (JAX {jax.__version__})\n")
    # What the runs of a sweep share with this one.
    shared: dict[str, Any] = {"scale": first_scale, "n_h": run.hidden_units, "weights": weights}
    shared |= {name: vars(run)[name] for name in ("momentum", "nesterov", "iterations")}
    found, first_seed = None, run.seed
    if seeds > 1:
        keys = jax.vmap(jax.random.key)(run.seed + np.arange(seeds))
        found = train_seeds(
            keys,
            X,
            Y,
            hidden,
            learning_rate=run.learning_rate,
            test=columns.get("test"),
            track=show_progress,
            **shared,
        )
        run.seed += found.kept

    key = jax.random.key(run.seed)
    params = init_params(key, len(X), run.hidden_units, scale=first_scale, dtype=run.precision)
    console.print(_parameter_table(params))
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
    origin = {"source": dataset.source, **versions()}
    origin |= {name: described[name] for name in ("sha256", "train_sha256")}

    def as_model(descent: "Descent", outcome: str = "unfinished") -> "Model":
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
            {**origin, "outcome": outcome},
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
        fit = _watch(fits, run.iterations, interruption, save, checkpoint_every, chunk)
    seconds = time.perf_counter() - started
    outcome = fit.outcome or "stopped"
    model = as_model(fit.descent, outcome)
    save_model(folder / MODEL_NAME, model, fit.descent)
    title = (
        f"{run.data}: {len(fit.costs):,} iterations at learning rate {run.learning_rate:g}, "
        f"{outcome}"
    )
    figure = draw_training(model, label_entropy(Y, weights), title)
    save_figure(figure, folder / FIGURE_NAME)

    console.print(
        f"{len(fit.costs):,} iterations in {seconds:.1f} s: "
        f"cost {fit.costs[0]:.4f} → {fit.costs[-1]:.4f}, {outcome}"
    )
    accuracies = {}
    for name, split in dataset.splits.items():
        predictions = np.asarray(predict(fit.params, columns[name][0], hidden))[0]
        accuracies[name] = float((predictions == split.labels).mean())
        seen = name == "train"
        line = summary_line(name, split.labels, predictions, dataset.classes, seen=seen)
        if name == "test" and described["leaks_excluded"]:
            line += f" · without the {described['leaks_excluded']} that train has, too"
        console.print(line)
    for line in describe_seeds(found, first_seed) if found else ():
        console.print(line)
    verdict = explain(
        fit,
        start,
        Y,
        hidden,
        plain=run.optimizer == "sgd" and not run.momentum,
        rate=run.learning_rate,
        **({"key": key} | shared if run.optimizer == "sgd" else {}),
    )
    for sentence in verdict.sentences:
        console.print(sentence, style="yellow")
    if outcome == "stopped":
        console.print(
            "stopped: the run was interrupted; what it had learnt until then is saved\n"
            f"jaxnet train --resume {folder} goes on",
            style="yellow",
        )
    for name in (MODEL_NAME, FIGURE_NAME):
        console.print(f"written: {folder / name}")
    if not no_page and interruption.signal is None:
        for line in _write_page(folder, model, params, dataset):
            console.print(line)
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
                "seeds": seeds_as_answer(found, first_seed) if found else None,
                "dead_since": verdict.dead_since,
                "learning_rate_that_learns": verdict.rate,
                "seconds": seconds,
            }
        )
    if interruption.signal is not None:
        raise typer.Exit(128 + interruption.signal)
    if outcome in FAILED:
        raise typer.Exit(1)


def _write_page(folder: Path, model: "Model", params: "Params", dataset: "Dataset") -> list[str]:
    """Write the page of a run, unless it would be too large for a browser; say what was done."""
    from jaxnet.report.page.build import PAGE_NAME, write_page

    if dataset.train.images[0].size > MOST_PAGE_VALUES:
        return [f"no {PAGE_NAME} for such large pictures: jaxnet page {folder} writes it anyway"]
    return describe_page(folder / PAGE_NAME, write_page(folder / PAGE_NAME, model, params, dataset))


def _require_many(run: types.SimpleNamespace, seeds: int) -> None:
    """Raise a UsageError where many networks cannot be trained as this one."""
    if run.optimizer != "sgd":
        raise UsageError(
            f"--seeds {seeds} is given with --optimizer {run.optimizer}",
            "--optimizer sgd, whose networks are trained in one program",
            "leave one of them out",
        )
    if run.seed + seeds - 1 > options.LARGEST_SEED:
        raise UsageError(
            f"--seeds {seeds} from --seed {run.seed} on",
            f"seeds up to {options.LARGEST_SEED}",
            "take a smaller --seed",
        )


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


def _watch(
    fits: "Iterator[Fit]",
    iterations: int,
    interruption: Interruption,
    save: "Callable[[Descent], None]",
    checkpoint_every: int | None,
    chunk: int,
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
            if made + chunk > checkpoint_every if checkpoint_every else age > SECONDS_A_SAVE:
                save(fit.descent)
                saved_at, saved = time.monotonic(), len(fit.costs)
    return fit
