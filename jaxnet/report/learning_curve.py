"""A learning curve in words: the score now and with more pictures, and whether more will help."""

from rich.console import RenderableType
from rich.table import Table
from rich.text import Text

from jaxnet.evaluation.forecast import BAND, FLAT, REACH, Forecast, Verdict
from jaxnet.evaluation.scores import Interval

# With fewer networks that learn, the curve tells of too little training.
MOST_LEARN = 0.9

TIMES = {4: "four"}[REACH]

VERDICTS: dict[Verdict, str] = {
    "flat": "the curve is flat",
    "rises": "more pictures help",
    "unclear": "these data cannot tell whether more help",
}


def describe_curve_plan(pictures: int, sizes: int, subsets: int, seeds: int, its: int) -> str:
    """Say how many networks a learning curve trains."""
    return (
        f"{sizes} sizes × {subsets} subsets of the {pictures:,} training pictures × {seeds} seeds "
        f"= {sizes * subsets * seeds:,} networks of {its:,} iterations"
    )


def describe_learning_curve(result: Forecast) -> list[RenderableType]:
    """Describe a forecast whole: a warning, the measured scores, the answer, what it means."""
    warning = describe_too_little_training(result)
    return [
        *([Text(warning, style="yellow")] if warning else []),
        scores_table(result),
        *describe_forecast(result),
        f"balanced accuracy: the mean of both classes, 50 % by guessing; {100 * BAND:.0f} % bands. "
        f"With all {result.pictures:,} pictures it comes from the fit, since none is left over",
    ]


def describe_too_little_training(result: Forecast) -> str | None:
    """Say that many of the networks do not learn, or None."""
    if result.learning >= MOST_LEARN:
        return None
    return (
        f"only {100 * result.learning:.0f} % of the networks of {result.sizes[-1]:.0f} pictures "
        "learn, so the curve may tell of too little training: take a larger --learning-rate or "
        "more --iterations; jaxnet sweep shows which rates learn"
    )


def describe_forecast(result: Forecast) -> list[str]:
    """Say what score there is, what more pictures would bring, and whether they will help."""
    now = f"with {result.pictures:,} pictures {_in_percent(result.now)} balanced accuracy"
    if result.now.low <= 0.5:
        now += ", which is not better than guessing"
    then = f"{result.asked:,} would bring some {_in_percent(result.then)}"
    return [f"{now}; {then}", describe_verdict(result)]


def describe_verdict(result: Forecast) -> str:
    """Say whether more pictures will help."""
    verdict = f"{VERDICTS[result.verdict]}: {TIMES} times the pictures would bring {_gain(result)}"
    if result.verdict == "flat":
        verdict += (
            f" (probability {100 * result.flat:.0f} %), so more pictures of this kind will not "
            "help this network"
        )
    return verdict


def describe_in_two_lines(result: Forecast) -> str:
    """Say the scores and the verdict shortly, as the title of a figure."""
    return (
        f"with {result.pictures:,} pictures {_in_percent(result.now)} balanced accuracy, "
        f"with {result.asked:,} some {_in_percent(result.then)}\n"
        f"{VERDICTS[result.verdict]}: {TIMES} times as many would bring {_gain(result)}"
    )


def _gain(result: Forecast) -> str:
    if result.verdict == "flat":
        return f"less than {100 * FLAT:.0f} points"
    low, high = (100 * end for end in result.gain[1:])
    return f"{low:.1f} to {high:.1f} points"


def scores_table(result: Forecast) -> Table:
    """Tabulate the measured scores."""
    table = Table(title="balanced accuracy on pictures left out", title_justify="left")
    table.add_column("trained on", justify="right")
    table.add_column("score")
    for size, score, error in zip(result.sizes, result.scores, result.errors, strict=True):
        table.add_row(f"{size:.0f}", f"{100 * score:.1f} ± {100 * error:.1f} %")
    return table


def _in_percent(interval: Interval) -> str:
    value, low, high = (100 * number for number in interval)
    return f"{value:.0f} % [{low:.0f}–{high:.0f} %]"
