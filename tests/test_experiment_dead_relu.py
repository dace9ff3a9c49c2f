from collections.abc import Callable
from pathlib import Path

import chex
import jax
import pytest

from experiments import Result, dead_relu
from experiments.dead_relu import main
from jaxnet.activations import leaky_relu, relu

pytestmark = pytest.mark.slow

FAST = {"seeds": 2, "biases": 2, "largest": 5.0, "iterations": 500}


@pytest.fixture(scope="module")
def result() -> Result:
    return main(**FAST)  # type: ignore[arg-type]


def test_dead_units_stay_as_they_are(result: Result) -> None:
    assert result.holds
    assert result.numbers["units"] == 2 * 2 * 8
    assert result.numbers["units dead at the start"] == 16
    assert result.numbers["of these moved, ReLU"] == 0
    assert result.numbers["of these active after training, ReLU"] == 0
    assert result.numbers["largest gradient of a dead unit, ReLU"] == 0.0


def test_leaky_units_move_and_come_back(result: Result) -> None:
    dead = result.numbers["units dead at the start"]
    assert result.numbers["of these moved, leaky ReLU"] == dead
    assert result.numbers["of these active after training, leaky ReLU"] > dead / 4
    assert result.numbers["share that revived at this bias, leaky ReLU"] >= 0.25
    assert result.numbers["first bias that kills nine in ten, in typical Z1"] == -5.0


def test_biases_that_are_not_large_kill_too_few_to_tell() -> None:
    result = main(seeds=1, biases=2, largest=0.5, iterations=5)
    assert not result.holds
    assert result.numbers["first bias that kills nine in ten, in typical Z1"] == "none"


def test_with_small_weights_a_leaky_unit_moves_but_does_not_come_back() -> None:
    result = main(**FAST, weight_scale="0.01", learning_rate=0.0075)  # type: ignore[arg-type]
    assert not result.holds
    dead = result.numbers["units dead at the start"]
    assert dead == 16
    assert result.numbers["of these moved, leaky ReLU"] == dead
    assert result.numbers["of these active after training, leaky ReLU"] == 0


@pytest.mark.parametrize("impostor", ["ReLU", "leaky ReLU"])
def test_it_is_relu_that_stays_dead_and_leaky_relu_that_moves(
    impostor: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = leaky_relu if impostor == "ReLU" else relu
    monkeypatch.setitem(dead_relu.HIDDEN, impostor, other)
    result = main(seeds=1, biases=2, iterations=100)
    assert not result.holds
    moved = result.numbers[f"of these moved, {impostor}"]
    assert moved == (result.numbers["units dead at the start"] if impostor == "ReLU" else 0)


def test_the_networks_are_those_of_the_seeds(
    monkeypatch: pytest.MonkeyPatch, h5: Callable[..., Path]
) -> None:
    keys = []

    def spy(key: jax.Array, *arguments: object, **settings: object) -> None:
        keys.append(key)
        if len(keys) == 2:
            raise StopAsyncIteration  # both keys are recorded

    monkeypatch.setattr(dead_relu, "init_params", spy)
    with pytest.raises(StopAsyncIteration):
        main(str(h5()), seed=3, seeds=2)
    chex.assert_trees_all_equal(keys, [jax.random.key(3), jax.random.key(4)])
