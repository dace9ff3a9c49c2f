"""What would help, in words: the plan, the table of the levers, the recommended command."""

import dataclasses
import math
import shlex
from typing import Any

import numpy as np
from rich.console import RenderableType
from rich.table import Table
from rich.text import Text

from jaxnet.data.preprocessing import Preprocessing
from jaxnet.data.source import DataSource
from jaxnet.evaluation.baselines import SIGNIFICANT
from jaxnet.evaluation.improvement.judge import Improvement
from jaxnet.evaluation.improvement.levers import VALIDATION_SHARE, Lever
from jaxnet.evaluation.improvement.plan import Plan
from jaxnet.evaluation.scores import Interval
from jaxnet.report.json import to_json
from jaxnet.report.words import count, with_interval
from jaxnet.settings import Settings


def describe_plan(plan: Plan) -> str:
    """Say how many networks are going to be trained, and how long that takes."""
    settings = len(plan.levers)
    if not settings:
        return "every setting is measured already"
    names = ", ".join(lever.name for lever in plan.levers)
    return (
        f"{count(settings, 'setting')} × {plan.networks:,} networks of {plan.iterations:,} "
        f"iterations: {names}\nthat takes about {in_time(plan.seconds)} on this machine"
    )


def in_time(seconds: float) -> str:
    """Write a duration that is an estimate: "40 s", or "3 min"."""
    if seconds < 100:
        return f"{max(10 * math.ceil(seconds / 10), 10)} s"
    return f"{round(seconds / 60)} min"


def describe_improvement(
    improvement: Improvement, source: DataSource | None = None
) -> list[RenderableType]:
    """Describe the levers whole: their table, failures, the verdict and the command."""
    failures = [
        f"{measured.failed:,} of {measured.networks:,} networks failed: {measured.lever.name}"
        for measured in (improvement.base, *improvement.levers)
        if measured.failed
    ]
    best = improvement.best
    lines: list[RenderableType] = [
        improvement_table(improvement),
        *(Text(line, style="yellow") for line in failures),
        describe_measurement(improvement),
        describe_recommendation(improvement),
    ]
    if best is not None:
        lines += [train_command(best.lever, source, seeds=improvement.seeds)]
    return lines


def improvement_to_json(improvement: Improvement, source: DataSource | None = None) -> Any:
    """Turn an improvement into what JSON holds, with the recommended lever and its command."""
    best = improvement.best
    answer: dict[str, Any] = {"recommended": None, "command": None}
    if best is not None:
        command = train_command(best.lever, source, seeds=improvement.seeds)
        answer = {"recommended": best.lever.name, "command": command}
    return to_json(improvement) | answer


def improvement_table(improvement: Improvement) -> Table:
    """Tabulate the levers, the largest difference first, below the setting as it is."""
    table = Table(box=None, padding=(0, 1, 0, 0))
    table.add_column("lever")
    for heading in ("balanced accuracy", "difference", "p", "log loss"):
        table.add_column(heading, justify="right", no_wrap=True)
    ordered = sorted(improvement.levers, key=lambda m: -m.difference.value)
    for measured in (improvement.base, *ordered):
        is_base = measured is improvement.base
        table.add_row(
            measured.lever.name + (" ✓" if measured.recommended else ""),
            with_interval(measured.balanced_accuracy, percent=True),
            "" if is_base else in_points(measured.difference),
            "" if is_base else in_short_p(measured.p_holm),
            f"{measured.log_loss:.3f}" if math.isfinite(measured.log_loss) else "–",
            style="bold" if measured.recommended else None,
        )
    return table


def in_points(difference: Interval) -> str:
    """Write a difference in percentage points, as "+3.1 [−2.0 to +8.2]"."""
    value, low, high = (f"{100 * end:+.1f}".replace("-", "−") for end in difference)
    return value + (f" [{low} to {high}]" if math.isfinite(difference.low) else "")


def in_short_p(p: float) -> str:
    """Write a p-value with three decimals, a smaller one as such."""
    return "<0.001" if p < 0.001 else f"{p:.3f}"


def in_equation(p: float) -> str:
    """Write a p-value after its name: "= 0.013", or "< 0.001"."""
    return "< 0.001" if p < 0.001 else f"= {p:.3f}"


def describe_measurement(improvement: Improvement) -> str:
    """Say what was measured on what, and how large a difference these pictures can show."""
    alone = ""
    if improvement.units < improvement.pictures:
        alone = f" (of which {improvement.units:,} groups and duplicates are independent)"
    halves = [(one.difference.high - one.difference.low) / 2 for one in improvement.levers]
    finite = [half for half in halves if math.isfinite(half)]
    shows = ""
    if finite:
        shows = (
            "; with so many pictures, differences below about "
            f"{100 * float(np.median(finite)):.0f} points cannot be told from chance"
        )
    return (
        f"on {improvement.pictures:,} training pictures{alone}, held out in {improvement.folds} "
        f"folds × {count(improvement.repeats, 'repeat')} × {count(improvement.seeds, 'seed')}; the "
        "test set takes no part; brackets: 95 % intervals for other pictures; p: adjusted for all "
        f"levers; a constant answer has 50 %{shows}"
    )


def describe_recommendation(improvement: Improvement) -> str:
    """Say which lever is recommended, or that none is better beyond chance."""
    best, base = improvement.best, improvement.base
    if best is not None:
        others = sum(measured.recommended for measured in improvement.levers) - 1
        more = f"; so {'is' if others == 1 else 'are'} {others} more, marked ✓" if others else ""
        return (
            f"recommended: {best.lever.name}, {in_points(best.difference)} points, is better than "
            f"the setting as it is (p {in_equation(best.p_holm)}, for {len(improvement.levers)} "
            f"levers) and than any constant answer{more}"
        )
    verdict = (
        f"none of {len(improvement.levers)} levers is better than the setting as it is beyond "
        "chance: keep it"
    )
    if base.p_constant > SIGNIFICANT:
        verdict += "; and that is not better than a constant answer beyond chance, either"
    return verdict


def train_command(lever: Lever, source: DataSource | None = None, *, seeds: int = 1) -> str:
    """Write the command that trains with the setting of a lever, on all training pictures."""
    words = ["jaxnet", "train"]
    if source is not None:
        words += _options(source, DataSource())
    columns = lever.preprocessing
    # The size is a matter of the data; a basis changes no result.
    words += _options(columns, Preprocessing(columns.height, columns.width))
    words += _options(lever.settings, Settings(basis=lever.settings.basis))
    if lever.settings.patience is not None:
        words += ["--validation", f"{VALIDATION_SHARE:g}"]
    if lever.ensemble:
        words += ["--seeds", str(seeds), "--ensemble"]
    return shlex.join(words)


def _options(options: Any, usual: Any) -> list[str]:
    """Write the fields of a dataclass of options that differ from the usual ones as options."""
    words = []
    for field in dataclasses.fields(options):
        value = getattr(options, field.name)
        if value != getattr(usual, field.name) and value is not None:
            words.append("--" + field.name.replace("_", "-"))
            words += [] if value is True else [str(value)]
    return words
