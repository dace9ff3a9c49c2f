import jax
import numpy as np
import optax
import pytest

import jaxnet
from experiments import minimal
from experiments.minimal import draw_batch, main, update
from jaxnet import (
    Examples,
    Params,
    accuracy,
    backward,
    fit,
    init_params,
    load_dataset,
    loss,
    to_examples,
)
from jaxnet.normals import make_key
from jaxnet.settings import Settings

RATE = 0.0075

forward = jax.jit(jaxnet.forward)  # one program in place of six


@pytest.fixture(autouse=True)
def _forward_is_compiled(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(minimal, "forward", forward)


@pytest.fixture(scope="module")
def splits() -> dict[str, Examples]:
    return to_examples(load_dataset("sketches"), Settings())


@pytest.fixture(scope="module")
def start() -> Params:
    return init_params(make_key(0), 4096)


def test_it_trains_and_predicts_as_the_library_does(
    splits: dict[str, Examples], start: Params, capsys: pytest.CaptureFixture[str]
) -> None:
    (X, Y, _), (X_test, Y_test, _) = splits["train"], splits["test"]
    costs = main(iterations=20)
    fitted = fit(start, X, Y, learning_rate=RATE, iterations=20)
    # One step lowers the cost by 4e-4 of it: another rate or gradient would be noticed.
    np.testing.assert_allclose(costs, fitted.costs, rtol=1e-6)
    out = capsys.readouterr().out
    assert f"cost after    0 iterations: {fitted.costs[0]:.4f}" in out
    for name, columns, labels in (("training", X, Y), ("test", X_test, Y_test)):
        correct = round(float(accuracy(fitted.params, columns, labels)) * labels.size)
        assert f"{name}: {correct} of {labels.size} pictures are predicted correctly" in out
    probability = float(np.asarray(forward(fitted.params, X_test).A2)[0, 0])
    assert f"the first test picture is a cat with the probability {probability:.3f}" in out


def test_an_update_is_one_step_along_the_articles_formulas(
    splits: dict[str, Examples], start: Params
) -> None:
    X, Y, _ = splits["train"]
    optimizer = optax.sgd(RATE)
    after, _, cost = update(start, optimizer.init(start), X, Y, optimizer=optimizer)
    formulas = jax.device_get(jax.jit(backward)(start, X, Y)._asdict())
    for name, before in jax.device_get(start).items():
        np.testing.assert_allclose(after[name], before - RATE * formulas[f"d{name}"], atol=1e-7)
    np.testing.assert_allclose(cost, jax.jit(loss)(start, X, Y), rtol=1e-6)


def test_a_mini_batch_changes_only_which_pictures_a_step_uses(
    splits: dict[str, Examples], start: Params
) -> None:
    X, Y, _ = splits["train"]
    costs = main(iterations=2, batch_size=32)
    x, y = draw_batch(0, X, Y, 32)
    assert (x.shape, y.shape) == ((4096, 32), (1, 32))
    np.testing.assert_allclose(costs[0], jax.jit(loss)(start, x, y), rtol=1e-6)
    assert abs(costs[0] - float(jax.jit(loss)(start, X, Y))) > 1e-5
    # A batch of all pictures is a full batch in another order.
    np.testing.assert_allclose(main(2, batch_size=Y.size), main(2), rtol=1e-6)


def test_a_mini_batch_is_drawn_anew_for_each_step(splits: dict[str, Examples]) -> None:
    X, Y, _ = splits["train"]
    numbers = np.arange(Y.size, dtype=np.float32).reshape(1, -1)
    columns = [np.asarray(draw_batch(t, numbers, Y, 50)[0])[0] for t in (0, 0, 1)]  # type: ignore[arg-type]
    assert len(np.unique(columns[0])) == 50
    np.testing.assert_array_equal(columns[0], columns[1])
    assert set(columns[0]) != set(columns[2])
    # Pictures and labels stay together.
    x, y = draw_batch(3, X, Y, 50)
    for i in (0, 17, 49):
        (place,) = np.flatnonzero((np.asarray(X) == np.asarray(x)[:, i : i + 1]).all(axis=0))
        assert np.asarray(y)[0, i] == np.asarray(Y)[0, place]
