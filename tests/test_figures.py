"""Figures show the numbers of results, and every outcome in a colour of its own."""

import dataclasses
import functools
import io
import itertools
from collections.abc import Callable
from typing import Any, get_args

import jax
import numpy as np
import pytest
from matplotlib.cm import ScalarMappable
from matplotlib.collections import LineCollection
from matplotlib.colors import Normalize, to_rgb
from matplotlib.container import ErrorbarContainer
from matplotlib.figure import Figure
from PIL import Image
from test_forecast import curve_of
from test_forecast import draw as draw_curve_data

from jaxnet.activations import relu
from jaxnet.data.dataset import Dataset, Split
from jaxnet.data.duplicates import Pair, Place
from jaxnet.data.preprocessing import Preprocessing
from jaxnet.errors import UsageError
from jaxnet.evaluation.evaluate import evaluate
from jaxnet.evaluation.forecast import Forecast, Verdict, forecast
from jaxnet.evaluation.influence import summarise_influence
from jaxnet.evaluation.scores import Interval
from jaxnet.examples import Examples
from jaxnet.many.grid import Grid
from jaxnet.many.leave_one_out import LeaveOneOut
from jaxnet.many.sweep import Sweep, empty_sweep
from jaxnet.network import init_params
from jaxnet.optimizer import sgd
from jaxnet.outcomes import Outcome
from jaxnet.report.figures import (
    OUTCOME_COLORS,
    plot_calibration,
    plot_confusion,
    plot_costs,
    plot_evaluation,
    plot_hidden_units,
    plot_influence,
    plot_learning_curve,
    plot_most_wrong,
    plot_pictures,
    plot_roc,
    plot_sweep,
    plot_training,
)
from jaxnet.report.figures.figure import OwnFigure
from jaxnet.report.figures.influence import COLUMNS, FADED
from jaxnet.runs.model import Model
from jaxnet.runs.run import Run
from jaxnet.settings import Settings
from jaxnet.training import start_descent


@pytest.fixture(autouse=True)
def few_columns(monkeypatch: pytest.MonkeyPatch) -> None:
    """Draw two pictures in a row of a contact sheet instead of eight, which takes a while."""
    monkeypatch.setattr("jaxnet.report.figures.contact_sheet.COLUMNS", 2)


def rendered(figure: Figure) -> np.ndarray:
    file = io.BytesIO()
    figure.savefig(file, format="png", dpi=40)
    return np.asarray(Image.open(file).convert("RGB"))


def make_run(n_h: int, color: str = "gray", scale: float = 0.01) -> Run:
    preprocessing = Preprocessing(6, 5, color)
    shapes = {"W1": (n_h, preprocessing.n_x), "b1": (n_h, 1), "W2": (1, n_h), "b2": (1, 1)}
    draw = np.random.default_rng(0)
    params = {name: jax.device_put(scale * draw.normal(size=shapes[name])) for name in shapes}
    X = jax.device_put(np.zeros((preprocessing.n_x, 2), np.float32))
    descent = start_descent(params, X, sgd(0.1), "pixels")
    costs = np.linspace(0.7, 0.1, 50)
    classes = ("no", "yes")
    return Run(preprocessing, classes, relu, descent, costs, "learning", None, None, {})


