"""The figure of a learning curve: measured scores, the fitted band, and the forecast."""

from typing import Any, overload

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import NullFormatter, NullLocator

from jaxnet.errors import require_kind
from jaxnet.evaluation.forecast import BAND, Forecast
from jaxnet.report.figures.figure import make_figure, plain
from jaxnet.report.learning_curve import describe_in_two_lines

BLUE, ORANGE, GRAY = "tab:blue", "tab:orange", "tab:gray"


@overload
def plot_learning_curve(result: Forecast, *, title: str = "") -> Figure: ...
@overload
def plot_learning_curve(result: Forecast, *, title: str = "", ax: Axes) -> None: ...
def plot_learning_curve(
    result: Forecast, *, title: str = "", ax: Axes | None = None
) -> Figure | None:
    """Draw the score against the number of training pictures, up to four times as many.

    Args:
        result: What `forecast` computed.
        title: What stands above all; by default the answer, in two lines.
        ax: The panel to draw into; by default one in a new figure, which is returned.
    """
    require_kind("result", result, Forecast)
    if ax is None:
        figure = make_figure(8, 5, title or describe_in_two_lines(result))
        _draw(figure.subplots(), result)
        return figure
    _draw(ax, result)
    return None


def _draw(axes: Axes, result: Forecast) -> None:
    m, sizes = result.pictures, result.band_sizes
    low, median, high = 100 * result.band
    for inside, color, label in (
        (sizes <= m, BLUE, f"power law, {100 * BAND:.0f} % band"),
        (sizes >= m, ORANGE, f"forecast, {100 * BAND:.0f} % band"),
    ):
        axes.fill_between(
            sizes, low, high, where=inside.tolist(), color=color, alpha=0.25, linewidth=0
        )
        axes.plot(sizes[inside], median[inside], color=color, label=plain(label))
    bars: dict[str, Any] = {"fmt": "o", "color": "black", "capsize": 3}
    label = "measured on the pictures left out, ± standard error"
    axes.errorbar(result.sizes, 100 * result.scores, 100 * result.errors, label=label, **bars)
    axes.axvline(m, color=GRAY, linestyle=":", label=f"all {m:,} training pictures")
    axes.axhline(50, color=GRAY, linestyle="--", label="guessing")
    axes.set(xscale="log", xlabel="training pictures", ylabel="balanced accuracy, %")
    ticks = _ticks(result)
    axes.set_xticks(ticks, [f"{tick:,}" for tick in ticks])
    axes.xaxis.set_minor_locator(NullLocator())
    axes.xaxis.set_minor_formatter(NullFormatter())
    axes.legend(fontsize="small", loc="upper left")
    bottom, top = axes.get_ylim()
    axes.set_ylim(bottom, top + 0.3 * (top - bottom))  # the legend hides nothing


def _ticks(result: Forecast) -> list[int]:
    """Choose round numbers of pictures, each at least some 1.6 times the one before, up to 4 m."""
    first, last = result.band_sizes[0], result.band_sizes[-1]
    rounds = [digit * 10**power for power in range(9) for digit in (1, 2, 5)]
    return [number for number in rounds if first <= number <= last]
