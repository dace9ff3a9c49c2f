"""Trainings, seeds, sweeps and leave-one-outs in words."""

import dataclasses
from typing import Any, get_args

import numpy as np
import pytest
from test_figures import make_run
from test_influence import make_dataset, make_large, make_result
from test_report_audit import printed
from test_spread import PROBABILITIES, make_seeds, make_sweep

from jaxnet.evaluation.diagnosis import Diagnosis, Reason
from jaxnet.evaluation.influence import summarise_influence
from jaxnet.evaluation.spread import compare_seeds, spread_over_seeds, summarise_cells
from jaxnet.many.grid import Grid
from jaxnet.outcomes import Outcome
from jaxnet.report.diagnosis import describe_diagnosis
from jaxnet.report.influence import (
    describe_failures,
    describe_influence,
    describe_noise,
    describe_plan,
    influence_table,
    memorisation_table,
)
from jaxnet.report.run import training_to_json
from jaxnet.report.seeds import describe_seeds
from jaxnet.report.sweep import describe_grid, describe_outcomes, sweep_table
from jaxnet.report.training import describe_costs, parameter_table
from jaxnet.report.words import count, in_short, signed, some, with_outcomes
from jaxnet.runs.run import Run
from jaxnet.settings import Settings


def cells_of(text: str) -> list[list[str]]:
    lines = [line for line in text.splitlines() if "│" in line]
    return [[cell.strip() for cell in line.split("│")[1:-1]] for line in lines]


def test_phrases() -> None:
    assert [count(number, "pair") for number in (0, 1, 2345)] == [
        "0 pairs",
        "1 pair",
        "2,345 pairs",
    ]
    assert some("abc") == "a, b, c"
    assert some("abcde") == "a, b, c and 2 more"
    assert [signed(number) for number in (0.345, -0.345)] == ["+0.34", "−0.34"]
    assert with_outcomes({"": 2, "dead": 1, "slow": 0}) == "2 to be trained, 1 dead"
    assert [in_short(value) for value in (0.0075, "he", 100.0, (0.1, 2.0))] == [
        "0.0075",
        "he",
        "100",
        "0.1 / 2",
    ]


def test_seeds() -> None:
    assert describe_seeds(spread_over_seeds(make_seeds())) == [
        "4 seeds: 1 dead, 2 learning, 1 not finite",
        "train accuracy, the median of the seeds: 100.0 % "
        "(smallest to largest of the seeds: 50.0 to 100.0 %)",
        "train accuracy of the ensemble, by the mean probability: 2/2 = 100.0 % [34.2–100.0 %]",
        "train pictures whose predicted class depends on the seed: 1 of 2; on average 16.7 % of "
        "the seeds predict another class than the majority, most for train 1: 33 %",
        "test accuracy, the median of the seeds: 100.0 % "
        "(smallest to largest of the seeds: 66.7 to 100.0 %)",
        "test accuracy of the ensemble, by the mean probability: 3/3 = 100.0 % [43.9–100.0 %]",
        "test pictures whose predicted class depends on the seed: 1 of 3; on average 11.1 % of "
        "the seeds predict another class than the majority, most for test 1: 33 %",
        "kept: seed 12, the lower median by its last cost, 0.3000; "
        "the test labels play no part in the choice",
    ]


def test_percentiles_are_named_where_there_are_enough_finite_seeds() -> None:
    spread = spread_over_seeds(make_seeds())
    for finite, words in ((20, "5th to 95th percentile"), (19, "smallest to largest")):
        split = compare_seeds(
            np.tile(PROBABILITIES, (6, 1)), np.array([1, 0, 0]), np.arange(24) < finite
        )
        lines = describe_seeds(spread._replace(splits={"test": split}))
        assert f"({words} of the seeds:" in lines[1]
    agreeing = compare_seeds(np.full((3, 2), 0.9), np.array([1, 0]), np.ones(3, bool))
    lines = describe_seeds(spread._replace(splits={"train": agreeing}))
    assert lines[3] == "train pictures whose predicted class depends on the seed: 0 of 2"


