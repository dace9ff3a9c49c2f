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

from jaxnet.data.dataset import Dataset, Split
from jaxnet.data.load import load_dataset
from jaxnet.errors import UsageError
from jaxnet.evaluation.learning_rate import ChosenRate, choose_learning_rate
from jaxnet.examples import Examples, make_examples
from jaxnet.network import init_params
from jaxnet.report.learning_rate import describe_chosen_rate
from jaxnet.runs.run import load_run
from jaxnet.runs.train import train
from jaxnet.settings import Settings
from jaxnet.training import fit

Run = Callable[..., Result]

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
    ("changes", "late"), [({}, 10), ({"batch": 3, "momentum": 0.5, "iterations": 20}, 3)]
)
def test_trainings_one_by_one_choose_the_same_rate(
    changes: dict[str, Any], late: int, x64: None
) -> None:
    """The late cost is the mean of 5 % of the iterations, and of an epoch of 3 batches at least."""
    examples, settings = make_problem(), make_settings(**changes)
    chosen = choose_learning_rate(examples, settings, rates=RATES, seeds=3)
    worst, outcomes = [], []
    for rate in sorted(RATES):
        fits = [
            fit(
                init_params(jax.random.key(seed), 12, 3, weight_scale=0.1, dtype=jnp.float64),
                *examples[:2],
                learning_rate=rate,
                momentum=settings.momentum,
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


def test_only_the_training_set_chooses_and_patience_does_not_stop_it() -> None:
    draw = np.random.default_rng(3)
    images = draw.integers(0, 256, (12, 2, 2, 3)).astype(np.uint8)
    labels = np.arange(8) % 2
    pictures, other = Split(images[:8], labels), Split(images[8:], labels[:4])
    data = Dataset(pictures, None, ("a", "b"))
    settings = Settings(iterations=30, hidden_units=2, weight_scale=0.5)
    with_others = dataclasses.replace(data, test=other, validation=other)
    found = [
        choose_learning_rate(data, settings, rates=[0.1, 1], seeds=2),
        choose_learning_rate(
            with_others, dataclasses.replace(settings, patience=1), rates=[0.1, 1], seeds=2
        ),
    ]
    assert found[0].rate == found[1].rate
    np.testing.assert_array_equal(found[0].worst_costs, found[1].worst_costs)


def test_rates_with_which_the_decay_overshoots_are_left_out(x64: None) -> None:
    settings = make_settings(weight_decay=0.1)
    chosen = choose_learning_rate(make_problem(), settings, rates=(0.3, 20, 20.1, 30), seeds=1)
    assert chosen.rates.tolist() == [0.3, 20]
    assert chosen.left_out == (20.1, 30)
    with pytest.raises(UsageError, match=r"overshoots with every learning rate of 20\.1, 30"):
        choose_learning_rate(make_problem(), settings, rates=(20.1, 30))


@pytest.mark.parametrize(
    ("changes", "rates", "found"),
    [
        ({"optimizer": "adam"}, RATES, "many networks is adam, by which the learning rate is to"),
        ({"shift": 1}, RATES, "shift is 1 for many networks, by which"),
        ({}, (1e-9, 1e-8), "no learning rate of 1e-09, 1e-08 learns within 200 iterations, from"),
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
def test_the_command_trains_every_seed_at_the_chosen_rate(jaxnet: Run, folder: Path) -> None:
    quick = ("--no-page", "--size", 8, "--iterations", 20, "--data", folder, "--json")
    result = jaxnet("train", *quick, "--learning-rate", "auto", "--momentum", 0.5, "--seeds", 2)
    answer, run = json.loads(result.out), load_run("runs/001")
    data, settings = load_dataset(folder, size=8), Settings(iterations=20, momentum=0.5)
    chosen = choose_learning_rate(data, settings)
    assert run.settings is not None
    assert run.settings.learning_rate == answer["settings"]["learning_rate"] == chosen.rate
    assert answer["learning_rate_choice"]["rate"] == chosen.rate
    assert answer["learning_rate_choice"]["outcomes"] == chosen.outcomes.tolist()
    assert describe_chosen_rate(chosen) in " ".join(result.err.split())
    assert result.err.count("learning rate ") == 1
    typed = dataclasses.replace(settings, learning_rate=chosen.rate, seed=run.settings.seed)
    np.testing.assert_array_equal(train(data, typed).costs, run.costs)


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
