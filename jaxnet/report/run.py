"""A run that has just been trained: its lines for people, its answer for a program."""

from pathlib import Path
from typing import Any

import numpy as np
from rich.text import Text

from jaxnet.data.dataset import Dataset
from jaxnet.evaluation.accuracies import accuracies
from jaxnet.evaluation.audit import Audit
from jaxnet.evaluation.diagnosis import Diagnosis
from jaxnet.evaluation.learning_rate import ChosenRate
from jaxnet.evaluation.spread import SpreadOverSeeds
from jaxnet.network import count_params
from jaxnet.report.dataset import describe_dataset
from jaxnet.report.diagnosis import describe_diagnosis
from jaxnet.report.evaluation import summary_line
from jaxnet.report.json import to_json
from jaxnet.report.seeds import describe_seeds
from jaxnet.report.training import (
    curve_ends,
    describe_costs,
    describe_ensemble,
    describe_validation,
)
from jaxnet.runs.run import Run

Predictions = dict[str, np.ndarray]  # (m,) of 0 and 1, by split


def describe_run(
    run: Run,
    data: Dataset,
    predictions: Predictions,
    spread: SpreadOverSeeds | None,
    diagnosis: Diagnosis,
) -> list[Text]:
    """Describe what came of a training, a line each: costs, accuracies, seeds, what went wrong.

    Args:
        run: The run.
        data: Its pictures.
        predictions: What `predict_splits` predicts for them.
        spread: The networks of other seeds, if they were trained.
        diagnosis: What `diagnose` found out.
    """
    lines = [describe_costs(run), *describe_validation(run), *describe_ensemble(run)]
    for name, predicted in predictions.items():
        labels = data.splits[name].labels
        line = summary_line(name, labels, predicted, data.classes, seen=name == "train")
        if name == "validation" and run.best_iteration is not None:
            line += " · it chose the weights"
        if name == "test" and data.leaks_excluded:
            line += f" · without the {data.leaks_excluded} that are also in train"
        lines.append(line)
    if spread is not None:
        lines += describe_seeds(spread)
    warnings = describe_diagnosis(diagnosis, run)
    return [*map(Text, lines), *(Text(line, style="yellow") for line in warnings)]


def settings_to_json(run: Run) -> dict[str, Any]:
    """Put together all that decided a training: settings, preprocessing and data source."""
    decided: dict[str, Any] = {}
    for options in (run.settings, run.preprocessing, run.data_source):
        decided |= to_json(options) if options is not None else {}
    return decided


def run_to_json(
    folder: Path,
    run: Run,
    data: Dataset,
    audit: Audit,
    predictions: Predictions,
    spread: SpreadOverSeeds | None,
    diagnosis: Diagnosis,
    chosen: ChosenRate | None = None,
) -> dict[str, Any]:
    """Put the answer of a training together, of the arguments of `describe_run`.

    And of the choice of its learning rate, if it was chosen by a sweep.
    """
    return {
        "run": str(folder),
        "data": describe_dataset(data, audit),
        "parameters": count_params(run.model.params),
        "settings": settings_to_json(run),
        "origin": run.origin,
        **training_to_json(run),
        "accuracy": accuracies(predictions, data),
        "learning_rate_choice": chosen,
        "seeds": spread,
        "ensemble": len(run.members) or None,
        "dead_since": diagnosis.dead_since,
        "learning_rate_that_learns": diagnosis.learning_rate_that_learns,
    }


def training_to_json(run: Run) -> dict[str, Any]:
    """Put together what the training itself came to."""
    first_cost, last_cost = _ends(run.costs)
    first_objective, last_objective = _ends(run.objectives)
    means, validation = run.epoch_costs, run.validation_costs
    return {
        "outcome": run.outcome,
        "iterations": len(run.costs),
        "first_cost": first_cost,
        "last_cost": last_cost,
        "first_objective": first_objective,
        "last_objective": last_objective,
        "epochs": len(means),
        "last_epoch_cost": _ends(means)[1],
        "first_validation_cost": _ends(validation)[0],
        "last_validation_cost": _ends(validation)[1],
        "best_iteration": run.best_iteration,
        "stopped_early": run.stopped_early,
        "stop_decided_by": None if run.best_iteration is None else "validation",
        "seconds": run.seconds,
    }


def _ends(curve: np.ndarray | None) -> tuple[float, float] | tuple[None, None]:
    """Return the first and the last value of a curve; None if it has none."""
    return (None, None) if curve is None or not curve.size else curve_ends(curve)
