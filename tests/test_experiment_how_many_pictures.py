import dataclasses

import numpy as np
import pytest
from test_forecast import curve_of, draw

from experiments import how_many_pictures
from experiments.how_many_pictures import main, measure
from jaxnet import Settings, train
from jaxnet.data.dataset import Dataset
from jaxnet.data.sketches import draw_sketches

SETTINGS = Settings(iterations=200, learning_rate=0.03)


@pytest.mark.parametrize(
    ("signal", "measured", "holds"), [(0.3, 0.85, True), (0.3, 0.5, False), (0.0, 0.5, False)]
)
def test_it_holds_if_the_curve_rises_and_the_band_contains_what_is_measured(
    signal: float, measured: float, holds: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    curve = curve_of(draw(160, signal, 0.0, 3))
    monkeypatch.setattr(how_many_pictures, "learning_curve", lambda *given, **how: curve)
    asked = []

    def measure(*given: object) -> float:
        asked.append(given)
        return measured

    monkeypatch.setattr(how_many_pictures, "measure", measure)
    result = main(seeds=3)
    assert result.holds == holds
    assert asked == [(Settings(), 640, 2000, 3)]
    assert result.numbers["with four times the pictures, measured"] == measured
    assert result.figure is not None
    star = result.figure.axes[0].lines[-1]
    assert np.ravel([star.get_xdata(), star.get_ydata()]).tolist() == [640, 100 * measured]


@pytest.mark.slow
def test_the_measured_score_is_the_mean_of_networks_on_other_sketches() -> None:
    data = draw_sketches(24, 30)
    assert data.test is not None
    images, labels = data.test.images, data.test.labels
    scores = []
    for seed in (0, 1):
        run = train(data, dataclasses.replace(SETTINGS, seed=seed))
        right = (run.model.predict_images(images) > 0.5) == labels
        scores.append((right[labels == 1].mean() + right[labels == 0].mean()) / 2)
    assert scores[0] != scores[1]
    assert measure(SETTINGS, 24, 30, 2) == pytest.approx(np.mean(scores))


@pytest.mark.slow
def test_the_curve_of_the_articles_cats_is_flat(cats: Dataset) -> None:
    result = main("catvnoncat", subsets=8)
    assert not result.holds
    assert "with four times the pictures, measured" not in result.numbers
    assert result.numbers["with four times the pictures, forecast"] < 0.6
