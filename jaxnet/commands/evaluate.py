"""`jaxnet evaluate`: how good a trained network is, and whether it beats guessing."""

import math
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, NamedTuple

import typer
from rich.table import Table

from jaxnet.commands import options
from jaxnet.commands.console import (
    describe_device,
    print_json,
    require_free,
    save_figure,
    speak,
)
from jaxnet.commands.run_data import Data, load_for_model
from jaxnet.errors import UsageError

if TYPE_CHECKING:
    import numpy as np

    from jaxnet.data.dataset import Dataset, Split
    from jaxnet.evaluation.baselines import Comparison
    from jaxnet.evaluation.scores import Interval, Scores
    from jaxnet.runs.model_file import Model

FIGURE_NAME = "evaluation.png"

# How the rows of the table are called.
MEASURES = {
    "accuracy": "accuracy",
    "balanced_accuracy": "balanced accuracy",
    "precision": "precision",
    "recall": "recall",
    "roc_auc": "ROC AUC",
    "log_loss": "log loss",
    "brier": "Brier score",
}


class Judged(NamedTuple):
    """All that is said of one split; baselines by their names, and the best of them."""

    split: "Split"
    probabilities: "np.ndarray"
    scores: "Scores"
    baselines: "dict[str, np.ndarray]"
    best: str
    comparison: "Comparison"


def evaluate(
    ctx: typer.Context,
    model: Annotated[Path, typer.Argument(help="A run folder, or a model file.")],
    data: Data = None,
    test: options.Test = None,
    positive: options.Positive = None,
    size: options.Size = None,
    count: options.Count = None,
    data_seed: options.DataSeed = 0,
    skip_bad: options.SkipBad = False,
    exclude_leaks: options.ExcludeLeaks = False,
    threshold: Annotated[
        str,
        typer.Option(
            help="The class is 1 if its probability exceeds this; "
            "train: the one that is right most often on the training split."
        ),
    ] = "0.5",
    out: Annotated[
        Path | None,
        typer.Option(
            help="The PNG. \\[default: evaluation.png beside the model]", show_default=False
        ),
    ] = None,
    force: options.Force = False,
    as_json: options.Json = False,
) -> None:
    """Score a trained network on each split, with intervals and baselines to compare."""
    import jax

    # A model keeps its own precision; this only allows float64.
    jax.config.update("jax_enable_x64", True)

    from jaxnet.report.evaluation_figure import draw_evaluation
    from jaxnet.runs.model_file import load_model, load_settings

    cut = _parse_threshold(threshold)
    network, settings = load_model(model), load_settings(model)
    path = out or (model if model.is_dir() else model.parent) / FIGURE_NAME
    require_free(path, force)
    console = speak(as_json)
    dataset, described, same = load_for_model(ctx, console, model, network, settings)
    console.print(f"Device: {describe_device(console)} (JAX {jax.__version__})\n")

    judged, chosen, how = _judge(network, dataset, cut)
    main = "test" if "test" in judged else "train"
    heads = {name: name for name in judged}
    heads["train"] = "train (seen in training)" if same else "train (of other data)"
    if described["leaks_excluded"]:
        heads["test"] = f"test (without {described['leaks_excluded']} that train has, too)"
    if main == "train":
        console.print("there is no test split to judge by", style="yellow")
    console.print(f"Threshold: {chosen:.4g}, {how}")
    console.print(_score_table(judged, heads))
    console.print(_baseline_table(judged, dataset.classes))
    console.print(_confusion_table(judged, dataset.classes))
    console.print(_calibration_table(judged, heads, dataset.classes[1]))
    for name, part in judged.items():
        if not _seen(name, same):  # what was learnt by heart needs no test
            console.print(_verdict(heads[name], part, dataset.classes))
    top = judged[main]
    title = f"{model}: the {main} split of {dataset.source}"
    figure = draw_evaluation(top.scores, top.split, top.probabilities, dataset.classes, title)
    save_figure(figure, path)
    console.print(f"written: {path}")
    if as_json:
        print_json(
            {
                "model": str(model),
                "data": described,
                "same_data_as_in_training": same,
                "threshold": {"value": chosen, "how": how},
                "splits": {
                    name: _as_answer(part, dataset.classes, _seen(name, same))
                    for name, part in judged.items()
                },
                "written": str(path),
            }
        )


def _parse_threshold(text: str) -> float | None:
    """Read the option: a number, or None if it is to be chosen on the training split."""
    if text == "train":
        return None
    try:
        number = float(text)
    except ValueError:
        number = math.nan
    if not 0 <= number <= 1:
        raise UsageError(f'--threshold is "{text}"', "a number from 0 to 1, or train", "try 0.5")
    return number


def _judge(
    network: "Model", dataset: "Dataset", threshold: float | None
) -> tuple[dict[str, Judged], float, str]:
    """Score each split, the test split first; return with it the threshold and its reason."""
    import numpy as np

    from jaxnet.evaluation.baselines import best_baseline, compare, predict_baselines
    from jaxnet.evaluation.scores import best_cut, score
    from jaxnet.network import forward

    seen, dtype = network.preprocessing, network.params["W1"].dtype
    found = {}
    for name, split in dataset.splits.items():
        computed = forward(network.params, seen.columns(split.images, dtype), network.hidden)
        logits = np.asarray(computed.Z2, float)[0]
        losses = np.logaddexp(0, np.where(split.labels == 1, -logits, logits))
        found[name] = np.asarray(computed.A2, float)[0], losses
    how = "set beforehand"
    if threshold is None:
        cut = best_cut(dataset.train.labels, found["train"][0])
        threshold, how = min(max(cut, 0.0), 1.0), "the one that is right most often on train"
    elif threshold == 0.5:
        how = "set beforehand: the more probable class"
    baselines = predict_baselines(dataset, seen)
    judged = {}
    for name in sorted(found):  # test before train
        split, (probabilities, losses) = dataset.splits[name], found[name]
        best = best_baseline(split.labels, baselines[name])
        predictions = (probabilities > threshold).astype(int)
        judged[name] = Judged(
            split,
            probabilities,
            score(split.labels, probabilities, threshold, losses=losses),
            baselines[name],
            best,
            compare(split.labels, predictions, baselines[name][best]),
        )
    return judged, threshold, how


