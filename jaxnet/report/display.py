"""What results show of themselves: a line of text, and HTML for a notebook.

Both are functions of the class of a result. `jaxnet.display.shown` makes them methods.
"""

import dataclasses
import functools
from collections.abc import Iterator
from typing import Any

import numpy as np
from rich.console import RenderableType
from rich.table import Table

from jaxnet.data.dataset import Dataset, Split
from jaxnet.evaluation.audit import Audit
from jaxnet.evaluation.baselines import TESTED
from jaxnet.evaluation.cross_validation import CrossValidationScores
from jaxnet.evaluation.doctor.check import Check, Checks
from jaxnet.evaluation.evaluate import Evaluation, SplitEvaluation
from jaxnet.evaluation.forecast import Forecast
from jaxnet.evaluation.improvement.judge import Improvement
from jaxnet.evaluation.influence import Influence
from jaxnet.evaluation.learning_rate import ChosenRate
from jaxnet.evaluation.spread import (
    SpreadOverSeeds,
    count_outcomes,
    spread_over_seeds,
    summarise_cells,
)
from jaxnet.evaluation.tutor.check import Tutoring
from jaxnet.many.folds import CrossValidation
from jaxnet.many.learning_curve import LearningCurve
from jaxnet.many.leave_one_out import LeaveOneOut
from jaxnet.many.seeds import Seeds
from jaxnet.many.sweep import Sweep
from jaxnet.network import count_params
from jaxnet.report.audit import describe_brightness, describe_findings
from jaxnet.report.checks import checks_summary, checks_table, describe_check, problems
from jaxnet.report.cross_validation import describe_cross_validation, describe_scores
from jaxnet.report.evaluation import describe_threshold, describe_verdict, evaluation_tables
from jaxnet.report.html import figure, folded, listed, paragraph, pictures, swatches, table
from jaxnet.report.improvement import describe_improvement, describe_recommendation
from jaxnet.report.influence import describe_leave_one_out
from jaxnet.report.learning_curve import describe_forecast, describe_learning_curve
from jaxnet.report.learning_rate import describe_chosen_rate
from jaxnet.report.seeds import describe_seeds
from jaxnet.report.sweep import describe_outcomes, describe_shape, sweep_table
from jaxnet.report.training import describe_costs
from jaxnet.report.tutor import describe_tutoring
from jaxnet.report.words import count, in_python, signed, with_interval, with_outcomes
from jaxnet.runs.model import Model
from jaxnet.runs.run import Run
from jaxnet.settings import Settings
from jaxnet.training import Fit

PICTURES = 8  # of each class and split
UNITS = 16  # hidden units


@functools.singledispatch
def summary(result: Any) -> str:
    """Describe a result in one line, without the name of its class."""
    raise TypeError(f"a {type(result).__name__} has no summary")


@functools.singledispatch
def parts(result: Any) -> Iterator[str]:
    """Yield the parts of a result's HTML."""
    raise TypeError(f"a {type(result).__name__} has no HTML")


def html(result: Any) -> str:
    """Show a result as HTML that needs nothing else and runs nothing."""
    return f'<div style="max-width: 60em">{"".join(parts(result))}</div>'


@summary.register
def _(data: Dataset) -> str:
    splits = [f"{name} {_classes(split, data.classes)}" for name, split in data.splits.items()]
    return f"{'; '.join(splits)}; {_size(data.train)}"


@parts.register
def _(data: Dataset) -> Iterator[str]:
    yield paragraph(f"{data.source or 'A data set'}, {_size(data.train)} pixels", bold=True)
    for name, split in data.splits.items():
        m = len(split.labels)
        yield paragraph(f"{name}: {count(m, 'picture')}")
        for label, class_ in reversed(list(enumerate(data.classes))):
            numbers = np.flatnonzero(split.labels == label)
            chosen = numbers[
                np.linspace(0, len(numbers) - 1, min(len(numbers), PICTURES)).astype(int)
            ]
            yield paragraph(
                f"{label}: {class_}, {len(numbers):,} ({len(numbers) / m:.1%})", faint=True
            )
            yield pictures(split.images[chosen], [f"{name} {i}: {class_}" for i in chosen])
    if data.skipped or data.passed_over:
        left_out = [f"left out: {line}" for line in data.skipped]
        yield listed(left_out + [f"passed over: {found}" for found in data.passed_over])


