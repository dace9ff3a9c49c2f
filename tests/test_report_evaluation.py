"""An evaluation in words."""

import dataclasses

import numpy as np
import pytest
from test_evaluate import make_dataset, make_model
from test_report_audit import printed

from jaxnet.evaluation.baselines import Comparison
from jaxnet.evaluation.evaluate import Evaluation, Threshold, evaluate
from jaxnet.report.evaluation import (
    describe_baseline,
    describe_comparison,
    describe_threshold,
    describe_verdict,
    evaluation_tables,
    summary_line,
)


@pytest.fixture(scope="module")
def evaluation() -> Evaluation:
    return evaluate(make_model(), make_dataset())


def seen(evaluation: Evaluation, same: bool | None) -> Evaluation:
    splits = {
        name: dataclasses.replace(part, seen_in_training=name == "train" if same else None)
        for name, part in evaluation.splits.items()
    }
    return evaluation._replace(same_data_as_in_training=same, splits=splits)


def test_all_tables(evaluation: Evaluation) -> None:
    scores, baselines, confusion, calibration = map(printed, evaluation_tables(evaluation))
    rows = {line.split("│")[1].strip(): line for line in scores.splitlines() if "│" in line}
    assert "2/6 = 33.3 % [9.7–70.0 %]" in rows["accuracy"]
    assert list(rows) == [
        "accuracy",
        "balanced accuracy",
        "precision",
        "recall",
        "ROC AUC",
        "log loss",
        "Brier score",
    ]
    test = evaluation.splits["test"]
    auc, low, high = test.roc_auc
    assert f"{auc:.3f} [{low:.3f}–{high:.3f}]" in rows["ROC AUC"]
    assert "%" not in rows["log loss"]
    tested = [line for line in baselines.splitlines() if "(tested)" in line]
    assert len(tested) == 2
    assert all("logistic regression, fitted on train (tested)" in line for line in tested)
    assert "3/6" in tested[0]
    assert "50.0 %" in tested[0]
    cells = [
        [cell.strip() for cell in line.split("│")[1:-1]]
        for line in confusion.splitlines()
        if "│" in line
    ]
    assert cells == [
        ["test", "dark", "1", "2"],
        ["test", "bright", "2", "1"],
        ["train", "dark", "2", "2"],
        ["train", "bright", "0", "4"],
    ]
    line = next(line for line in calibration.splitlines() if "0.4–0.5" in line)
    assert "0.50 → 0.67 [0.21–0.94] of 3" in line
    assert line.count("of 2") == 1  # of train


def test_headings_say_what_was_trained_on(evaluation: Evaluation) -> None:
    def heading(evaluation: Evaluation) -> str:
        return printed(evaluation_tables(evaluation)[0])

    assert "train (seen in training)" in heading(seen(evaluation, True))
    assert "train (of other data)" in heading(seen(evaluation, False))
    assert "train (perhaps seen in training)" in heading(seen(evaluation, None))
    assert "test (without 3 that" not in heading(evaluation)
    kept = evaluation._replace(leaks_excluded=3)
    assert "test (without 3 that are also in train)" in heading(kept)


def test_the_threshold() -> None:
    assert describe_threshold(Threshold(0.5, "given")) == (
        "Threshold: 0.5, fixed in advance: the more probable class"
    )
    assert describe_threshold(Threshold(0.7, "given")) == "Threshold: 0.7, fixed in advance"
    assert describe_threshold(Threshold(0.123456, "train")) == (
        "Threshold: 0.1235, the one with the highest accuracy on train"
    )


def test_the_verdict_names_the_baseline_and_leaves_out_what_was_trained_on(
    evaluation: Evaluation,
) -> None:
    test = dataclasses.replace(evaluation.splits["test"], mcnemar=Comparison(9, 1, 0.0214))
    evaluation = evaluation._replace(splits=evaluation.splits | {"test": test})
    verdict = (
        "test: only the network is right on 9, only the baseline on 1: "
        "better than logistic regression, fitted on train (p = 0.021)"
    )
    assert describe_verdict(seen(evaluation, True)) == [verdict]
    unknown = describe_verdict(seen(evaluation, None))
    assert unknown[0] == verdict
    assert unknown[1].startswith("train (perhaps seen in training): only the network")


def test_every_baseline_has_a_name(evaluation: Evaluation) -> None:
    baselines = evaluation.splits["test"].baselines
    assert [describe_baseline(name, baseline) for name, baseline in baselines.items()] == [
        'always "dark", the more frequent in train',
        'always "dark", the best constant in hindsight',
        "brightness alone, fitted on train",
        "logistic regression, fitted on train",
    ]


@pytest.mark.parametrize(
    ("p", "words"),
    [
        (0.0501, "not better than guessing (p = 0.0501)"),
        (0.0499, "worse than guessing (p = 0.0499)"),
        (0.05, "not better than guessing (p = 0.05)"),
        (0.25, "not better than guessing (p = 0.25)"),
        (0.0123, "worse than guessing (p = 0.012)"),
        (0.00012, "worse than guessing (p = 1e-04)"),
    ],
)
def test_the_digits_show_on_which_side_of_the_level_a_p_value_is(p: float, words: str) -> None:
    assert describe_comparison(Comparison(10, 22, p), "guessing") == words


def test_the_summary_line() -> None:
    labels = np.repeat([0, 1], [17, 33])
    predictions = np.concatenate([np.repeat([0, 1], [8, 9]), np.repeat([1, 0], [26, 7])])
    assert summary_line("test", labels, predictions, ("non-cat", "cat")) == (
        'test 34/50 = 68 % [54–79 %] · always "cat" would score 66 % '
        "· not better than guessing (p = 1.00)"
    )
    better = summary_line("test", labels, labels, ("non-cat", "cat"))
    assert better == (
        'test 50/50 = 100 % [93–100 %] · always "cat" would score 66 % '
        "· better than guessing (p = 2e-05)"
    )
    worse = summary_line("test", labels, 1 - labels, ("non-cat", "cat"))
    assert "worse than guessing (p = 2e-10)" in worse
    labels = np.array([0, 0, 1])
    line = summary_line("train", labels, labels, ("other", "cat"), seen=True)
    assert line == 'train 3/3 = 100 %, trained on · always "other" would score 67 %'


def test_numbers_that_are_not_defined(evaluation: Evaluation) -> None:
    dataset = dataclasses.replace(make_dataset(), test=None)
    strict = evaluate(make_model(), dataset, 1)
    precision = next(
        line for line in printed(evaluation_tables(strict)[0]).splitlines() if "precision" in line
    )
    assert "not defined" in precision
