"""The simulation of forecasts: what is drawn and counted."""

import numpy as np
import pytest
from test_forecast import curve_of
from test_forecast import draw as draw_curve_data

from experiments import forecast_coverage
from experiments.forecast_coverage import KINDS, Covered, draw, main, plot
from jaxnet import Forecast, UsageError, forecast
from jaxnet.evaluation.scores import Interval


@pytest.fixture(scope="module")
def result() -> Forecast:
    return forecast(curve_of(draw_curve_data(60, 0.4, 0.0, 2)))


def test_each_kind_is_drawn_with_its_signal_and_its_noise() -> None:
    for kind in KINDS:
        X, labels = draw(kind, np.random.default_rng(0), 30)
        assert X.dtype == np.float32
        assert X.shape == (1024 if kind.startswith("sketches") else 1000, 30)
        assert 4 < labels.sum() < 26
    clean, shuffled, noisy = (
        draw(kind, np.random.default_rng(0), 200)[1]
        for kind in ("sketches", "sketches-none", "sketches-noisy")
    )
    assert shuffled.sum() == clean.sum()
    assert 0.3 < (shuffled != clean).mean() < 0.6
    assert (noisy != clean).mean() == pytest.approx(0.2, abs=0.09)
    X, labels = draw("weak", np.random.default_rng(0), 2000)
    apart = X[:, labels == 1].mean(axis=1) - X[:, labels == 0].mean(axis=1)
    assert apart[:120].mean() == pytest.approx(0.14, abs=0.01)
    assert apart[120:].mean() == pytest.approx(0, abs=0.01)


def test_a_band_counts_if_it_contains_the_truth(result: Forecast) -> None:
    bands = [Interval(0.5, 0.4, 0.6), Interval(0.7, 0.6, 0.9), Interval(0.3, 0.1, 0.5)]
    forecasts = [result._replace(then=band, verdict="unclear") for band in bands]
    forecasts[0] = forecasts[0]._replace(verdict="flat")
    one = Covered("weak", 0.5, 0.6, forecasts)
    assert one.covered() == 2
    assert one.verdicts() == {"rises": 0, "flat": 1, "unclear": 2}
    (panel,) = plot([one], 60).axes
    assert panel.get_title() == "weak: 2 of 3"


def test_the_kind_that_is_covered_least_decides(
    result: Forecast, monkeypatch: pytest.MonkeyPatch
) -> None:
    inside, outside = Interval(0.7, 0.6, 0.8), Interval(0.9, 0.8, 0.9)
    covered = {"weak": 5, "strong-noisy": 3}

    def simulate(kind: str, m: int, data_sets: int, large_sets: int, seed: int) -> Covered:
        bands = [inside] * covered[kind] + [outside] * (data_sets - covered[kind])
        return Covered(kind, 0.6, 0.7, [result._replace(then=band) for band in bands])

    monkeypatch.setattr(forecast_coverage, "simulate", simulate)
    answer = main(kinds="weak,strong-noisy", data_sets=5)
    assert not answer.holds
    assert answer.numbers["the fewest of 100"] == pytest.approx(60)
    assert answer.numbers["of the kind"] == "strong-noisy"
    assert answer.numbers["of 100, all kinds"] == pytest.approx(80)
    assert main(kinds="weak", data_sets=5).holds


def test_a_kind_that_is_none() -> None:
    with pytest.raises(UsageError, match='"dogs" is no kind'):
        main(kinds="weak,dogs")


@pytest.mark.slow
def test_a_few_data_sets() -> None:
    answer = main(kinds="weak", m=40, data_sets=2, large_sets=1)
    counts = answer.numbers["counts"]["weak"]
    assert 0.5 < counts["now"] < counts["far"] < 1
    assert 0 <= counts["covered"] <= 2
    assert counts["rises"] + counts["flat"] + counts["unclear"] == 2
    assert answer.figure is not None