def test_sweeps() -> None:
    sweep = make_sweep()
    assert describe_outcomes(sweep) == "2 to be trained, 1 dead, 4 learning, 4 not finite, 1 slow"
    assert describe_grid(sweep.grid, 2500) == (
        "2 activations × 2 learning rates × 1 weight scale × 3 seeds = 12 networks of "
        "2,500 iterations"
    )
    alone = Grid((0.1,), (0.01, "he"), 1)
    assert describe_grid(alone, 5).startswith("1 learning rate × 2 weight scales × 1 seed = 2 net")
    rows = [line.split() for line in printed(sweep_table(summarise_cells(sweep))).splitlines()]
    assert rows[1][:5] == ["activation", "α", "weight", "scale", "learn"]
    assert rows[3][:6] == ["relu", "0.1", "he", "2/3", "0.1000", "0.3000"]
    assert rows[3][6:] == ["0.1200–0.6600", "3", "[1–7]", "0", "[0–1]"]
    assert rows[2][:5] == ["sigmoid", "0.2", "/", "0.3", "he"]
    one = [cell for cell in summarise_cells(sweep) if cell.activation == "relu"]
    assert "activation" not in printed(sweep_table(one))
    without = sweep_table(summarise_cells(sweep._replace(test_accuracies=None)))
    assert printed(without).splitlines()[2].split()[-1] == "–"


def test_leave_one_outs() -> None:
    summary = summarise_influence(make_result(), make_dataset(2, 1))
    assert describe_plan(209, 8, 2500) == (
        "(all 209 training pictures, and all but each of them) × 8 seeds = 1,680 networks of "
        "2,500 iterations"
    )
    outcomes, left_out, seen = describe_influence(summary)
    assert outcomes == "1 dead, 4 learning, 1 slow"
    assert left_out == (
        "left out: 0/2 = 0.0 % [0.0–65.8 %] of the training pictures are predicted correctly by "
        "networks trained without them; that is the median seed, all range from 0.0 to 100.0 %"
    )
    assert seen == 'trained on: 100.0 %; always "no" would score 50.0 %'
    failures = describe_failures(summary)
    assert failures is not None
    assert failures.startswith("1 of 6 networks failed, so the results below are unreliable")
    slow = summary._replace(outcomes={"learning": 5, "slow": 1})
    assert describe_failures(slow) is None
    assert cells_of(printed(memorisation_table(summary))) == [
        ["train 0", "yes", "0.80", "0.50", "+0.30 ± 0.28 (noise)"],
        ["train 1", "no", "0.80", "0.60", "+0.20 ± 0.42 (noise)"],
    ]
    table = influence_table(summary)
    assert table.title == 'what changes P("yes") of test pictures'
    assert cells_of(printed(table)) == [
        ["test 0", "yes", "0.60", "train 0", "yes", "+0.30 ± 0.28 (noise)"],
        ["", "", "", "train 1", "no", "+0.00 ± 0.42 (noise)"],
    ]


def test_what_counts_as_noise_is_said() -> None:
    large, dataset = make_large(), make_dataset(30, 5)
    chosen = describe_noise(summarise_influence(large, dataset))
    assert "t test over 8 seeds" in chosen
    assert "at most one in 20 has a change that is not called noise" in chosen
    covered = "as the test pictures were chosen among all, the changes of all are covered"
    assert covered in chosen
    assert covered not in describe_noise(summarise_influence(large, dataset, [3]))
    rows = cells_of(printed(influence_table(summarise_influence(large, dataset, [3]))))
    assert len(rows) == 5
    assert rows[0][0] == "test 3"
    assert rows[0][3] == "train 2"
    assert "noise" not in rows[0][5]
    assert all("(noise)" in row[5] for row in rows[1:])


def test_the_parameters_of_the_article() -> None:
    text = printed(parameter_table(4096, 8))
    assert cells_of(text) == [
        ["hidden", "W1", "(8, 4096)", "32,768"],
        ["hidden", "b1", "(8, 1)", "8"],
        ["output", "W2", "(1, 8)", "8"],
        ["output", "b2", "(1, 1)", "1"],
        ["sum", "", "32,776 + 9 = 32,785", ""],
    ]


def test_costs() -> None:
    run = dataclasses.replace(make_run(2), seconds=3.21)
    assert describe_costs(run) == ("50 iterations in 3.2 s: cost 0.7000 → 0.1000, learning")


