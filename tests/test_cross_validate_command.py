"""`jaxnet cross-validate` as a user types it, and what its report says."""

import json
import signal
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from conftest import Result
from PIL import Image
from test_cross_validation import make_result

from jaxnet.commands import cross_validate as command
from jaxnet.commands import interruption
from jaxnet.errors import UsageError
from jaxnet.evaluation import cross_validation as evaluation
from jaxnet.evaluation.cross_validation import score_cross_validation
from jaxnet.many import folds
from jaxnet.many.candidates import Candidates
from jaxnet.report.cross_validation import (
    describe_cross_validation,
    describe_folds,
    describe_scores,
    settings_table,
)
from jaxnet.report.figures.cross_validation import plot_cross_validation
from jaxnet.settings import Settings, vary

Run = Callable[..., Result]
QUICK = ("--size", 8, "--iterations", 30, "--units", 3, "--weight-scales", "he", "--folds", 3)


def test_the_defaults_are_those_of_the_library() -> None:
    assert (command.FOLDS, command.REPEATS) == (folds.FOLDS, folds.REPEATS)
    assert Candidates().settings(Settings()) == (Settings(),)


@pytest.mark.usefixtures("undrawn")
def test_the_answer_is_that_of_the_library(jaxnet: Run, folder: Path) -> None:
    result = jaxnet(
        "cross-validate", "--data", folder, *QUICK, "--repeats", 2, "--seed", 3,
        "--learning-rates", "0.01,0.1", "--weight-decays", "0,0.1", "--by", "log_loss", "--json",
    )  # fmt: skip
    assert result.code == 0, result.err
    answer = json.loads(result.out)
    from jaxnet import Preprocessing, load_dataset

    data = load_dataset(folder, size=8)
    tried = vary(
        Settings(iterations=30, hidden_units=3, weight_scale="he", seed=3),
        learning_rate=[0.01, 0.1], weight_decay=[0, 0.1],
    )  # fmt: skip
    ours = folds.cross_validate(
        data, tried, Preprocessing(8, 8), folds=3, repeats=2, nested=True, seed=3
    )
    scores = score_cross_validation(ours, "log_loss")
    assert [one["settings"]["learning_rate"] for one in answer["settings"]] == [
        0.01,
        0.01,
        0.1,
        0.1,
    ]
    for mine, expected in zip(answer["settings"], scores.settings, strict=True):
        assert mine["settings"]["weight_decay"] == expected.settings.weight_decay
        for name in ("accuracy", "balanced_accuracy", "log_loss"):
            value, low, high = getattr(expected.scores, name)
            found = mine["scores"][name]
            assert (found["value"], found["low"], found["high"]) == pytest.approx(
                (value, low, high), rel=1e-5
            )
    assert scores.nested is not None
    assert answer["best"] == scores.best
    assert answer["nested"]["chosen"] == scores.nested.chosen.tolist()
    assert answer["nested"]["difference"] == pytest.approx(scores.nested.difference, abs=1e-6)
    assert answer["asked"]["folds"] == 3
    assert (answer["by"], answer["training_size"]) == ("log_loss", scores.training_size)


def test_it_is_said_in_words_and_drawn(jaxnet: Run, folder: Path) -> None:
    options = ("cross-validate", "--data", folder, *QUICK, "--repeats", 2, "--out", "here")
    result = jaxnet(*options)
    assert result.code == 0, result.err
    for part in (
        "1 setting × 3 folds × 2 repeats × 1 seed = 6 networks, in 1 program",
        "networks trained on",
        "accuracy: ",
        "estimated: what networks trained so on",
        "the mean of 3 folds × 2 repeats",
        "approximate: in simulation with 50 pictures",
        "written: here/cross-validation.png",
    ):
        assert part in result.out, part
    assert "nested" not in result.out
    with Image.open("here/cross-validation.png") as image:
        assert min(image.size) > 150
    refused = jaxnet(*options)
    assert refused.code == 2
    assert "is not empty" in refused.err


@pytest.mark.usefixtures("undrawn")
def test_what_cannot_be_is_told_before_anything_is_trained(jaxnet: Run, folder: Path) -> None:
    for options, found in (
        (("--folds", 50), "50 folds, but"),
        (("--patience", 3), "--patience is 3"),
        (("--validation", 0.2), "no setting has a patience"),
        (("--units", "2.5"), "--units holds 2.5"),
        (("--learning-rates", "fast"), '--learning-rates is "fast"'),
        (("--activations", "tanh"), 'activations is "tanh"'),
        (("--folds", 2, "--learning-rates", "0.1,0.2"), "--folds is 2"),
    ):
        result = jaxnet("cross-validate", "--data", folder, *QUICK, *options)
        assert result.code == 2, options
        assert found in result.err, (options, result.err)
        assert not Path("runs").exists()


