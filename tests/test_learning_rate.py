"""The chosen learning rate is the one that trainings one by one choose; else it is refused."""

import dataclasses
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from conftest import Result

from jaxnet.data.load import load_dataset
from jaxnet.errors import UsageError
from jaxnet.evaluation.learning_rate import ChosenRate, choose_learning_rate, place_of_best
from jaxnet.examples import Examples, make_examples
from jaxnet.network import init_params
from jaxnet.report.json import to_json
from jaxnet.report.learning_rate import describe_chosen_rate
from jaxnet.runs.run import load_run
from jaxnet.runs.train import train
from jaxnet.settings import Settings
from jaxnet.training import fit

Run = Callable[..., Result]

TRAIN = (
    *("train", "--no-page", "--size", 8, "--iterations", 20, "--momentum", 0.5),
    *("--learning-rate", "auto"),
)
RATES = (3.0, 0.03, 0.3, 30.0)


def make_problem() -> Examples:
    draw = np.random.default_rng(4)
    Y = jnp.asarray([[0.0, 1, 1, 0, 1, 0, 0, 1, 0]])
    return make_examples(jnp.asarray(draw.uniform(-1, 1, (12, 9))), Y)


def make_settings(**changes: Any) -> Settings:
    usual: dict[str, Any] = {"weight_scale": 0.1, "hidden_units": 3, "iterations": 200, "seed": 5}
    return Settings(**(usual | {"precision": "float64"} | changes))


def make_chosen(
    rate: float, worst: list[float], outcomes: list[list[str]], left_out: tuple[float, ...] = ()
) -> ChosenRate:
    rates = np.array([0.1, 0.2, 0.5][: len(worst)])
    return ChosenRate(rate, rates, np.array(worst), np.array(outcomes), left_out)


@pytest.mark.parametrize(
    ("changes", "late"),
    [({"weight_decay": 0.01}, 10), ({"batch": 3, "momentum": 0.5, "iterations": 20}, 3)],
)
def test_trainings_one_by_one_choose_the_same_rate(
    changes: dict[str, Any], late: int, x64: None
) -> None:
    """The late cost is the mean of 5 % of the iterations, and of an epoch of 3 batches at least.

    Rates above 2 / λ are not tried.
    """
    examples, settings = make_problem(), make_settings(**changes)
    above = (250.0,) if settings.weight_decay else ()
    chosen = choose_learning_rate(examples, settings, rates=(*above, *RATES), seeds=3)
    assert chosen.left_out == above
    worst, outcomes = [], []
    for rate in sorted(RATES):
        fits = [
            fit(
                init_params(jax.random.key(seed), 12, 3, weight_scale=0.1, dtype=jnp.float64),
                *examples[:2],
                learning_rate=rate,
                momentum=settings.momentum,
                weight_decay=settings.weight_decay,
                batch=settings.batch,
                seed=seed,
                iterations=settings.iterations,
            )
            for seed in (5, 6, 7)
        ]
        outcomes.append([one.outcome for one in fits])
        costs = [one.costs[-late:].mean() for one in fits if one.outcome == "learning"]
        worst.append(max(costs, default=np.inf))
    assert chosen.rates.tolist() == sorted(RATES)
    assert chosen.outcomes.tolist() == outcomes
    np.testing.assert_allclose(chosen.worst_costs, worst, rtol=1e-8)
    all_learn = [row == 3 * ["learning"] for row in outcomes]
    assert any(all_learn)
    assert not all(all_learn)
    assert chosen.rate == sorted(RATES)[int(np.where(all_learn, worst, np.inf).argmin())]


@pytest.mark.parametrize(
    ("worst", "learning", "place"),
    [
        ([0.3, 0.1, 0.2, 0.5], [2, 2, 2, 2], 1),
        ([0.3, 0.1, 0.2, 0.1], [2, 2, 2, 2], 3),  # of equal costs that of the largest rate
        ([0.3, 0.2, 0.1, np.inf], [2, 2, 1, 0], 1),  # not where fewer learn
        ([np.inf, 0.4, 0.3, 0.1], [0, 1, 1, 0], 2),
    ],
)
def test_the_lowest_cost_counts_where_the_most_seeds_learn(
    worst: list[float], learning: list[int], place: int
) -> None:
    outcomes = [count * ["learning"] + (2 - count) * ["plateau"] for count in learning]
    assert place_of_best(np.array(worst), np.array(outcomes)) == place