def _in_words(interval: "Interval", percent: bool) -> str:
    scale, digits = (100, 1) if percent else (1, 3)
    value, low, high = (f"{scale * number:.{digits}f}" for number in interval)
    unit = " %" if percent else ""
    if not math.isfinite(interval.value):
        return "not defined"
    return f"{value}{unit}" + (f" [{low}–{high}{unit}]" if math.isfinite(interval.low) else "")


def _score_table(judged: dict[str, Judged], heads: dict[str, str]) -> Table:
    table = Table(title="scores, with 95 % intervals", title_justify="left")
    table.add_column("")
    for name in judged:
        table.add_column(heads[name])
    for key, title in MEASURES.items():
        percent = key in ("accuracy", "balanced_accuracy", "precision", "recall")
        cells = [_in_words(getattr(part.scores, key), percent) for part in judged.values()]
        if key == "accuracy":
            counts = [part.scores.confusion for part in judged.values()]
            cells = [
                f"{c.trace()}/{c.sum()} = {cell}" for c, cell in zip(counts, cells, strict=True)
            ]
        table.add_row(title, *cells)
    return table


def _baseline_table(judged: dict[str, Judged], classes: tuple[str, str]) -> Table:
    from jaxnet.evaluation.baselines import describe_baseline

    table = Table(title="what to beat", title_justify="left")
    for heading in ("split", "baseline", "right", "accuracy"):
        table.add_column(heading)
    for name, part in judged.items():
        labels = part.split.labels
        for key, predictions in part.baselines.items():
            hits = int((predictions == labels).sum())
            best = " (the best)" if key == part.best else ""
            table.add_row(
                name,
                describe_baseline(key, predictions, classes) + best,
                f"{hits}/{len(labels)}",
                f"{100 * hits / len(labels):.1f} %",
            )
    return table


def _confusion_table(judged: dict[str, Judged], classes: tuple[str, str]) -> Table:
    table = Table(title="confusion", title_justify="left")
    for heading in ("split", "true", *(f"predicted {name}" for name in classes)):
        table.add_column(heading)
    for name, part in judged.items():
        for label, counts in zip(classes, part.scores.confusion, strict=True):
            table.add_row(name, label, *map(str, counts))
    return table


def _calibration_table(judged: dict[str, Judged], heads: dict[str, str], positive: str) -> Table:
    title = f'calibration: mean P("{positive}") → share of "{positive}", of so many pictures'
    table = Table(title=title, title_justify="left")
    table.add_column("P")
    for name in judged:
        table.add_column(heads[name])
    for bins in zip(*(part.scores.calibration for part in judged.values()), strict=True):
        cells = [
            f"{part.probability:.2f} → {part.share.value:.2f} "
            f"[{part.share.low:.2f}–{part.share.high:.2f}] of {part.pictures}"
            if part.pictures
            else "–"
            for part in bins
        ]
        table.add_row(f"{bins[0].low:.1f}–{bins[0].high:.1f}", *cells)
    return table


def _verdict(name: str, part: Judged, classes: tuple[str, str]) -> str:
    from jaxnet.evaluation.baselines import describe_baseline, judge

    gained, lost, _ = part.comparison
    than = describe_baseline(part.best, part.baselines[part.best], classes)
    return (
        f"{name}: only the network is right on {gained}, only the best baseline on {lost}: "
        + judge(part.comparison, than)
    )


def _seen(name: str, same: bool) -> bool | None:
    """Say whether the network has learnt from a split; None if that is not known."""
    return name == "train" if same else None


def _as_answer(part: Judged, classes: tuple[str, str], seen: bool | None) -> dict[str, Any]:
    """Say for a program what the tables say of one split."""
    from jaxnet.evaluation.baselines import describe_baseline
    from jaxnet.evaluation.scores import most_wrong, wilson

    scores, labels = part.scores, part.split.labels
    hits = {name: int((found == labels).sum()) for name, found in part.baselines.items()}
    wrong = most_wrong(labels, part.probabilities, scores.threshold)
    return {
        "seen_in_training": seen,
        "pictures": len(labels),
        "right": int(scores.confusion.trace()),
        "confusion": scores.confusion.tolist(),
        **{key: getattr(scores, key)._asdict() for key in MEASURES},
        "calibration": [
            part._asdict() | {"share": part.share._asdict()} for part in scores.calibration
        ],
        "baselines": {
            name: {
                "what": describe_baseline(name, predictions, classes),
                "in_hindsight": name == "hindsight",
                "right": hits[name],
                "accuracy": wilson(hits[name], len(labels))._asdict(),
            }
            for name, predictions in part.baselines.items()
        },
        "best_baseline": part.best,
        "mcnemar": part.comparison._asdict(),
        "most_wrong": [
            {
                "picture": int(place),
                "class": classes[labels[place]],
                "probability": float(part.probabilities[place]),
            }
            for place in wrong
        ],
    }