@summary.register
def _(split: Split) -> str:
    return f"{_classes(split, ('of class 0', 'of class 1'))}; {_size(split)}"


def _classes(split: Split, classes: tuple[str, str]) -> str:
    """Count the pictures of a split, and those of each class."""
    counts = [f"{(split.labels == label).sum():,} {name!r}" for label, name in enumerate(classes)]
    return f"{len(split.labels):,} = {' + '.join(counts)}"


def _size(split: Split) -> str:
    return f"{split.images.shape[1]} × {split.images.shape[2]}"


@summary.register
def _(model: Model) -> str:
    n_h, n_x = model.params["W1"].shape
    seen = model.preprocessing
    return (
        f"{n_x:,} → {n_h} ({model.hidden.name}) → 1 (sigmoid), {count_params(model.params):,} "
        f"parameters, {model.params['W1'].dtype}; P({model.classes[1]!r}) of {seen.height} × "
        f"{seen.width} {seen.color} pictures, {seen.pixel_scale} scale"
        + (f"; the mean of {len(model.members)} such networks" if model.members else "")
    )


@parts.register
def _(model: Model) -> Iterator[str]:
    from jaxnet.report.figures.training import describe_colors, weights_as_pictures

    yield paragraph(summary(model))
    W2, images = np.asarray(model.params["W2"])[0], weights_as_pictures(model, UNITS)
    which = "The hidden units" if len(images) == len(W2) else f"{len(images)} of {len(W2)} units"
    yield paragraph(
        f"{which}: weights W1 ({describe_colors(model.preprocessing)}) and output weight W2, "
        f'positive for "{model.classes[1]}"',
        faint=True,
    )
    captions = [f"{i}: {signed(float(w))}" for i, w in enumerate(W2[: len(images)], start=1)]
    yield pictures(images, captions, shown=True)


@summary.register
def _(run: Run) -> str:
    return describe_costs(run)


@summary.register
def _(fit: Fit) -> str:
    ends = f": cost {fit.costs[0]:.4f} → {fit.costs[-1]:.4f}" if len(fit.costs) else ""
    return f"{count(len(fit.costs), 'iteration')}{ends}, {fit.outcome or 'unfinished'}"


@parts.register
def _(run: Run) -> Iterator[str]:
    from jaxnet.report.figures.figure import make_axes, to_any_theme
    from jaxnet.report.figures.style import OUTCOME_COLORS
    from jaxnet.report.figures.training import plot_costs

    yield paragraph(f"A network trained on {run.origin.get('source') or 'pictures'}", bold=True)
    meanings: dict[str, str] = {name: text for name, (_, text) in OUTCOME_COLORS.items()}
    meaning = f" ({meanings[run.outcome]})" if run.outcome in meanings else ""
    yield paragraph(describe_costs(run) + meaning)
    if len(run.costs):
        drawn, axes = make_axes(6.5, 3.4)
        plot_costs(run, ax=axes)
        yield figure(to_any_theme(drawn), 520, f"curve of the cost: {describe_costs(run)}")
    yield paragraph(_describe_settings(run), faint=True)
    yield from parts(run.model)


def _describe_settings(run: Run) -> str:
    """Name the settings of a run that differ from the defaults."""
    if run.settings is None:
        return "the settings are not known"
    usual = Settings(optimizer=run.settings.optimizer)
    differing = [
        f"{field.name} {getattr(run.settings, field.name)}"
        for field in dataclasses.fields(Settings)
        if field.name not in ("basis", "optimizer")  # the basis changes no result
        and getattr(run.settings, field.name) != getattr(usual, field.name)
    ]
    if run.settings.optimizer != Settings().optimizer:
        differing.insert(0, f"optimizer {run.settings.optimizer}")
    return "settings: " + (", ".join(differing) or "the defaults")


