"""Is a learning rate that is too small slow, and does one that is too large overshoot?

In one sweep networks are trained with 26 rates, from far too small to far too large, from 16 starts
each. The outcomes, the last costs and the share of the steps that raise the cost are shown. Then
the reason: along the direction of the largest curvature λ of the cost, a step multiplies a small
displacement by 1 − αλ. It shrinks for rates below 2/λ, and grows for rates above. While a network
learns, λ rises until it reaches 2/α, the edge of stability (Cohen et al. 2021, arXiv 2103.00065).
(The article's section "Using backpropagation to adjust weights and biases".)

    python -m experiments.learning_rate

Expect no step that raises the cost up to α = 0.02, every tenth one at α = 0.1, and no network that
learns with α above 2. The smallest rates are slow: after 1,000 iterations their cost is still above
the label entropy. λ rises to 2/α and above it, where the steps oscillate, stays near it, and falls
once the cost is small. It takes ten seconds.
"""

import jax
import jax.numpy as jnp
import numpy as np
from matplotlib.axes import Axes

from experiments import (
    BLACK,
    BLUE,
    GRAY,
    GREEN,
    PINK,
    RED,
    Result,
    at_least,
    new_figure,
    run,
    space_rates,
)
from jaxnet import (
    Grid,
    Params,
    Settings,
    Sweep,
    TrainState,
    fit,
    fit_in_chunks,
    init_params,
    load_dataset,
    make_examples,
    make_update,
    sgd,
    sharpness,
    start_descent,
    sweep,
    to_columns,
    to_row,
)
from jaxnet.report.figures import OUTCOME_COLORS

CLAIM = "A rate that is too small is slow, and one that is too large overshoots."

# The rates of the runs along which λ is measured, and after how many iterations each time.
EDGE_RATES = (0.05, 0.1, 0.2)
EVERY = 15

# α λ of the displacements: up to 2 they shrink, from 1 on they change sign, above 2 they grow.
PUSHES = (0.25, 0.5, 1.0, 1.5, 1.9, 2.1, 2.5, 3.0)


def main(
    data: str = "sketches",
    least: float = 1e-4,
    greatest: float = 10.0,
    rates: int = 26,
    seeds: int = 16,
    iterations: int = 1000,
    edge_iterations: int = 300,
) -> Result:
    """Sweep the rates, measure λ along three runs, and displace a trained network."""
    at_least(1, seeds=seeds, edge_iterations=edge_iterations)
    at_least(2, iterations=iterations)
    alphas = space_rates(least, greatest, rates)
    train = load_dataset(data).train
    X, Y = to_columns(train.images), to_row(train.labels)
    grid = Grid(learning_rates=tuple(alphas.tolist()), seeds=seeds)
    settings = Settings(iterations=iterations)
    swept = sweep(make_examples(X, Y), grid, settings, keep_costs=True)
    assert swept.costs is not None
    last = np.nan_to_num(swept.last_costs[0, :, 0], nan=np.inf)  # (rates, seeds)
    low, medians, high = np.percentile(last, (5, 50, 95), axis=1, method="inverted_cdf")
    raised = share_raised(swept.costs[0, :, 0])
    learning, slow = (
        (swept.outcomes[0, :, 0] == name).mean(axis=1) for name in ("learning", "slow")
    )
    best = int(medians.argmin())
    print_rates(alphas, learning, slow, raised, medians)

    params = init_params(jax.random.key(0), len(X))
    paths = {alpha: follow_sharpness(params, X, Y, alpha, edge_iterations) for alpha in EDGE_RATES}
    peaks = {alpha: float(path.max()) for alpha, path in paths.items()}
    with jax.enable_x64(True):
        X64, Y64 = (array.astype(jnp.float64) for array in (X, Y))
        factors = push(X64, Y64, iterations)
    error = float(np.abs(factors - (1 - np.array(PUSHES))).max())
    for alpha, peak in peaks.items():
        print(f"α = {alpha}: λ peaks at {peak:.2f} · 2/α")
    print(f"a step multiplies a displacement by 1 − αλ, to within {error:.1e}")

    falls_slowly = bool(medians[0] > 2 * medians[best] and raised[0] == 0)
    overshoots = bool(raised[best:].max() > 0.1 and learning[-1] < 0.5)
    figure, axes = new_figure(CLAIM, 2, 2, height=8.2)
    draw_outcomes(axes[0, 0], alphas, swept)
    draw_costs(axes[0, 1], alphas, (low, medians, high), raised)
    draw_paths(axes[1, 0], paths)
    draw_pushes(axes[1, 1], factors)
    return Result(
        CLAIM,
        falls_slowly and overshoots and error < 0.01 and min(peaks.values()) > 0.8,
        {
            "best rate": float(alphas[best]),
            f"median cost at {least:g}, times that at the best": float(medians[0] / medians[best]),
            "share of steps that raise the cost, at most": float(raised.max()),
            f"share of networks that are slow at {least:g}": float(slow[0]),
            f"share of networks that learn at {greatest:g}": float(learning[-1]),
            "error of 1 − αλ": error,
        }
        | {f"peak of λ in 2/α, α = {alpha}": peak for alpha, peak in peaks.items()},
        figure,
    )


