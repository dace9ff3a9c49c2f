"""An evaluation in words: tables of scores, baselines, confusion and calibration; the verdict."""

import dataclasses
from collections.abc import Iterator, Sequence

import numpy as np
from rich.table import Table

from jaxnet.evaluation.baselines import SIGNIFICANT, Comparison, compare, more_frequent
from jaxnet.evaluation.evaluate import Baseline, Evaluation, Threshold
from jaxnet.evaluation.scores import Interval, Scores, wilson
from jaxnet.report.words import with_interval

# The scores that are shares, shown in percent, and those whose title is not their name.
PERCENT = ("accuracy", "balanced_accuracy", "precision", "recall")
TITLES = {"roc_auc": "ROC AUC", "brier": "Brier score"}


def evaluation_tables(evaluation: Evaluation) -> list[Table]:
    """Tabulate the scores, the baselines, the confusion and the calibration of every split."""
    return [
        _score_table(evaluation),
        _baseline_table(evaluation),
        _confusion_table(evaluation),
        _calibration_table(evaluation),
    ]


def describe_threshold(threshold: Threshold) -> str:
    """Say which threshold was used, and how it was chosen."""
    how = "fixed in advance"
    if threshold.how == "train":
        how = "the one with the highest accuracy on train"
    elif threshold.value == 0.5:
        how = "fixed in advance: the more probable class"
    return f"Threshold: {threshold.value:.4g}, {how}"


def describe_scorings(scorings: Sequence[str]) -> str:
    """Say from the second time on that a test set was scored before, and by what."""
    before = len(scorings) - 1
    if before < 1:
        return ""
    times = "once" if before == 1 else f"{before:,} times"
    return (
        f"the test set was scored {times} before ({'; '.join(dict.fromkeys(scorings[:-1]))}): "
        "whoever chooses by its scores chooses by chance, too"
    )


def describe_verdict(evaluation: Evaluation) -> list[str]:
    """Say of each split whether the network is better than the baseline that was named beforehand.

    A split that the network was trained on has no verdict.
    """
    lines = []
    for name, split in evaluation.splits.items():
        if split.seen_in_training:
            continue
        than = describe_baseline(split.tested_baseline, split.baselines[split.tested_baseline])
        gained, lost, _ = split.mcnemar
        lines.append(
            f"{_heading(evaluation, name)}: only the network is right on {gained}, only the "
            f"baseline on {lost}: " + describe_comparison(split.mcnemar, than)
        )
    return lines


def describe_baseline(name: str, baseline: Baseline) -> str:
    """Say what a baseline is."""
    on = "train" if baseline.sampled is None else f"{baseline.sampled:,} random pictures of train"
    return {
        "constant": f'always "{baseline.always}", the more frequent in train',
        "hindsight": f'always "{baseline.always}", the best constant in hindsight',
        "brightness": "brightness alone, fitted on train",
        "logistic": f"logistic regression, fitted on {on}",
    }[name]


def describe_comparison(comparison: Comparison, than: str) -> str:
    """Say whether the first of two models is better than the second, which `than` names."""
    p = f"p = {_p_value(comparison.p)}"
    if comparison.verdict == "no difference":
        return f"not better than {than} ({p})"
    return f"{comparison.verdict} than {than} ({p})"


def summary_line(
    name: str,
    labels: np.ndarray,
    predictions: np.ndarray,
    classes: tuple[str, str],
    *,
    seen: bool = False,
) -> str:
    """Say in one line how good the predictions (m,) of a split are, beside its best constant.

    The best constant is chosen in hindsight, so it is harder to beat than one that is named
    beforehand. A split that was trained on has no interval and no test, since they would say
    nothing about other pictures.

    Args:
        name: Of the split.
        labels: (m,) of 0 and 1.
        predictions: (m,) of 0 and 1.
        classes: The names of class 0 and of class 1.
        seen: Whether the split was trained on.
    """
    frequent = more_frequent(labels)
    hits, m = int((predictions == labels).sum()), len(labels)
    share, low, high = wilson(hits, m)
    score = float((labels == frequent).mean())
    always = f'always "{classes[frequent]}" would score {100 * score:.0f} %'
    if seen:
        return f"{name} {hits}/{m} = {100 * share:.0f} %, trained on · {always}"
    verdict = describe_comparison(compare(labels, predictions, np.full(m, frequent)), "guessing")
    interval = f"[{100 * low:.0f}–{100 * high:.0f} %]"
    return f"{name} {hits}/{m} = {100 * share:.0f} % {interval} · {always} · {verdict}"


