"""What is found out about a run that failed is measured: each number can be checked by training."""

import dataclasses
from pathlib import Path
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from conftest import Problem

from jaxnet.activations import leaky_relu, relu
from jaxnet.data.dataset import Dataset, Split
from jaxnet.data.preprocessing import Preprocessing
from jaxnet.errors import UsageError
from jaxnet.evaluation import diagnosis as module
from jaxnet.evaluation.diagnosis import (
    HALVINGS,
    Diagnosis,
    dead_since,
    diagnose,
    largest_rate_that_learns,
    operations,
)
from jaxnet.examples import Examples, make_examples
from jaxnet.network import init_params
from jaxnet.optimizer import sgd
from jaxnet.outcomes import FAILED, any_active
from jaxnet.runs.run import Run, load_run
from jaxnet.runs.train import train
from jaxnet.settings import Settings
from jaxnet.training import fit, start_descent


def make_problem() -> Examples:
    draw = np.random.default_rng(4)
    Y = np.array([[0.0, 1, 1, 0, 1, 0, 0, 1, 0]])
    return make_examples(*jax.device_put((draw.uniform(0, 1, (12, 9)), Y)))


def make_settings(**changes: Any) -> Settings:
    usual: dict[str, Any] = {
        "learning_rate": 1000.0,
        "weight_scale": 0.1,
        "hidden_units": 3,
        "iterations": 200,
        "precision": "float64",
    }
    return Settings(**(usual | changes))


@pytest.mark.parametrize("momentum", [0.0, 0.9])
def test_the_rate_learns_and_twice_the_rate_does_not(momentum: float, x64: None) -> None:
    examples = make_problem()
    largest = largest_rate_that_learns(examples, make_settings(momentum=momentum))
    assert largest is not None
    halvings = np.log2(1000 / largest)
    assert halvings == pytest.approx(round(halvings))
    params = init_params(jax.random.key(0), 12, 3, weight_scale=0.1, dtype=jnp.float64)
    settings: dict[str, Any] = {"momentum": momentum, "iterations": 200}
    for rate, learns in ((largest, True), (2 * largest, False)):
        trained = fit(params, examples.X, examples.Y, learning_rate=rate, **settings)
        assert (trained.outcome == "learning") is learns


def test_the_rate_itself_is_not_tried_but_its_half_is(x64: None) -> None:
    examples = make_problem()
    largest = largest_rate_that_learns(examples, make_settings())
    assert largest is not None
    again = make_settings(learning_rate=2 * largest)
    assert largest_rate_that_learns(examples, again) == largest
    below = largest_rate_that_learns(examples, make_settings(learning_rate=largest))
    assert below is not None
    assert below < largest
    # The smallest rate that is tried is among them.
    above = make_settings(learning_rate=largest * 2**HALVINGS)
    found = largest_rate_that_learns(examples, above)
    assert found is not None
    assert found >= largest


def test_there_may_be_no_such_rate(x64: None) -> None:
    # Settings as above, so that nothing compiles anew.
    assert largest_rate_that_learns(make_problem(), make_settings(learning_rate=1e-6)) is None


def test_the_search_weights_the_pictures_as_the_run_did(x64: None) -> None:
    """Where all weight lies on pictures of one class, the smallest rate learns."""
    X, Y, _ = make_problem()
    settings = make_settings(learning_rate=1e-6)
    assert largest_rate_that_learns(make_examples(X, Y, Y), settings) == 5e-7
    balanced = dataclasses.replace(settings, balanced=True)  # it is done in the examples already
    assert largest_rate_that_learns(make_examples(X, Y, Y), balanced) == 5e-7


def test_operations() -> None:
    """XᵀX takes 2 m² n_x; an iteration of a network about 2 m² n_h."""
    settings = make_settings(hidden_units=3, iterations=100)
    expected = 2 * 7**2 * 5 + 16 * 100 * 2 * 7**2 * 3
    assert HALVINGS == 16
    assert operations(jax.device_put(np.ones((5, 7))), settings) == expected


HUGE_STEP = 2000
KILLER = sgd(lambda t: jnp.where(t == HUGE_STEP, 1e4, 1e-4))