def share_raised(costs: np.ndarray) -> np.ndarray:
    """Compute which share of the steps raised the cost, from costs (rates, seeds, iterations)."""
    before, after = costs[..., :-1], costs[..., 1:]
    made = np.isfinite(before) & ~np.isnan(after)  # a run stops where its cost is not finite
    return (made & (after > before)).sum(axis=(1, 2)) / np.maximum(made.sum(axis=(1, 2)), 1)


def print_rates(alphas: np.ndarray, *columns: np.ndarray) -> None:
    """Print a dozen rates with the shares and the median cost of their networks."""
    print("     rate  learning      slow  steps that raise the cost  median cost")
    for row in range(0, len(alphas), max(1, len(alphas) // 12)):
        learning, slow, raised, median = (column[row] for column in columns)
        print(f"{alphas[row]:9.2g}  {learning:8.0%}  {slow:8.0%}  {raised:25.1%}  {median:11.4g}")


def follow_sharpness(
    params: Params, X: jax.Array, Y: jax.Array, alpha: float, iterations: int
) -> np.ndarray:
    """Compute λ, in units of 2/α, every few iterations of a run."""
    descent = start_descent(params, X, sgd(alpha))
    fits = fit_in_chunks(descent, Y, iterations=iterations, chunk=EVERY)
    values = [sharpness(fit.params, X, Y, tolerance=1e-2).value for fit in fits]
    return np.array(values) * alpha / 2


def push(X: jax.Array, Y: jax.Array, iterations: int, size: float = 1e-6) -> np.ndarray:
    """Displace a trained network along its sharpest direction; return the factors of one step."""
    params = fit(
        init_params(jax.random.key(0), len(X), dtype=X.dtype), X, Y, iterations=iterations
    ).params
    top = sharpness(params, X, Y, tolerance=1e-10)
    pushed = jax.tree.map(lambda p, v: p + size * v, params, top.direction)
    factors = []
    for alpha in np.array(PUSHES) / top.value:
        optimizer = sgd(float(alpha))
        update = make_update(optimizer)
        ends = [update(TrainState(p, optimizer.init(p)), X, Y)[0].params for p in (params, pushed)]
        along = jax.tree.map(lambda a, b, v: jnp.sum((b - a) * v), *ends, top.direction)
        factors.append(float(sum(along.values())) / size)
    return np.array(factors)


def draw_outcomes(axes: Axes, alphas: np.ndarray, swept: Sweep) -> None:
    """Draw the share of each outcome at each rate."""
    shares = [(swept.outcomes[0, :, 0] == outcome).mean(axis=1) for outcome in OUTCOME_COLORS]
    colors = [color for color, _ in OUTCOME_COLORS.values()]
    axes.stackplot(alphas, 100 * np.array(shares), colors=colors, step="mid")
    for (outcome, (color, meaning)), share in zip(OUTCOME_COLORS.items(), shares, strict=True):
        if share.any():
            axes.plot([], [], "s", color=color, label=f"{outcome}: {meaning}")
    axes.set(xscale="log", xlabel="learning rate α", ylabel="networks, %", ylim=(0, 100))
    axes.set_xlim(alphas[0], alphas[-1])
    axes.legend(loc="lower center", facecolor="white", frameon=True, fontsize="x-small")


def draw_costs(
    axes: Axes, alphas: np.ndarray, spread: tuple[np.ndarray, ...], raised: np.ndarray
) -> None:
    """Draw the last costs over the seeds, and the share of the steps that raised the cost."""
    low, median, high = (np.where(np.isfinite(costs), costs, np.nan) for costs in spread)
    axes.fill_between(alphas, low, high, color=BLUE, alpha=0.25, linewidth=0)
    axes.plot(alphas, median, color=BLUE)
    axes.set(xscale="log", yscale="log", xlabel="learning rate α", xlim=(alphas[0], alphas[-1]))
    axes.set_ylabel("last cost, median and 5–95 %", color=BLUE)
    other = axes.twinx()
    other.plot(alphas, 100 * raised, color=RED)
    other.set_ylabel("steps that raise the cost, %", color=RED)
    other.set_ylim(bottom=0)
    other.grid(False)


def draw_paths(axes: Axes, paths: dict[float, np.ndarray]) -> None:
    """Draw λ along each run, and the edge of stability."""
    for (alpha, path), color in zip(paths.items(), (GREEN, BLUE, PINK), strict=True):
        t = EVERY * np.arange(1, len(path) + 1)
        axes.plot(t, path, "o-", markersize=4, color=color, label=f"α = {alpha}")
    axes.axhline(1, color=BLACK, linestyle="--", label="edge of stability")
    axes.set(xlabel="iteration", ylabel="sharpness λ, in 2/α", ylim=(0, None))
    axes.legend(fontsize="small")


def draw_pushes(axes: Axes, factors: np.ndarray) -> None:
    """Draw the factor by which a step multiplies a displacement, and 1 − αλ."""
    axes.axhspan(-1, 1, color=GREEN, alpha=0.12, linewidth=0, label="shrinks")
    axes.plot((0, 3.2), (1, -2.2), color=GRAY, label="1 − αλ")
    axes.plot(PUSHES, factors, "o", color=BLUE, label="measured")
    axes.set(xlabel="αλ", ylabel="factor of a displacement, a step")
    axes.legend()


if __name__ == "__main__":
    run(main)