def _p_value(p: float) -> str:
    if abs(p - SIGNIFICANT) < 0.0005:  # enough digits to show on which side it is
        return f"{p:.3g}"
    return f"{p:{'.2f' if p >= 0.1 else '.3f' if p >= 0.001 else '.0e'}}"


def _heading(evaluation: Evaluation, name: str) -> str:
    """Name a split, with what its scores mean: trained on or not, with leaks or without."""
    if name == "train":
        seen = evaluation.splits[name].seen_in_training
        notes = {True: "seen in training", None: "perhaps seen in training"}
        if evaluation.same_data_as_in_training is False:
            notes[None] = "of other data"
        return f"train ({notes[seen]})"
    if name == "test" and evaluation.leaks_excluded:
        return f"{name} (without {evaluation.leaks_excluded} that are also in train)"
    return name


def _headings(evaluation: Evaluation) -> Iterator[str]:
    return (_heading(evaluation, name) for name in evaluation.splits)


def _score_table(evaluation: Evaluation) -> Table:
    table = Table(title="scores, with 95 % intervals", title_justify="left")
    for heading in ("", *_headings(evaluation)):
        table.add_column(heading)
    intervals = [field.name for field in dataclasses.fields(Scores) if field.type is Interval]
    for key in intervals:
        cells = [
            (f"{split.right}/{split.pictures} = " if key == "accuracy" else "")
            + with_interval(getattr(split, key), percent=key in PERCENT)
            for split in evaluation.splits.values()
        ]
        table.add_row(TITLES.get(key, key.replace("_", " ")), *cells)
    return table


def _baseline_table(evaluation: Evaluation) -> Table:
    table = Table(title="baselines", title_justify="left")
    for heading in ("split", "baseline", "right", "accuracy"):
        table.add_column(heading)
    for name, split in evaluation.splits.items():
        for key, baseline in split.baselines.items():
            tested = " (tested)" if key == split.tested_baseline else ""
            table.add_row(
                name,
                describe_baseline(key, baseline) + tested,
                f"{baseline.right}/{split.pictures}",
                f"{100 * baseline.accuracy.value:.1f} %",
            )
    return table


def _confusion_table(evaluation: Evaluation) -> Table:
    table = Table(title="confusion", title_justify="left")
    for heading in ("split", "true", *(f"predicted {name}" for name in evaluation.classes)):
        table.add_column(heading)
    for name, split in evaluation.splits.items():
        for label, counts in zip(evaluation.classes, split.confusion, strict=True):
            table.add_row(name, label, *map(str, counts))
    return table


def _calibration_table(evaluation: Evaluation) -> Table:
    positive = evaluation.classes[1]
    title = f'calibration: mean P("{positive}") → share of "{positive}", with its interval'
    table = Table(title=title, title_justify="left")
    for heading in ("P", *_headings(evaluation)):
        table.add_column(heading)
    for bins in zip(*(split.calibration for split in evaluation.splits.values()), strict=True):
        cells = [
            f"{part.probability:.2f} → {part.share.value:.2f} "
            f"[{part.share.low:.2f}–{part.share.high:.2f}] of {part.pictures}"
            if part.pictures
            else "–"
            for part in bins
        ]
        table.add_row(f"{bins[0].low:.1f}–{bins[0].high:.1f}", *cells)
    return table