@pytest.mark.usefixtures("undrawn")
def test_settings_that_all_fail_are_exit_code_1(jaxnet: Run, folder: Path) -> None:
    result = jaxnet(
        "cross-validate", "--data", folder, *QUICK, "--repeats", 2, "--learning-rates", "1e30"
    )
    assert result.code == 1
    assert "6 of 6 networks failed: 6 not finite" in result.out
    assert "no setting has finite numbers in every fold" in result.out


@pytest.mark.usefixtures("undrawn")
def test_ctrl_c_writes_nothing(jaxnet: Run, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def track(sequence: Iterable[Any], *_: Any) -> Iterator[Any]:
        for item in sequence:
            signal.raise_signal(signal.SIGINT)
            yield item

    monkeypatch.setattr(interruption, "show_progress", track)
    result = jaxnet("cross-validate", "--data", folder, *QUICK, "--repeats", 2)
    assert result.code == 130
    assert "stopped: nothing is written" in result.out
    assert not Path("runs").exists()


def test_nested_scores_in_words() -> None:
    scores = score_cross_validation(make_result())
    assert scores.nested is not None
    best, nested, flattery, estimated, simulated = describe_scores(scores)
    assert best.startswith("best of 3 by accuracy: ")
    assert best.endswith("with learning rate 0.003")
    assert "nested, choosing within the other folds: " in nested
    assert "of 6 folds: learning rate 0.00" in nested
    assert f"flatters by {100 * scores.nested.difference:.1f} points" in flattery
    assert "on 20 new pictures" in estimated
    assert "always the more frequent class scores 66.7 %" in estimated
    assert "in simulation with 50 pictures" in simulated
    loss = score_cross_validation(make_result(), "log_loss")
    assert "flatters by" in describe_scores(loss)[2]
    assert "points" not in describe_scores(loss)[2]
    plain = score_cross_validation(make_result()._replace(inner=None))
    assert "nested cross-validation tells by how much" in describe_scores(plain)[1]


def test_an_interval_that_holds_less_often_is_called_approximate(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    simulated = {name: {50: 95, 200: 92} for name in evaluation.CHOICES}
    monkeypatch.setattr(evaluation, "COVERAGE", simulated)
    small = score_cross_validation(make_result())  # 30 pictures
    assert "at least 95 of 100 such intervals" in describe_scores(small)[-1]
    assert not small.coverage["accuracy"].approximate
    simulated["log_loss"][50] = 92
    small = score_cross_validation(make_result())
    assert small.coverage["log_loss"].approximate
    assert describe_scores(small)[-1].startswith("approximate: in simulation with 50 pictures")
    assert "(log loss 92 of 100)" in describe_scores(small)[-1]


def test_failed_settings_come_last_and_are_counted() -> None:
    result = make_result()
    result.probabilities[2] = np.nan
    result.outcomes[2] = "not finite"
    scores = score_cross_validation(result)
    failures, table, *_ = describe_cross_validation(scores)
    assert str(failures) == "12 of 36 networks failed: 24 learning, 12 not finite"
    cells = list(settings_table(scores).columns[1].cells)
    assert cells[-1] == "–"
    assert "–" not in cells[:2]
    assert table.row_count == 3  # type: ignore[union-attr]
    figure = plot_cross_validation(scores, title="of chance")
    labels = [text.get_text() for text in figure.axes[0].get_yticklabels()]
    assert labels[-1] == "nested: choosing, then training"
    assert len(labels) == 4


def test_how_many_networks_are_trained() -> None:
    tried = vary(hidden_units=[2, 4], learning_rate=[0.1, 0.2])
    assert describe_folds(tried, 5, 10, 2, nested=True) == (
        "4 settings × 5 folds (each left out, and each two: 15) × 10 repeats × 2 seeds = "
        "1,200 networks, in 2 programs"
    )


def test_vary() -> None:
    assert vary() == (Settings(),)
    shared = Settings(iterations=7, seed=2)
    made = vary(shared, epochs=[3], hidden_units=[1, 2])
    assert [one.hidden_units for one in made] == [1, 2]
    assert {(one.epochs, str(one.iterations), one.seed) for one in made} == {(3, "None", 2)}
    for values, found in (
        ({"rate": [1]}, "rate is no setting"),
        ({"learning_rate": 0.1}, "learning_rate is 0.1"),
        ({"activation": "relu"}, "activation is 'relu'"),
        ({"learning_rate": [-1.0]}, "learning_rate is -1"),
    ):
        with pytest.raises(UsageError, match=found):
            vary(**values)