@pytest.mark.parametrize(
    ("changes", "rates", "found"),
    [
        ({"optimizer": "adam"}, RATES, "many networks is adam, by which the learning rate is to"),
        ({"shift": 1}, RATES, "shift is 1 for many networks, by which"),
        (
            {"weight_decay": 0.01},
            (1e-9, 1e-8, 1e-7, 1e-6),  # as many as above, so that nothing compiles anew
            "no learning rate of 1e-09, 1e-08, 1e-07, 1e-06 learns within 200 iterations, from",
        ),
        ({"weight_decay": 0.1}, (20.1, 30), "overshoots with every learning rate of 20.1, 30"),
        ({}, ((0.1, 0.2),), "rates holds pairs"),
        ({}, (), "rates is empty"),
    ],
)
def test_what_cannot_be_chosen_is_refused(
    changes: dict[str, Any], rates: Any, found: str, x64: None
) -> None:
    with pytest.raises(UsageError, match=found):
        choose_learning_rate(make_problem(), make_settings(**changes), rates=rates, seeds=3)


@pytest.mark.parametrize(
    ("chosen", "said"),
    [
        (
            make_chosen(0.2, [0.012, 0.003, 0.25], 3 * [["learning", "learning"]]),
            "learning rate 0.2: of 3 rates from 0.1 to 0.5 that with the lowest cost of its worst "
            "of 2 seeds, 0.003; all 2 learn; at 0.5 that cost is 0.25",
        ),
        (
            make_chosen(0.1, [0.012, 0.003], [["learning", "dead"], ["dead", "dead"]], (1.0, 2.0)),
            "learning rate 0.1: of 2 rates from 0.1 to 0.2 that with the lowest cost of its worst "
            "of 2 seeds, 0.012; 1 of 2 learns; at 0.2 none of 2 learns; smaller rates were not "
            "tried; a rate of 1 or more was not tried: with it the weight decay overshoots",
        ),
        (
            make_chosen(0.1, [0.012], [["learning"]]),
            "learning rate 0.1: of 1 rate from 0.1 to 0.1 that with the lowest cost of its worst "
            "of 1 seed, 0.012; 1 of 1 learns; larger rates were not tried; smaller rates were not "
            "tried",
        ),
    ],
)
def test_words(chosen: ChosenRate, said: str) -> None:
    assert describe_chosen_rate(chosen) == said


@pytest.mark.usefixtures("undrawn")
def test_the_command_trains_at_the_chosen_rate(jaxnet: Run, folder: Path) -> None:
    """Neither the test set nor a validation set or a patience changes the choice."""
    result = jaxnet(*TRAIN, "--data", folder, "--json")
    answer, run = json.loads(result.out), load_run("runs/001")
    data, settings = load_dataset(folder, size=8), Settings(iterations=20, momentum=0.5)
    assert data.test is not None
    others = dataclasses.replace(data, test=None, validation=data.test)
    chosen = choose_learning_rate(others, dataclasses.replace(settings, patience=1))
    assert run.settings is not None
    assert run.settings.learning_rate == answer["settings"]["learning_rate"] == chosen.rate
    assert answer["learning_rate_choice"] == to_json(chosen)
    assert describe_chosen_rate(chosen) in " ".join(result.err.split())
    typed = dataclasses.replace(settings, learning_rate=chosen.rate)
    np.testing.assert_array_equal(train(data, typed).costs, run.costs)


@pytest.mark.slow
@pytest.mark.usefixtures("undrawn")
@pytest.mark.parametrize("ensemble", [(), ("--ensemble",)])
def test_all_seeds_are_trained_at_one_chosen_rate(
    ensemble: tuple[str, ...], jaxnet: Run, folder: Path
) -> None:
    result = jaxnet(*TRAIN, "--data", folder, "--seeds", 2, *ensemble)
    run = load_run("runs/001")
    assert result.out.count("learning rate ") == 1
    assert run.settings is not None
    assert f"learning rate {run.settings.learning_rate:g}: of 10 rates" in result.out
    assert run.settings.seed in (0, 1)
    np.testing.assert_array_equal(
        train(load_dataset(folder, size=8), run.settings).costs, run.costs
    )


def test_the_command_refuses_what_cannot_have_a_chosen_rate(jaxnet: Run) -> None:
    auto = ("train", "--learning-rate", "auto")
    for options, found in (
        (("--optimizer", "adam"), "many networks is adam, by which the learning rate is to be"),
        (("--shift", 2), "--shift is 2 for many networks, by which"),
        (("--stream",), "--learning-rate auto is given with --stream"),
        (("--resume", "runs/001"), "--learning-rate auto is given with --resume"),
    ):
        result = jaxnet(*auto, *options)
        assert result.code == 2
        assert found in result.err
        assert "Data: " not in result.out, "refused before pictures are read"
    assert jaxnet("leave-one-out", "--learning-rate", "auto").code == 2