@summary.register
def _(evaluation: Evaluation) -> str:
    return "; ".join(f"{name} {summary(split)}" for name, split in evaluation.splits.items())


@summary.register
def _(split: SplitEvaluation) -> str:
    right, m = split.right, split.pictures
    score = f"{right}/{m} = {with_interval(split.accuracy, percent=True)}"
    if split.seen_in_training:
        return f"{score}, seen in training"
    return f"{score}, {TESTED} regression {split.baselines[TESTED].right}/{m}"


@parts.register
def _(evaluation: Evaluation) -> Iterator[str]:
    for line in describe_verdict(evaluation):
        yield paragraph(line, bold=True)
    yield paragraph(describe_threshold(evaluation.threshold), faint=True)
    scores, baselines, *others = evaluation_tables(evaluation)
    yield table(scores)
    yield table(baselines)
    yield folded("confusion and calibration", map(table, others))


@summary.register
def _(sweep: Sweep) -> str:
    return f"{describe_shape(sweep.grid)}: {describe_outcomes(sweep)}"


@parts.register
def _(sweep: Sweep) -> Iterator[str]:
    from jaxnet.report.figures.figure import to_any_theme
    from jaxnet.report.figures.sweep import explain_colors, plot_sweep

    yield paragraph(summary(sweep), bold=True)
    drawn = to_any_theme(plot_sweep(sweep))
    drawn.set_size_inches(2.5 + 4 * len(sweep.grid.activations), 4.2)
    for legend in list(drawn.legends):  # whose texts would not fit
        legend.remove()
    yield figure(drawn, round(80 * drawn.get_figwidth()), f"every network a cell: {summary(sweep)}")
    yield swatches(explain_colors(sweep))
    yield table(sweep_table(summarise_cells(sweep)))


@summary.register
def _(audit: Audit) -> str:
    findings, pairs = describe_findings(audit), audit.pairs
    found = count(len(findings), "finding") if findings else "nothing misleads"
    duplicates = f"{count(len(pairs), 'pair')} of duplicates" if pairs else "no duplicates"
    return f"{found}; {duplicates}, {count(len(audit.leaks), 'leak')}"


@parts.register
def _(audit: Audit) -> Iterator[str]:
    yield paragraph(f"Audit: {summary(audit)}", bold=True)
    if findings := describe_findings(audit):
        yield listed(map(in_python, findings))
    yield paragraph(describe_brightness(audit), faint=True)


@summary.register
def _(seeds: Seeds | SpreadOverSeeds) -> str:
    outcomes = with_outcomes(count_outcomes(seeds.outcomes))
    return f"{count(len(seeds.seeds), 'seed')}: {outcomes}; kept: seed {seeds.kept}"


@parts.register
def _(seeds: Seeds) -> Iterator[str]:
    return parts(spread_over_seeds(seeds))


@parts.register
def _(spread: SpreadOverSeeds) -> Iterator[str]:
    yield listed(describe_seeds(spread))


@summary.register
def _(chosen: ChosenRate) -> str:
    return describe_chosen_rate(chosen)


@parts.register
def _(chosen: ChosenRate) -> Iterator[str]:
    yield listed(describe_chosen_rate(chosen).split("; "))


@summary.register
def _(result: LeaveOneOut) -> str:
    seeds, m = result.train.shape
    tested = "" if result.test is None else f", {count(result.test.shape[1], 'test picture')}"
    return (
        f"{count(seeds, 'seed')}, {count(m, 'training picture')} left out in turn{tested}: "
        f"{with_outcomes(count_outcomes(result.outcomes))}"
    )


@parts.register
def _(result: LeaveOneOut) -> Iterator[str]:
    yield paragraph(summary(result))
    yield paragraph(
        "summarise_influence(result, data) shows what is memorised, and what explains it"
    )