def with_batches(run: Run) -> Run:
    """Make a run in batches of three of seven pictures: two epochs and a batch."""
    return dataclasses.replace(
        run,
        settings=Settings(batch=3),
        origin={"train_pictures": 7},
        costs=np.array([0.7, 0.7, 0.9, 0.4, 0.4, 0.1, 0.3]),
        seconds=1.0,
    )


def test_costs_of_mini_batches() -> None:
    run = with_batches(make_run(2))
    told = "7 iterations (2 epochs) in 1.0 s: mean cost of an epoch 0.7286 → 0.3571, learning"
    assert describe_costs(run) == told
    answer = training_to_json(run)
    assert (answer["iterations"], answer["first_cost"], answer["last_cost"]) == (7, 0.7, 0.3)
    assert (answer["epochs"], answer["last_epoch_cost"]) == (2, pytest.approx(2.5 / 7))
    one = dataclasses.replace(run, costs=run.costs[:4])
    assert describe_costs(one).startswith("4 iterations (1 epoch) in")
    first = dataclasses.replace(run, costs=run.costs[:2])
    assert describe_costs(first).startswith("2 iterations in 1.0 s: cost 0.7000 → 0.7000")
    assert training_to_json(first)["last_epoch_cost"] is None


FACTS: dict[str, Any] = {
    "failed_at": 49,
    "dead_since": 17,
    "learning_rate_that_learns": 0.25,
    "searched_down_to": 1.2e-5,
}


@pytest.mark.parametrize(
    ("outcome", "reason", "sentences"),
    [
        ("learning", "", []),
        ("stopped", "", []),
        ("unfinished", "", []),
        (
            "plateau",
            "",
            [
                "plateau: the cost is that of always predicting the class rate: nothing more has "
                "been learned so far; take more --iterations, a larger --learning-rate or "
                "--weight-scale"
            ],
        ),
        (
            "slow",
            "",
            [
                "slow: the cost went from 0.9000 to 0.7100, still above that of always predicting "
                "the class rate; take more --iterations or a larger --learning-rate"
            ],
        ),
        (
            "diverged",
            "rate too large",
            [
                "diverged: the cost rose from 0.6000 to 0.7100, above that of always predicting "
                "the class rate",
                "the learning rate 4 is too large: 0.25 learns in as many iterations",
            ],
        ),
        (
            "dead",
            "zero weights",
            [
                "dead: all 2 hidden units have been dead since iteration 17: none is active on any "
                "training picture, so only the output bias still learns",
                "all initial weights are 0, so no hidden unit can learn: take a --weight-scale "
                "above 0",
            ],
        ),
        (
            "not finite",
            "no smaller rate learns",
            [
                "not finite: at iteration 49 a cost or a parameter was no longer a finite number; "
                "the last state whose numbers are finite is kept",
                "no rate of α/2, α/4, … down to 1e-05 learns in as many iterations: take a still "
                "smaller one, another --weight-scale or --pixel-scale, or more --iterations",
            ],
        ),
    ],
)
def test_diagnoses(outcome: str, reason: Reason, sentences: list[str]) -> None:
    first = 0.6 if outcome == "diverged" else 0.9
    costs = np.r_[first, np.full(56, 0.5), 0.71, 0.72, 0.71, 0.7]  # the last 5 % of 61 are four
    run = dataclasses.replace(make_run(2), costs=costs, settings=Settings(learning_rate=4.0))
    assert describe_diagnosis(Diagnosis(outcome, reason, **FACTS), run) == sentences


def test_every_outcome_and_every_reason_has_words() -> None:
    run = dataclasses.replace(make_run(2), settings=Settings())
    for reason in get_args(Reason):
        lines = describe_diagnosis(Diagnosis("dead", reason, **FACTS), run)
        assert len(lines) == 1 + bool(reason)
        assert all(line and "{" not in line for line in lines)
    for outcome in set(get_args(Outcome)) - {"learning"}:
        (line,) = describe_diagnosis(Diagnosis(outcome, "", **FACTS), run)
        assert line.startswith(f"{outcome}: ")
    (line,) = describe_diagnosis(Diagnosis("dead", ""), run)
    assert line.startswith("dead: all 2 hidden units are dead: none is active")
