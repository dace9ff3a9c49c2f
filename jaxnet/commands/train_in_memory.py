"""`jaxnet train` on pictures that are in memory."""

import dataclasses
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rich.console import Console

from jaxnet.commands.show_data import load_and_show, prepare_many
from jaxnet.commands.training import Ended, Request, require_free_folder, train_watched
from jaxnet.data.preprocessing import Preprocessing
from jaxnet.report.console import describe_device, show_progress
from jaxnet.settings import Settings

if TYPE_CHECKING:
    from jaxnet.data.dataset import Dataset
    from jaxnet.evaluation.audit import Audit
    from jaxnet.evaluation.learning_rate import ChosenRate
    from jaxnet.evaluation.spread import SpreadOverSeeds
    from jaxnet.network import Params
    from jaxnet.runs.run import Run


NO_MEMBERS: "tuple[Params, ...]" = ()


def train_in_memory(asked: Request) -> Ended:
    """Load the pictures, train, and write the run with its figure and its page."""
    console, settings = asked.console, asked.settings
    if asked.seeds > 1 and not asked.ensemble:
        prepare_many(settings, asked.seeds)
    if asked.chooses_rate:
        from jaxnet.evaluation.learning_rate import require_rate_choice

        require_rate_choice(settings)

    from jaxnet.data.preprocessing import preprocessing_for
    from jaxnet.processes import alone, is_first_process
    from jaxnet.report.training import describe_columns, parameter_table

    require_free_folder(asked)
    data, audit = load_and_show(console, asked.source)
    settings = settings.for_pictures(len(data.train.labels))
    preprocessing = preprocessing_for(data, **asked.columns)
    if asked.begun is not None:
        preprocessing = asked.begun.preprocessing
    console.print(describe_columns(data, preprocessing, settings))
    console.print(describe_device(console))
    chosen, spread, members = None, None, NO_MEMBERS
    if asked.chooses_rate:
        chosen = _choose_rate(console, data, settings, preprocessing)
        settings = dataclasses.replace(settings, learning_rate=chosen.rate)
    if asked.seeds > 1:
        settings, spread, members = _choose_seed(asked, data, settings, preprocessing)
    console.print(parameter_table(preprocessing.n_x, settings.hidden_units))
    run, folder, signal = train_watched(asked, data, settings, preprocessing, members)
    if not is_first_process():
        return Ended(run, folder, signal, {})
    page = asked.page and signal is None
    with alone():
        answer = _report(console, folder, run, data, audit, spread, chosen, page=page)
    return Ended(run, folder, signal, answer)


def _choose_rate(
    console: Console, data: "Dataset", settings: Settings, preprocessing: Preprocessing
) -> "ChosenRate":
    """Choose the learning rate by a sweep, and say which it is and why."""
    from jaxnet.evaluation.learning_rate import choose_learning_rate
    from jaxnet.report.learning_rate import describe_chosen_rate

    chosen = choose_learning_rate(data, settings, preprocessing, track=show_progress)
    console.print(describe_chosen_rate(chosen))
    return chosen


def _choose_seed(
    asked: Request, dataset: "Dataset", settings: Settings, preprocessing: Preprocessing
) -> tuple[Settings, "SpreadOverSeeds", "tuple[Params, ...]"]:
    """Train many seeds; return the settings of the one that is kept, and how they differ.

    Of an ensemble also the parameters of all.
    """
    from jaxnet.evaluation.spread import spread_over_seeds
    from jaxnet.many.seeds import train_seeds
    from jaxnet.runs.ensemble import train_members

    how: dict[str, Any] = {"seeds": asked.seeds, "track": show_progress}
    if asked.ensemble:
        params, networks = train_members(dataset, settings, preprocessing, **how)
    else:
        params, networks = NO_MEMBERS, train_seeds(dataset, settings, preprocessing, **how)
    return dataclasses.replace(settings, seed=networks.kept), spread_over_seeds(networks), params


def _report(
    console: Console,
    folder: Path,
    run: "Run",
    dataset: "Dataset",
    audit: "Audit",
    spread: "SpreadOverSeeds | None",
    chosen: "ChosenRate | None",
    *,
    page: bool,
) -> dict[str, Any]:
    """Describe a run and write its outputs; return the same for JSON."""
    from jaxnet.evaluation.accuracies import predict_splits
    from jaxnet.evaluation.diagnosis import diagnose
    from jaxnet.report.outputs import write_outputs
    from jaxnet.report.run import describe_run, run_to_json

    diagnosis = diagnose(run, dataset, track=show_progress)
    findings = (predict_splits(run.model, dataset), spread, diagnosis)
    console.print(*describe_run(run, dataset, *findings), sep="\n")
    console.print(*write_outputs(folder, run, dataset, page=page), sep="\n")
    return run_to_json(folder, run, dataset, audit, *findings, chosen)