def test_each_hidden_unit_is_drawn_as_the_picture_of_its_weights() -> None:
    run = make_run(8)
    figure = plot_training(run, label_entropy=0.6, title="a run")
    (panel,) = figure.subfigs[1].axes
    assert len(panel.images) == len(panel.texts) == 8
    W1 = np.asarray(run.model.params["W1"])
    W2 = np.asarray(run.model.params["W2"])[0]
    to_color = ScalarMappable(Normalize(-np.abs(W1).max(), np.abs(W1).max()), "RdBu_r")
    for unit, (picture, text) in enumerate(zip(panel.images, panel.texts, strict=True)):
        expected = to_color.to_rgba(W1[unit].reshape(6, 5), bytes=True)[..., :3]
        np.testing.assert_array_equal(picture.get_array(), expected)
        left, right, bottom, top = picture.get_extent()
        assert (round(left / 1.06), round(top / 1.5)) == (unit % 4, unit // 4)  # in reading order
        assert (right - left, bottom - top) == pytest.approx((1, 6 / 5))
        assert text.get_text() == f"unit {unit + 1}: {W2[unit]:+.2f}".replace("-", "−")
        assert left < text.get_position()[0] < right
        assert text.get_position()[1] < top
    curve, line = figure.subfigs[0].axes[0].lines
    np.testing.assert_array_equal(curve.get_ydata(), run.costs)
    np.testing.assert_array_equal(line.get_ydata(), [0.6, 0.6])
    assert rendered(figure).std() > 0


def test_mini_batches_are_drawn_with_the_mean_of_each_epoch() -> None:
    run = dataclasses.replace(
        make_run(1),
        settings=Settings(batch=3),
        origin={"train_pictures": 7},
        costs=np.array([0.7, 0.7, 0.9, 0.4, 0.4, 0.1, 0.3]),
    )
    each, means, _ = plot_training(run, label_entropy=0.6, title="a run").subfigs[0].axes[0].lines
    np.testing.assert_array_equal(each.get_ydata(), run.costs)
    np.testing.assert_allclose(np.asarray(means.get_ydata()), [5.1 / 7, 2.5 / 7])
    np.testing.assert_array_equal(means.get_xdata(), [1.5, 4.5])


def test_costs_far_above_the_label_entropy_are_drawn_on_a_log_scale() -> None:
    for top, scale in ((6.0, "linear"), (6.1, "log")):
        run = dataclasses.replace(make_run(1), costs=np.array([top, 0.5, np.inf]))
        axes = plot_costs(run, label_entropy=0.6).axes[0]
        assert axes.get_yscale() == scale
        assert len(np.asarray(axes.lines[0].get_ydata())) == 2


@pytest.mark.parametrize(("n_h", "color"), [(1, "gray"), (3, "rgb"), (17, "gray"), (40, "rgb")])
def test_any_number_of_units_in_grey_and_in_colour(n_h: int, color: str) -> None:
    figure = plot_training(make_run(n_h, color), label_entropy=0.6, title="a run")
    (panel,) = figure.subfigs[1].axes
    assert len(panel.images) == len(panel.texts) == min(n_h, 32)
    rendered(figure)


def test_names_with_dollar_signs_are_no_formulas(images: np.ndarray) -> None:
    classes = (r"a $\frac{$ b", "5$")
    run = dataclasses.replace(make_run(2), classes=classes)
    rendered(plot_training(run, title=r"from $\frac{$ to $x$"))
    dataset = Dataset(Split(images, np.array([0, 1] * 6)), None, classes, r"$\frac{$")
    rendered(plot_pictures(dataset, Preprocessing(8, 6)))


@pytest.mark.parametrize("color", ["gray", "rgb"])
def test_a_network_of_zeros_that_made_no_step_can_be_drawn(color: str) -> None:
    run = dataclasses.replace(make_run(2, color, scale=0), costs=np.empty(0))
    rendered(plot_training(run, label_entropy=0.6))


def test_the_contact_sheet_shows_colour_and_the_input_of_the_network(
    images: np.ndarray, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("jaxnet.report.figures.contact_sheet.COLUMNS", 4)
    labels = np.array([0, 1] * 4)
    test = Split(images[8:], np.array([0, 0, 0, 0]))
    dataset = Dataset(Split(images[:8], labels), test, ("no", "yes"), "noise")
    figure = plot_pictures(dataset, Preprocessing(8, 6))
    assert len(figure.subfigs) == 4
    first = [axes.images[0].get_array() for axes in figure.subfigs[0].axes if axes.images]
    np.testing.assert_array_equal(first[0], images[1])
    grey = images[1] @ np.array([0.299, 0.587, 0.114]) / 255
    np.testing.assert_allclose(np.asarray(first[4]), grey, rtol=1e-5)
    rendered(figure)


def test_duplicates_are_shown_on_the_contact_sheet(images: np.ndarray) -> None:
    dataset = Dataset(
        Split(images[:8], np.array([0, 1] * 4)), Split(images[8:], np.ones(4, int)), ("no", "yes")
    )
    pairs = [
        Pair(Place("train", 2), Place("train", 3), False, True),
        Pair(Place("train", 5), Place("test", 1), True, False),
    ]
    figure = plot_pictures(dataset, Preprocessing(8, 6, "rgb"), pairs=pairs)
    assert len(figure.subfigs) == 5
    panels = [axes for axes in figure.subfigs[-1].axes if axes.images]
    titles = [axes.get_title() for axes in panels]  # those across splits come first
    assert titles == ["train 5\nyes", "= test 1\nyes", "train 2\nno", "≈ train 3\nyes"]
    for axes, number in zip(panels, (5, 9, 2, 3), strict=True):
        np.testing.assert_array_equal(axes.images[0].get_array(), images[number])


def make_sweep(outcomes: np.ndarray, costs: np.ndarray) -> Sweep:
    """Make the sweep of outcomes and costs (activations, rates, weight scales, seeds)."""
    activations, rates, scales, seeds = outcomes.shape
    grid = Grid(
        learning_rates=tuple(np.geomspace(0.01, 1, rates).tolist()),
        weight_scales=("he", 0.1)[:scales],
        seeds=seeds,
        activations=("relu", "sigmoid")[:activations],
    )
    return Sweep(grid, costs, outcomes, costs, None)


def test_every_network_of_a_sweep_is_a_cell() -> None:
    outcomes = np.array(["learning", "dead", "diverged", "plateau", "not finite", "slow", ""])
    cells_of = np.broadcast_to(outcomes[None, :, None, None], (1, 7, 2, 3))
    costs = np.linspace(0.001, 0.7, 42).reshape(1, 7, 2, 3)
    figure = plot_sweep(make_sweep(cells_of, costs), title="a sweep")
    axes = figure.axes[0]
    learning, *others = axes.images
    cells = np.asarray(learning.get_array())
    assert cells.shape == (6, 7)
    np.testing.assert_allclose(cells[:, 0], costs[0, 0].ravel())
    assert np.ma.getmaskarray(np.ma.masked_invalid(cells))[:, 1:].all()
    drawn = {image.get_cmap()(0.0): np.asarray(image.get_array()) for image in others}
    for column, outcome in enumerate(outcomes[1:-1], start=1):
        color = (*to_rgb(OUTCOME_COLORS[outcome][0]), 1.0)
        filled = np.isfinite(np.ma.filled(drawn[color], np.nan))
        assert filled[:, column].all()
        assert filled.sum() == 6
    (legend,) = figure.legends
    texts = [text.get_text().split(":")[0] for text in legend.get_texts()]
    assert texts == ["plateau", "slow", "diverged", "dead", "not finite"]
    assert [label.get_text() for label in axes.get_yticklabels()] == ["he", "0.1"]
    assert axes.get_ylabel() == "weight scale, 3 seeds each"
    rendered(figure)


def test_a_sweep_of_which_no_network_is_trained() -> None:
    sweep = empty_sweep(Grid((0.1, (0.2, 0.3)), ("he",), 2), has_test=False)
    figure = plot_sweep(sweep)
    assert [label.get_text() for label in figure.axes[0].get_xticklabels()] == ["0.1", "0.2 / 0.3"]
    assert not figure.legends
    rendered(figure)


def test_each_activation_of_a_sweep_has_a_panel() -> None:
    costs = np.broadcast_to(np.array([0.1, 0.5])[:, None, None, None], (2, 3, 1, 2))
    figure = plot_sweep(make_sweep(np.full((2, 3, 1, 2), "learning"), costs))
    left, right = figure.axes[:2]
    assert [left.get_title(), right.get_title()] == ["relu", "sigmoid"]
    (first,), (second,) = left.images, right.images
    assert first.norm is second.norm
    assert np.unique(np.asarray(second.get_array())).tolist() == [0.5]
    rendered(figure)


# How the colours of linear RGB appear without one kind of cone (Machado, Oliveira & Fernandes
# 2009, IEEE TVCG 15, 1291-1298, severity 1).
CONES = {
    "all": np.eye(3),
    "protanopia": np.array(
        [[0.152286, 1.052583, -0.204868], [0.114503, 0.786281, 0.099216],
         [-0.003882, -0.048116, 1.051998]]
    ),
    "deuteranopia": np.array(
        [[0.367322, 0.860646, -0.227968], [0.280085, 0.672501, 0.047413],
         [-0.011820, 0.042940, 0.968881]]
    ),
    "tritanopia": np.array(
        [[1.255528, -0.076749, -0.178779], [-0.078411, 0.930809, 0.147602],
         [0.004733, 0.691367, 0.303900]]
    ),
}  # fmt: skip


def lab(color: str, cones: np.ndarray) -> np.ndarray:
    """Compute the CIE L*a*b* coordinates of a colour, as it appears to these cones."""
    sRGB = np.array(to_rgb(color))
    linear = np.where(sRGB <= 0.04045, sRGB / 12.92, ((sRGB + 0.055) / 1.055) ** 2.4)
    to_XYZ = np.array(
        [[0.4124, 0.3576, 0.1805], [0.2126, 0.7152, 0.0722], [0.0193, 0.1192, 0.9505]]
    )
    XYZ = to_XYZ @ np.clip(cones @ linear, 0, 1) / np.array([0.9505, 1, 1.089])
    f = np.where(XYZ > (6 / 29) ** 3, np.cbrt(XYZ), XYZ / (3 * (6 / 29) ** 2) + 4 / 29)
    return np.array([116 * f[1] - 16, 500 * (f[0] - f[1]), 200 * (f[1] - f[2])])


@pytest.mark.parametrize("cones", list(CONES))
def test_every_outcome_has_a_colour_that_all_can_tell_from_the_others(cones: str) -> None:
    assert set(OUTCOME_COLORS) == set(get_args(Outcome))
    seen = {name: lab(color, CONES[cones]) for name, (color, _) in OUTCOME_COLORS.items()}
    for first, second in itertools.combinations(seen, 2):
        distance = np.linalg.norm(seen[first] - seen[second])
        assert distance > 20, (first, second)


@pytest.fixture(scope="module")
def forecasted() -> Forecast:
    return forecast(curve_of(draw_curve_data(60, 0.4, 0.0, 2)), 100)


def test_a_learning_curve_shows_what_is_measured_and_the_band(forecasted: Forecast) -> None:
    figure = plot_learning_curve(forecasted)
    (axes,) = figure.axes
    fitted, forecast_line = axes.lines[:2]
    sizes, median = forecasted.band_sizes, 100 * forecasted.band[1]
    for line, inside in ((fitted, sizes <= 60), (forecast_line, sizes >= 60)):
        np.testing.assert_array_equal(line.get_xdata(), sizes[inside])
        np.testing.assert_array_equal(line.get_ydata(), median[inside])
    (bars,) = axes.containers
    assert isinstance(bars, ErrorbarContainer)
    points, _, (errors,) = bars.lines
    assert isinstance(errors, LineCollection)
    np.testing.assert_array_equal(points.get_xdata(), forecasted.sizes)
    np.testing.assert_array_equal(points.get_ydata(), 100 * forecasted.scores)
    (low, high) = np.array(errors.get_segments()[0])[:, 1]
    assert (high - low) / 2 == pytest.approx(100 * forecasted.errors[0])
    for band, inside in zip(axes.collections, (sizes <= 60, sizes >= 60), strict=False):
        drawn = np.asarray(band.get_paths()[0].vertices)[:, 1]
        shown = 100 * forecasted.band[:, inside]
        assert [drawn.min(), drawn.max()] == pytest.approx([shown[0].min(), shown[2].max()])
    rendered(figure)


def test_the_title_of_a_learning_curve_is_two_lines(forecasted: Forecast) -> None:
    widest = Interval(0.777, 0.711, 0.888)
    said_of: dict[Verdict, str] = {"flat": "is flat", "rises": "help", "unclear": "cannot tell"}
    for verdict, said in said_of.items():
        result = forecasted._replace(
            pictures=100_000, asked=400_000, now=widest, then=widest, gain=widest, verdict=verdict
        )
        first, second = plot_learning_curve(result).get_suptitle().splitlines()
        assert "with 100,000 pictures 78 % [71–89 %]" in first
        assert said in second
        assert max(len(first), len(second)) <= 95


def test_a_panel_of_the_callers_is_drawn_into(images: np.ndarray, forecasted: Forecast) -> None:
    split = Split(images, np.array([0, 1] * 6))
    dataset = Dataset(split, None, ("no", "yes"))
    evaluation, run = evaluate(make_model(), dataset), make_run(3)
    plots: dict[str, Callable[..., Figure | None]] = {
        "iteration": functools.partial(plot_costs, run, label_entropy=0.6),
        "predicted": functools.partial(plot_confusion, evaluation),
        "false positive rate": functools.partial(plot_roc, evaluation, dataset),
        "training pictures": functools.partial(plot_learning_curve, forecasted),
        'mean P("yes") in a bin': functools.partial(plot_calibration, evaluation),
    }
    for label, plot in plots.items():
        figure = Figure()
        assert plot(ax=figure.subplots()) is None
        own = plot()
        assert own is not None
        assert [axes.get_xlabel() for axes in (*figure.axes, *own.axes)] == [label, label]
    assert isinstance(own, OwnFigure)
    assert own._repr_png_().startswith(b"\x89PNG")
    panels = [axes for axes in plot_most_wrong(evaluation, dataset).axes if axes.images]
    assert len(panels) == len(evaluation.splits["train"].most_wrong)
    for units in (run, run.model):
        (panel,) = plot_hidden_units(units).axes
        assert len(panel.images) == len(panel.texts) == 3


def test_the_line_of_the_class_rate_is_that_of_the_runs_examples() -> None:
    run, Y = make_run(1), jax.device_put(np.array([[0.0, 1.0, 1.0, 1.0]]))
    X = jax.device_put(np.zeros((30, 4)))
    (axes,) = plot_costs(run).axes
    assert len(axes.lines) == 1  # its examples are not known
    for weights, rate in ((None, 0.75), (jax.device_put(np.array([[3.0, 1.0, 1.0, 1.0]])), 0.5)):
        known = dataclasses.replace(run, examples=Examples(X, Y, weights))
        (axes,) = plot_costs(known).axes
        entropy = -rate * np.log(rate) - (1 - rate) * np.log(1 - rate)
        np.testing.assert_allclose(np.asarray(axes.lines[1].get_ydata()), entropy, rtol=1e-6)


def test_other_arguments_than_results_are_refused() -> None:
    wrong: Any = None
    plots: dict[Callable[..., Any], str] = {
        plot_training: "run",
        plot_costs: "run",
        plot_hidden_units: "model",
        plot_pictures: "dataset",
        plot_sweep: "sweep",
        plot_confusion: "evaluation",
        plot_learning_curve: "result",
        functools.partial(plot_influence, dataset=wrong): "influence",
        functools.partial(plot_evaluation, data=wrong): "evaluation",
    }
    for plot, name in plots.items():
        with pytest.raises(UsageError, match=f"{name} is of type int"):
            plot(5)


def make_model(scale: float = 0.5) -> Model:
    params = init_params(jax.random.key(0), 48, 3, weight_scale=scale)
    return Model(params, Preprocessing(8, 6), ("$no", "yes"))


def test_an_evaluation_shows_the_most_wrong_pictures(images: np.ndarray) -> None:
    dataset = Dataset(Split(images, np.array([0, 1] * 6)), None, ("$no", "yes"))
    evaluation = evaluate(make_model(), dataset)
    part = evaluation.splits["train"]
    figure = plot_evaluation(evaluation, dataset, title="a run")
    above, below = figure.subfigs
    confusion, roc, calibration = above.axes
    texts = [int(text.get_text().split("\n")[0]) for text in confusion.texts]
    assert texts == part.confusion.ravel().tolist()
    assert [text.get_text() for text in calibration.texts] == [
        str(each.pictures) for each in part.calibration if each.pictures
    ]
    assert f"{part.roc_auc.value:.2f}" in roc.get_title()
    point = roc.lines[-1]
    assert np.ravel(point.get_xdata()) == part.confusion[0, 1] / 6
    assert np.ravel(point.get_ydata()) == part.confusion[1, 1] / 6
    shown = [axes for axes in below.axes if axes.images]
    assert len(shown) == len(part.most_wrong) > 1
    for axes, row in zip(shown, part.most_wrong, strict=True):
        np.testing.assert_array_equal(np.asarray(axes.images[0].get_array()), images[row.picture])
        name = row.class_.replace("$", r"\$")
        assert axes.get_title() == f"{row.picture}: {row.probability:.3f}, {name}"
    rendered(figure)


def test_an_evaluation_is_drawn_of_the_split_that_is_asked_for(
    images: np.ndarray, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("jaxnet.report.figures.evaluation.COLUMNS", 1)
    monkeypatch.setattr("jaxnet.report.figures.evaluation.MOST_PICTURES", 2)
    split = Split(images, np.array([0, 1] * 6))
    test = Split(images[:3], np.array([1, 1, 1]))
    dataset = Dataset(split, test, ("no", "yes"))
    evaluation = evaluate(make_model(), dataset)
    for name, pictures in ((None, 3), ("test", 3), ("train", 12)):
        figure = plot_evaluation(evaluation, dataset, split=name)
        texts = [int(text.get_text().split("\n")[0]) for text in figure.subfigs[0].axes[0].texts]
        assert sum(texts) == pictures
        if name is None:  # pictures of one class only
            rendered(figure)
    with pytest.raises(UsageError, match='split is "all"'):
        plot_evaluation(evaluation, dataset, split="all")


def test_noise_is_faded_in_the_figure_of_a_leave_one_out(images: np.ndarray) -> None:
    m, seeds = 8, 2
    labels = np.array([0, 1] * 4)
    dataset = Dataset(Split(images[:m], labels), Split(images[m:], labels[:4]), ("no", "yes"))
    test_without = np.full((seeds, m, 4), 0.5)
    test_without[:, 3, 2] = 0.125  # a change by training picture 3 in both seeds
    test_without[:, 5, 2] = 0.9, 0.4  # one by picture 5 that differs
    result = LeaveOneOut(
        np.full((seeds, m), 0.5),
        np.full((seeds, 4), 0.5),
        np.full((seeds, m, m), 0.5),
        test_without,
        np.full((seeds, m + 1), "learning"),
    )
    figure = plot_influence(summarise_influence(result, dataset, [2]), dataset, title="$title$")
    shown = [(axes.get_title(), axes.images[0].get_alpha()) for axes in figure.axes if axes.images]
    assert shown[COLUMNS : COLUMNS + 3] == [
        ("test 2: no\nP = 0.50", 1),
        ("train 3: yes\n+0.38 ± 0.00", 1),
        ("train 5: yes\n−0.15 ± 0.35 (noise)", FADED),
    ]
    assert figure.get_suptitle() == r"\$title\$"
    np.testing.assert_array_equal(figure.axes[COLUMNS + 1].images[0].get_array(), images[3])
    alone = result._replace(test=None, test_without=None)
    dataset = dataclasses.replace(dataset, test=None)
    rows = plot_influence(summarise_influence(alone, dataset), dataset).subfigs
    assert len(rows) == 1
