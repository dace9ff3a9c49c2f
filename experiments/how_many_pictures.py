"""Would more pictures of the same kind help, and can that be known before they are collected?

Networks are trained on subsets of the training pictures and tested on those that a subset leaves
out; a power law is fitted to their balanced accuracy, and gives a band for four times as many
pictures (docs/learning-curve.md). The test pictures take no part. Sketches can be drawn in any
number, so with these the forecast is compared with the truth: networks are trained on four times as
many, and tested on 2,000 others. The claim holds if the forecast says that more pictures help, and
the measured score, if there is one, is in its band.

    python -m experiments.how_many_pictures

Expect yes on the drawn cats: the fit has 81 % with 209 pictures and forecasts 79 to 93 % with 836,
where 86 % are measured. On the article's cats (`--data catvnoncat`) expect no: 52 % now, 50 to 56 %
with 836 pictures; the curve is flat, with a probability of 98 %. It takes half a minute.
"""

from matplotlib.figure import Figure

from experiments import RED, Result, at_least, balanced_accuracy, new_figure, run
from jaxnet import (
    Forecast,
    Settings,
    forecast,
    learning_curve,
    load_dataset,
    plot_learning_curve,
    train_seeds,
)
from jaxnet.data.sketches import draw_sketches

CLAIM = "More pictures of the same kind help with unseen pictures."

TESTED = 2000  # sketches


def main(
    data: str = "sketches",
    subsets: int = 32,
    seeds: int = 2,
    iterations: int = 2500,
) -> Result:
    """Forecast the score with four times the pictures; with sketches, measure it as well."""
    at_least(2, subsets=subsets)
    at_least(1, seeds=seeds, iterations=iterations)
    settings = Settings(iterations=iterations)
    result = forecast(learning_curve(load_dataset(data), settings, subsets=subsets, seeds=seeds))
    numbers = {
        "the forecast says": result.verdict,
        "balanced accuracy now, by the fit": result.now.value,
        "with four times the pictures, forecast": result.then.value,
        "its band, from": result.then.low,
        "its band, to": result.then.high,
        "probability that they bring less than 3 points": result.flat,
    }
    holds, measured = result.verdict == "rises", None
    if data == "sketches":
        measured = measure(settings, result.asked, TESTED, seeds)
        numbers["with four times the pictures, measured"] = measured
        holds = holds and result.then.low <= measured <= result.then.high
    return Result(CLAIM, holds, numbers, plot(result, measured, f"{CLAIM[:-1]} ({data})."))


def measure(settings: Settings, pictures: int, tested: int, seeds: int) -> float:
    """Compute the mean balanced accuracy of networks of so many sketches, on others."""
    networks = train_seeds(draw_sketches(pictures, tested), settings, seeds=seeds)
    return balanced_accuracy(networks.probabilities["test"], networks.labels["test"])


def plot(result: Forecast, measured: float | None, title: str) -> Figure:
    """Draw the learning curve, and the score that was measured."""
    figure, ((axes,),) = new_figure(title)
    plot_learning_curve(result, ax=axes)
    if measured is not None:
        label = f"measured with {result.asked:,} pictures"
        axes.plot(result.asked, 100 * measured, "*", color=RED, markersize=16, label=label)
        axes.legend(fontsize="x-small", loc="upper left")
    return figure


if __name__ == "__main__":
    run(main)
