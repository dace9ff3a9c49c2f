"""The tables and the picture of the benchmark."""

from typing import Any

import numpy as np
from matplotlib.figure import Figure, SubFigure
from rich.table import Table

from experiments import BLACK, BLUE, GRAY, GREEN, ORANGE, PINK
from experiments.benchmarking.peers import SQUARE

OURS = "jaxnet"
ONE_BY_ONE = "PyTorch, one at a time"
PRODUCT = "the product C K alone"

# name -> the fields of a Timing, and the cost
OneNetwork = dict[str, dict[str, float]]
# name -> networks -> seconds a step of all of them
ManyNetworks = dict[str, dict[int, float]]
# what grows, m, n_x, n_h, basis, seconds a step, GFLOP/s
Growth = list[dict[str, Any]]

LETTERS = {"pictures": "m", "pixels": "n_x", "hidden units": "n_h"}
COLORS = {"pixels": GRAY, "span": BLUE}


def one_network_table(one: OneNetwork, missing: list[str], iterations: int) -> Table:
    """Tabulate the time that each peer needs to train one network."""
    headings = ("seconds", "least–most", "compiling", "MB", "final cost, float64", "ratio")
    table = _table(f"One network, {iterations:,} iterations in float32", headings)
    for name, row in one.items():
        table.add_row(
            name,
            f"{row['median']:.3f}",
            f"{row['least']:.3f}–{row['most']:.3f}",
            f"{max(row['compiling'], 0):.2f}",
            f"{row['memory'] / 2**20:.0f}",
            f"{row['cost']:.13f}",
            f"{row['median'] / one[OURS]['median']:.1f}",
        )
    for name in missing:
        table.add_row(name, "missing")
    return table


def many_networks_table(many: ManyNetworks) -> Table:
    """Tabulate the thousands of steps of one network that each peer makes in a second."""
    counts = list(many[OURS])
    table = _table("Networks × thousand steps a second", [f"{count:,}" for count in counts])
    for name, seconds in many.items():
        table.add_row(
            name, *(f"{1e-3 * n / seconds[n]:,.1f}" if n in seconds else "" for n in counts)
        )
    return table


def growth_table(growth: Growth, ceiling: float) -> Table:
    """Tabulate the time of a step as the network or its pictures grow."""
    title = f"Growth; the product of two {SQUARE:,} × {SQUARE:,} matrices: {ceiling:.0f} GFLOP/s"
    table = _table(title, ("m", "n_x", "n_h", "basis", "µs a step", "GFLOP/s"))
    for row in growth:
        table.add_row(
            row["grows"],
            *(f"{row[letter]:,}" for letter in LETTERS.values()),
            row["basis"],
            f"{1e6 * row['seconds']:,.1f}",
            f"{row['gflops']:.0f}",
        )
    return table


def _table(title: str, headings: Any) -> Table:
    table = Table(title=title, title_justify="left", box=None, padding=(0, 1, 0, 0))
    table.add_column("", no_wrap=True)
    for heading in headings:
        table.add_column(heading, justify="right", no_wrap=True)
    return table


def draw(one: OneNetwork, many: ManyNetworks, growth: Growth, processor: str) -> Figure:
    """Draw the seconds of each peer, the rates of many networks, and the growth."""
    figure = Figure(figsize=(13, 8 if growth else 4.4))
    figure.suptitle(f"The same gradient descent, at very different speeds\n{processor}")
    top, *bottom = figure.subfigures(2 if growth else 1, 1, squeeze=False)[:, 0]
    bars, rates = top.subplots(1, 2, width_ratios=(1, 0.9))

    names = list(one)[::-1]
    medians, least, most = (
        np.array([one[name][field] for name in names]) for field in ("median", "least", "most")
    )
    colors = [BLUE if name.startswith(OURS) else GRAY for name in names]
    bars.barh(names, medians, xerr=(medians - least, most - medians), color=colors)
    for row, (median, end) in enumerate(zip(medians, most, strict=True)):
        bars.text(1.1 * end, row, f"{median:.2g} s", va="center")
    bars.set(xscale="log", xlim=(medians.min() / 2, 4 * medians.max()))
    bars.set_xlabel("seconds to train one network (median, least to most)")

    others = iter((ORANGE, GREEN, PINK))
    for name, steps in many.items():
        counts = np.array(list(steps))
        speed = counts / np.array(list(steps.values()))
        if name == ONE_BY_ONE:  # the same for any number
            counts, speed = np.array(list(many[OURS])), np.full(len(many[OURS]), speed[0])
        style = {"color": BLUE, "marker": "o", "linewidth": 3}
        if name == PRODUCT:
            style = {"color": BLACK, "linestyle": ":"}
        elif name != OURS:
            style = {"color": next(others), "marker": "o"}
        rates.plot(counts, speed, label=name, **style)
    rates.set(xscale="log", yscale="log")
    rates.set(xlabel="networks at once", ylabel="networks × steps a second")
    rates.legend(fontsize="small", loc="upper left", bbox_to_anchor=(1, 1))

    if growth:
        _draw_growth(bottom[0], growth)
    return figure


def _draw_growth(part: SubFigure, growth: Growth) -> None:
    """Draw the time of a step in each basis, over what grows."""
    panels = part.subplots(1, len(LETTERS), sharey=True)
    for panel, (grows, letter) in zip(panels, LETTERS.items(), strict=True):
        for basis, color in COLORS.items():
            rows = [row for row in growth if (row["grows"], row["basis"]) == (grows, basis)]
            sizes, seconds = ([row[field] for row in rows] for field in (letter, "seconds"))
            panel.plot(sizes, 1e6 * np.array(seconds), "o-", color=color, label=basis)
        panel.set(xscale="log", yscale="log", xlabel=f"{grows}, {letter}")
    panels[0].set_ylabel(f"µs a step of one network of {OURS}")
    panels[0].legend(title="basis")
