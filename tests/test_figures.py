import dataclasses
import io
from typing import get_args

import jax
import numpy as np
import pytest
from matplotlib.figure import Figure
from PIL import Image

from jaxnet.data.columns import Preprocessing
from jaxnet.data.dataset import Dataset, Split
from jaxnet.many.sweep import Sweep
from jaxnet.network import init_params
from jaxnet.outcomes import Outcome
from jaxnet.report.figures import OUTCOME_COLORS, draw_contact_sheet, draw_sweep, draw_training
from jaxnet.runs.model_file import Model


def rendered(figure: Figure) -> np.ndarray:
    file = io.BytesIO()
    figure.savefig(file, format="png", dpi=40)
    return np.asarray(Image.open(file).convert("RGB"))


def make_model(n_h: int, color: str = "gray") -> Model:
    seen = Preprocessing(6, 5, color)
    params = init_params(jax.random.key(0), seen.n_x, n_h)
    return Model(params, seen, ("no", "yes"), costs=np.linspace(0.7, 0.1, 50))


def test_each_hidden_unit_is_drawn_as_the_picture_of_its_weights() -> None:
    model = make_model(8)
    figure = draw_training(model, 0.6, "a run")
    pictures = [axes.images[0] for part in figure.subfigs for axes in part.axes if axes.images]
    assert len(pictures) == 8
    W1 = np.asarray(model.params["W1"])
    for unit, picture in enumerate(pictures):
        np.testing.assert_array_equal(picture.get_array(), W1[unit].reshape(6, 5))
        assert picture.get_clim() == pytest.approx((-np.abs(W1).max(), np.abs(W1).max()))
    curve = figure.subfigs[0].axes[0].lines[0]
    np.testing.assert_array_equal(curve.get_ydata(), model.costs)
    assert rendered(figure).std() > 0


@pytest.mark.parametrize(("n_h", "color"), [(1, "gray"), (3, "rgb"), (17, "gray"), (40, "rgb")])
def test_any_number_of_units_in_grey_and_in_colour(n_h: int, color: str) -> None:
    figure = draw_training(make_model(n_h, color), 0.6, "a run")
    pictures = [axes for part in figure.subfigs for axes in part.axes if axes.images]
    assert len(pictures) == min(n_h, 32)
    rendered(figure)


def test_names_with_dollar_signs_are_no_formulas(images: np.ndarray) -> None:
    classes = (r"a $\frac{$ b", "5$")
    model = dataclasses.replace(make_model(2), classes=classes)
    rendered(draw_training(model, 0.6, r"from $\frac{$ to $x$"))
    dataset = Dataset(Split(images, np.array([0, 1] * 6)), None, classes, r"$\frac{$")
    rendered(draw_contact_sheet(dataset, Preprocessing(8, 6)))


@pytest.mark.parametrize("color", ["gray", "rgb"])
def test_a_network_of_zeros_can_be_drawn(color: str) -> None:
    model = make_model(2, color)
    zeros = {name: 0 * leaf for name, leaf in model.params.items()}
    rendered(draw_training(dataclasses.replace(model, params=zeros), 0.6, "zeros"))


def test_the_contact_sheet_shows_colour_and_what_the_network_sees(images: np.ndarray) -> None:
    labels = np.array([0, 1] * 4)
    test = Split(images[8:], np.array([0, 0, 0, 0]))
    dataset = Dataset(Split(images[:8], labels), test, ("no", "yes"), "noise")
    figure = draw_contact_sheet(dataset, Preprocessing(8, 6))
    first = [axes.images[0].get_array() for axes in figure.subfigs[0].axes if axes.images]
    np.testing.assert_array_equal(first[0], images[1])
    grey = images[1] @ np.array([0.299, 0.587, 0.114]) / 255
    np.testing.assert_allclose(np.asarray(first[4]), grey, rtol=1e-5)
    rendered(figure)


def test_every_network_of_a_sweep_is_a_cell() -> None:
    outcomes = np.array(["learning", "dead", "diverged", "plateau", "not finite", ""])
    grid = np.broadcast_to(outcomes[:, None, None], (6, 2, 3))
    costs = np.linspace(0.001, 0.7, 36).reshape(6, 2, 3)
    results = {"relu": Sweep(costs, grid, costs, None, None)}
    figure = draw_sweep(results, np.geomspace(0.01, 1, 6).tolist(), ["0.1", "he"], "a sweep")
    axes = figure.axes[0]
    cells = axes.images[0].get_array()
    assert cells is not None
    assert cells.shape == (6, 6)
    np.testing.assert_allclose(np.asarray(cells)[:, 0], costs[0].ravel())
    assert np.ma.getmaskarray(np.ma.masked_invalid(cells))[:, 1:].all()
    assert len(axes.images) == 5
    (legend,) = figure.legends
    assert [text.get_text().split(":")[0] for text in legend.get_texts()] == [
        "plateau",
        "diverged",
        "dead",
        "not finite",
    ]
    rendered(figure)
    nothing = {"relu": Sweep(costs * np.nan, np.full((6, 2, 3), ""), costs, None, None)}
    rendered(draw_sweep(nothing, [0.1] * 6, ["0.1", "he"], "nothing yet"))


def test_every_outcome_has_a_colour_of_its_own() -> None:
    assert set(OUTCOME_COLORS) == set(get_args(Outcome))
    assert len({color for color, _ in OUTCOME_COLORS.values()}) == len(OUTCOME_COLORS)


def test_each_activation_of_a_sweep_has_a_panel() -> None:
    grid = np.full((3, 1, 2), "learning")
    parts = {name: Sweep(np.full((3, 1, 2), cost), grid, grid, None, None)
             for name, cost in (("relu", 0.1), ("sigmoid", 0.5))}  # fmt: skip
    figure = draw_sweep(parts, [0.1, 0.2, 0.3], ["he"], "two")
    left, right = figure.axes[:2]
    assert [left.get_title(), right.get_title()] == ["relu", "sigmoid"]
    (first,), (second,) = left.images, right.images
    assert first.norm is second.norm
    assert np.unique(np.asarray(second.get_array())).tolist() == [0.5]
    rendered(figure)