@summary.register
def _(result: CrossValidation) -> str:
    settings, repeats, seeds, m = result.probabilities.shape
    return (
        f"{count(settings, 'setting')}, {count(m, 'picture')} in {result.outcomes.shape[2]} folds, "
        f"{count(repeats, 'repeat')}, {count(seeds, 'seed')}: "
        f"{with_outcomes(count_outcomes(result.outcomes))}"
    )


@parts.register
def _(result: CrossValidation) -> Iterator[str]:
    yield paragraph(summary(result))
    yield paragraph("score_cross_validation(result) estimates what new pictures would score")


@summary.register
def _(scores: CrossValidationScores) -> str:
    return "; ".join(describe_scores(scores)[:-2])


@parts.register
def _(scores: CrossValidationScores) -> Iterator[str]:
    return map(_part, describe_cross_validation(scores))


@summary.register
def _(curve: LearningCurve) -> str:
    sizes, subsets, seeds, m = curve.correct.shape
    drawn = f"{count(sizes, 'size')} × {subsets} subsets of {count(m, 'picture')} × {seeds} seeds"
    return f"{drawn}: {with_outcomes(count_outcomes(curve.outcomes))}"


@parts.register
def _(curve: LearningCurve) -> Iterator[str]:
    yield paragraph(summary(curve))
    yield paragraph("forecast(curve) fits it, and says what more pictures would bring")


@summary.register
def _(result: Forecast) -> str:
    return "; ".join(describe_forecast(result))


@parts.register
def _(result: Forecast) -> Iterator[str]:
    from jaxnet.report.figures.figure import make_axes, to_any_theme
    from jaxnet.report.figures.learning_curve import plot_learning_curve

    drawn, axes = make_axes(6.5, 4)
    plot_learning_curve(result, ax=axes)
    yield figure(to_any_theme(drawn), 520, f"learning curve: {summary(result)}")
    yield from map(_part, describe_learning_curve(result))


@summary.register
def _(influence: Influence) -> str:
    share = with_interval(influence.left_out.accuracy, percent=True)
    return f"{count(influence.seeds, 'seed')}; left out, {share} are predicted correctly"


@parts.register
def _(influence: Influence) -> Iterator[str]:
    return map(_part, describe_leave_one_out(influence))


def _part(shown: RenderableType) -> str:
    """Make HTML of what the commands print."""
    return table(shown) if isinstance(shown, Table) else paragraph(in_python(str(shown)))


@summary.register
def _(improvement: Improvement) -> str:
    return describe_recommendation(improvement)


@parts.register
def _(improvement: Improvement) -> Iterator[str]:
    from jaxnet.report.figures.figure import to_any_theme
    from jaxnet.report.figures.improvement import plot_improvement

    drawn = to_any_theme(plot_improvement(improvement))
    yield figure(drawn, 760, f"each lever a row: {summary(improvement)}")
    yield from map(_part, describe_improvement(improvement))


@summary.register
def _(check: Check) -> str:
    return f"{check.verdict}: {check.name}: {describe_check(check).found}"


@summary.register
def _(checks: Checks) -> str:
    others = [f"{check.verdict}: {check.name}" for check in checks if check.verdict != "pass"]
    return "; ".join([str(checks_summary(checks)), *others])


@parts.register
def _(checks: Checks) -> Iterator[str]:
    yield paragraph(checks_summary(checks), bold=True)
    for text in problems(checks):
        yield paragraph(in_python(str(text)))
    yield table(checks_table("", checks))


@summary.register
def _(result: Tutoring) -> str:
    return "; ".join(line.strip() for line in describe_tutoring(result))


@parts.register
def _(result: Tutoring) -> Iterator[str]:
    for line in describe_tutoring(result):
        yield paragraph(line)
    if not result.right:
        yield folded("answer", map(paragraph, describe_tutoring(result, answer=True)))
