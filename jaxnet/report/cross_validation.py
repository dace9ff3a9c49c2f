"""A cross-validation in words: the table of the settings, the choice and its flattery."""

import dataclasses
import math
from collections.abc import Sequence

from rich.console import RenderableType
from rich.table import Table
from rich.text import Text

from jaxnet.evaluation.cross_validation import CrossValidationScores, NestedScores, SettingScores
from jaxnet.evaluation.scores import Interval
from jaxnet.many.ways import group_settings
from jaxnet.report.words import count, in_short, with_interval, with_outcomes
from jaxnet.settings import Settings

SHOWN = 20  # settings in the table

SCORES = {
    "accuracy": "accuracy",
    "balanced_accuracy": "balanced accuracy",
    "log_loss": "log loss",
}


def describe_folds(
    settings: Sequence[Settings], folds: int, repeats: int, seeds: int, *, nested: bool
) -> str:
    """Say how many networks a cross-validation trains."""
    ways = folds + (folds * (folds - 1) // 2 if nested else 0)
    pairs = f" (each left out, and each two: {ways})" if nested else ""
    networks = len(settings) * ways * repeats * seeds
    return (
        f"{count(len(settings), 'setting')} × {folds} folds{pairs} × {count(repeats, 'repeat')} × "
        f"{count(seeds, 'seed')} = {count(networks, 'network')}, in "
        f"{count(len(group_settings(settings)), 'program')}"
    )


def describe_cross_validation(scores: CrossValidationScores) -> list[RenderableType]:
    """Describe a cross-validation whole: failures, the table, the best, the choice, what it is."""
    failures = describe_failures(scores)
    return [
        *([Text(failures, style="yellow")] if failures else []),
        settings_table(scores),
        *describe_scores(scores),
    ]


def describe_failures(scores: CrossValidationScores) -> str | None:
    """Say how many networks failed; None if none did."""
    networks = sum(sum(one.outcomes.values()) for one in scores.settings)
    if not scores.failed:
        return None
    counts: dict[str, int] = {}
    for one in scores.settings:
        for outcome, number in one.outcomes.items():
            counts[outcome] = counts.get(outcome, 0) + number
    return f"{scores.failed:,} of {count(networks, 'network')} failed: {with_outcomes(counts)}"


def settings_table(scores: CrossValidationScores) -> Table:
    """Tabulate the scores of the settings, the best by the score of the choice first."""
    table = Table(
        title=f"Best {SCORES[scores.by]} first; networks trained on "
        f"{scores.training_size:,} of {scores.pictures:,} pictures; 95 % intervals",
        title_justify="left",
        box=None,
        padding=(0, 1, 0, 0),
    )
    varied = varied_fields([one.settings for one in scores.settings])
    for name in varied or ("learning_rate",):
        table.add_column(name.replace("_", " "), justify="right", no_wrap=True)
    for heading in ("accuracy %", "balanced %", "log loss"):
        table.add_column(heading, justify="right", no_wrap=True)
    stops = any(one.updates is not None for one in scores.settings)
    if stops:
        table.add_column("updates", justify="right")
    for one in best_first(scores)[:SHOWN]:
        table.add_row(
            *(_value(getattr(one.settings, name)) for name in varied or ("learning_rate",)),
            _in_percent(one.scores.accuracy),
            _in_percent(one.scores.balanced_accuracy),
            _in_short(one.scores.log_loss),
            *([f"{one.updates:.0f}" if one.updates is not None else "–"] if stops else []),
        )
    return table


def best_first(scores: CrossValidationScores) -> list[SettingScores]:
    """Sort the settings by the score that chooses; those that failed come last."""

    def rank(one: SettingScores) -> tuple[bool, float]:
        value = getattr(one.scores, scores.by).value
        failed = math.isnan(value)
        return failed, 0.0 if failed else value if scores.by == "log_loss" else -value

    return sorted(scores.settings, key=rank)


def varied_fields(settings: Sequence[Settings]) -> tuple[str, ...]:
    """Name the fields in which settings differ."""
    names = [field.name for field in dataclasses.fields(Settings)]
    return tuple(name for name in names if len({getattr(one, name) for one in settings}) > 1)


def describe_setting(settings: Settings, varied: Sequence[str]) -> str:
    """Name a setting by the fields in which it differs from others."""
    return ", ".join(
        f"{name.replace('_', ' ')} {_value(getattr(settings, name))}" for name in varied
    )


def describe_scores(scores: CrossValidationScores) -> list[str]:
    """Say what is estimated, how good the best is, and what the choice flatters."""
    k, size = scores.folds, scores.training_size
    lines = []
    varied = varied_fields([one.settings for one in scores.settings])
    if scores.best is None:
        lines.append("no setting has finite numbers in every fold")
    else:
        best = scores.settings[scores.best]
        own = getattr(best.scores, scores.by)
        what = SCORES[scores.by]
        shown = with_interval(own, percent=scores.by != "log_loss")
        if varied:
            lines.append(
                f"best of {len(scores.settings)} by {what}: {shown}, with "
                f"{describe_setting(best.settings, varied)}"
            )
        else:
            lines.append(f"{what}: {shown}")
        if scores.nested is not None:
            lines += _describe_nested(scores, scores.nested)
        elif varied:
            lines.append(
                "the best of several is flattered by the choice: nested "
                "cross-validation tells by how much"
            )
    lines.append(
        f"estimated: what networks trained so on {size:,} new pictures score on new pictures, the "
        f"mean of {k} folds × {count(scores.repeats, 'repeat')}; always the more frequent class "
        f"scores {100 * scores.class_rate:.1f} %"
    )
    lines.append(_describe_coverage(scores))
    return lines


def _describe_nested(scores: CrossValidationScores, nested: NestedScores) -> list[str]:
    percent = scores.by != "log_loss"
    own = with_interval(getattr(nested.scores, scores.by), percent=percent)
    flattered = f"{100 * nested.flattered:.1f} %" if percent else f"{nested.flattered:.3f}"
    gap = f"{100 * nested.difference:.1f} points" if percent else f"{nested.difference:.3f}"
    often = int(nested.chosen.argmax())
    varied = varied_fields([one.settings for one in scores.settings])
    chosen = (
        f"; chosen most often, in {nested.chosen[often]} of {int(nested.chosen.sum())} folds: "
        f"{describe_setting(scores.settings[often].settings, varied)}"
        if varied
        else ""
    )
    return [
        f"nested, choosing within the other folds: {own}{chosen}",
        f"the choice flatters by {gap}: {flattered} in the folds that chose, "
        f"{own.split(' [')[0]} in others",
    ]


def _describe_coverage(scores: CrossValidationScores) -> str:
    approximate = [
        f"{SCORES[name]} {one.percent} of 100"
        for name, one in scores.coverage.items()
        if one.approximate
    ]
    pictures = next(iter(scores.coverage.values())).pictures
    if approximate:
        return (
            f"approximate: in simulation with {pictures} pictures, 95 % intervals contain what "
            f"they are for less often ({', '.join(approximate)})"
        )
    held = min(one.percent for one in scores.coverage.values())
    return (
        f"in simulation with {pictures} pictures, at least {held} of 100 such intervals contain "
        "what they are for"
    )


def _in_percent(interval: Interval) -> str:
    return _in_short(Interval(*(100 * number for number in interval)), digits=1)


def _in_short(interval: Interval, digits: int = 2) -> str:
    if not math.isfinite(interval.value):
        return "–"
    value, low, high = (f"{number:.{digits}f}" for number in interval)
    return f"{value} [{low}–{high}]"


def _value(value: object) -> str:
    return in_short(value) if isinstance(value, float) else str(value)