@pytest.mark.parametrize(
    ("basis", "death"),
    [
        *(("pixels", death) for death in (0, 1, 77, 1300)),
        *(("span", death) for death in (0, 2, 130, 1300)),
    ],
)
def test_since_when_it_is_dead(death: int, basis: str, tiny: Problem) -> None:
    """A schedule kills the network by one huge step whose time is known."""
    W2, X = jax.device_put((np.abs(tiny.params["W2"]), np.abs(tiny.X)))
    params, Y = tiny.params | {"W2": W2}, jax.device_put(np.zeros((1, 7)))  # lowers b1 and W1
    if death == 0:
        params |= jax.device_put({"b1": np.asarray(params["b1"]) - 100})
    start = start_descent(params, X, KILLER, basis)
    # The same schedule, which has counted some steps already: so one program kills at any time.
    early = HUGE_STEP - max(death - 1, 0)
    counted = jax.tree.map(
        lambda leaf: leaf + early if np.issubdtype(leaf.dtype, np.integer) else leaf,
        jax.device_get(start.state.opt_state),
    )
    start = dataclasses.replace(start, state=start.state._replace(opt_state=counted))
    assert dead_since(start, make_examples(X, Y), Settings(), iterations=1400) == death


def test_a_leaky_unit_is_never_dead(tiny: Problem) -> None:
    b1 = np.asarray(tiny.params["b1"]) - 100
    lowered = tiny.params | {"b1": jax.device_put(b1)}
    assert (np.asarray(tiny.params["W1"]) @ np.asarray(tiny.X) + b1 < 0).all()
    assert not any_active(lowered, tiny.X, relu)
    assert any_active(lowered, tiny.X, leaky_relu)


# Whole runs.


@pytest.fixture
def data(images: np.ndarray) -> Dataset:
    labels = np.array([0, 1, 0, 0, 1, 0, 0, 1, 0, 1, 0, 0])
    return Dataset(Split(images, labels), None, ("tree", "boat"), "noise")


def train_so(data: Dataset, **settings: Any) -> Run:
    usual: dict[str, Any] = {"hidden_units": 3, "iterations": 40}
    return train(data, Settings(**(usual | settings)))


def test_a_run_that_did_not_fail_has_no_reason(data: Dataset) -> None:
    for rate, outcome in ((0.05, "slow"), (1.0, "learning")):
        run = train_so(data, learning_rate=rate)
        assert diagnose(run) == Diagnosis(outcome, "")
        assert run.outcome == outcome


@pytest.mark.parametrize(
    ("rate", "seed", "outcome"),
    [(1e3, 0, "not finite"), (1e3, 4, "dead"), (100.0, 0, "diverged")],
)
def test_the_rate_is_too_large(rate: float, seed: int, outcome: str, data: Dataset) -> None:
    run = train_so(data, learning_rate=rate, seed=seed)
    result = diagnose(run)
    assert (run.outcome, result.outcome, result.reason) == (outcome, outcome, "rate too large")
    assert result.failed_at == (len(run.costs) - 1 if outcome == "not finite" else None)
    assert (result.dead_since is not None) == (outcome == "dead")
    assert result.searched_down_to == rate / 2**16
    largest = result.learning_rate_that_learns
    assert largest is not None
    assert train_so(data, learning_rate=largest, seed=seed).outcome == "learning"
    assert train_so(data, learning_rate=2 * largest, seed=seed).outcome != "learning"


def test_a_run_that_died_says_when(data: Dataset) -> None:
    since = diagnose(train_so(data, learning_rate=1e3, seed=4)).dead_since
    assert since is not None
    assert since > 1
    for iterations, dead in ((since, True), (since - 1, False)):
        shorter = train_so(data, learning_rate=1e3, seed=4, iterations=iterations)
        assert (shorter.outcome == "dead") is dead


def test_since_when_is_not_searched_with_momentum_or_another_optimizer(data: Dataset) -> None:
    for changes in ({"momentum": 0.9}, {"optimizer": "adam", "learning_rate": 0.1}):
        run = train_so(data, weight_scale=0.0, **changes)
        assert diagnose(run) == Diagnosis("dead", "zero weights")
    assert diagnose(train_so(data, weight_scale=0.0)) == Diagnosis(
        "dead", "zero weights", dead_since=0
    )


def test_a_rate_of_0(data: Dataset) -> None:
    """One unit, which no picture switches on."""
    dark = dataclasses.replace(data, train=data.train._replace(images=data.train.images // 64))
    ends = [train_so(dark, hidden_units=1, learning_rate=0.0, seed=seed) for seed in range(3)]
    dead = [run for run in ends if run.outcome == "dead"]
    assert dead
    assert diagnose(dead[0]) == Diagnosis("dead", "zero rate", dead_since=0)


def test_no_smaller_rate_learns(data: Dataset) -> None:
    run = train_so(data, learning_rate=1e30)
    expected = Diagnosis(
        "not finite", "no smaller rate learns", failed_at=1, searched_down_to=1e30 / 2**16
    )
    assert diagnose(run) == expected


def test_the_first_cost_is_not_finite(data: Dataset) -> None:
    run = train_so(data, weight_scale=3e38)
    assert diagnose(run) == Diagnosis("not finite", "first cost not finite", failed_at=0)


def test_another_optimizer_is_not_searched_for(data: Dataset) -> None:
    run = train_so(data, optimizer="adam", learning_rate=100.0)
    assert diagnose(run) == Diagnosis("diverged", "not sgd")


def test_a_search_that_would_take_long(data: Dataset, monkeypatch: pytest.MonkeyPatch) -> None:
    run = train_so(data, learning_rate=100.0)
    assert run.examples is not None
    assert run.settings is not None
    count = operations(run.examples.X, run.settings)
    monkeypatch.setattr(module, "MOST_OPERATIONS", count - 1)
    assert diagnose(run) == Diagnosis("diverged", "search too long")
    monkeypatch.setattr(module, "MOST_OPERATIONS", count)
    assert diagnose(run).reason == "rate too large"


def test_the_weights_are_those_of_the_run(data: Dataset) -> None:
    """Balanced, float64, and with another preprocessing."""
    settings = Settings(
        hidden_units=3, iterations=40, learning_rate=500.0, balanced=True, precision="float64"
    )
    preprocessing = Preprocessing(5, 4, "rgb", "unit")
    run = train(data, settings, preprocessing)
    assert run.outcome in FAILED
    result = diagnose(run)
    assert result.reason == "rate too large"
    rate = result.learning_rate_that_learns
    assert rate is not None
    for chosen, learns in ((rate, True), (2 * rate, False)):
        again = train(data, dataclasses.replace(settings, learning_rate=chosen), preprocessing)
        assert (again.outcome == "learning") is learns


def test_the_generator_is_that_of_the_run(data: Dataset) -> None:
    with jax.default_prng_impl("rbg"):
        run = train_so(data, learning_rate=100.0, seed=6)
        expected = diagnose(run)
    assert diagnose(run) == expected
    # The same seed with the other generator is another network, to which this matters.
    another = diagnose(train_so(data, learning_rate=100.0, seed=6))
    assert another.learning_rate_that_learns != expected.learning_rate_that_learns


def test_a_run_that_was_loaded_needs_its_pictures(data: Dataset, tmp_path: Path) -> None:
    run = train_so(data, learning_rate=100.0)
    loaded = load_run(run.save(tmp_path / "run"))
    with pytest.raises(UsageError, match="has no pictures"):
        diagnose(loaded)
    assert diagnose(loaded, data) == diagnose(run)
    other = dataclasses.replace(data, train=data.train._replace(images=data.train.images[::-1]))
    with pytest.raises(UsageError, match="other pictures"):
        diagnose(loaded, other)
    fine = load_run(train_so(data, learning_rate=1.0).save(tmp_path / "fine"))
    assert diagnose(fine) == Diagnosis("learning", "")  # which needs none
    with pytest.raises(UsageError, match="the run has no settings"):
        diagnose(dataclasses.replace(run, settings=None))
