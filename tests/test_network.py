import by_numpy
import chex
import jax
import jax.numpy as jnp
import jitted
import numpy as np
import pytest
from conftest import Problem

from jaxnet.activations import ACTIVATIONS, Activation, relu
from jaxnet.backprop import backward
from jaxnet.errors import UsageError
from jaxnet.network import (
    accuracy,
    count_params,
    cross_entropy,
    forward,
    forward_from,
    init_params,
    loss,
    predict,
)

ALL = pytest.mark.parametrize("hidden", ACTIVATIONS.values(), ids=lambda g: g.name)


def test_the_article_s_network_has_32785_parameters() -> None:
    params = init_params(jax.random.key(0), 4096)
    shapes = {name: leaf.shape for name, leaf in params.items()}
    assert shapes == {"W1": (8, 4096), "b1": (8, 1), "W2": (1, 8), "b2": (1, 1)}
    assert count_params(params) == 32_776 + 9 == 32_785


def test_weights_are_small_and_random_and_biases_are_zero() -> None:
    params = init_params(jax.random.key(0), 4096, 100)
    W1 = np.asarray(params["W1"])
    assert W1.std() == pytest.approx(0.01, rel=0.01)
    assert W1.mean() == pytest.approx(0, abs=1e-4)
    assert not np.any(params["b1"])
    assert not np.any(params["b2"])


def test_he_s_weights_have_the_variance_2_over_the_inputs_of_their_layer() -> None:
    n_x, n_h = 5, 20_000  # so many that the standard deviations are known to 1 %
    params = init_params(jax.random.key(0), n_x, n_h, weight_scale="he")
    W1, W2 = np.asarray(params["W1"]), np.asarray(params["W2"])
    assert W1.std() == pytest.approx((2 / n_x) ** 0.5, rel=0.02)
    assert W2.std() == pytest.approx((2 / n_h) ** 0.5, rel=0.02)


def test_a_weight_scale_may_be_a_traced_number() -> None:
    def draw(weight_scale: float) -> jax.Array:
        return init_params(jax.random.key(0), 5, 3, weight_scale=weight_scale)["W1"]

    chex.assert_trees_all_close(jax.jit(draw)(0.3), draw(0.3), rtol=1e-6)


def test_one_key_is_one_network_in_both_precisions(x64: None) -> None:
    single = init_params(jax.random.key(3), 20)
    double = init_params(jax.random.key(3), 20, dtype=jnp.float64)
    assert double["W1"].dtype == jnp.float64
    rounded = jax.tree.map(lambda leaf: np.asarray(leaf, np.float32), double)
    chex.assert_trees_all_equal(single, rounded)
    with jax.enable_x64(False):
        narrow = init_params(jax.random.key(3), 20)
    chex.assert_trees_all_equal(narrow, single)


def test_the_weights_of_the_two_layers_are_drawn_independently() -> None:
    params = init_params(jax.random.key(0), 1, 5000)
    correlation = np.corrcoef(np.ravel(params["W1"]), np.ravel(params["W2"]))[0, 1]
    assert abs(correlation) < 0.1


def test_float64_is_refused_where_jax_would_make_it_float32() -> None:
    with pytest.raises(UsageError, match="enable_x64"):
        init_params(jax.random.key(0), 5, dtype=jnp.float64)


@ALL
def test_forward_and_loss_against_numpy(hidden: Activation, tiny: Problem) -> None:
    W1, b1, W2, b2 = (np.asarray(tiny.params[name]) for name in ("W1", "b1", "W2", "b2"))
    X, Y = np.asarray(tiny.X), np.asarray(tiny.Y)
    g = by_numpy.FUNCTIONS[hidden]
    Z1 = W1 @ X + b1
    Z2 = W2 @ g(Z1) + b2
    A2 = 1 / (1 + np.exp(-Z2))
    np.testing.assert_allclose(by_numpy.predict(tiny.params, X, hidden), A2[0], rtol=1e-15)
    got = jitted.forward(tiny.params, tiny.X, hidden)
    for ours, theirs in zip(got, (Z1, g(Z1), Z2, A2), strict=True):
        np.testing.assert_allclose(ours, theirs, rtol=1e-12)
    losses = -(Y * np.log(A2) + (1 - Y) * np.log(1 - A2))
    cost = jitted.loss(tiny.params, tiny.X, tiny.Y, hidden)
    np.testing.assert_allclose(cost, losses.mean(), rtol=1e-12)
    w = np.asarray(tiny.weights)
    weighted = jitted.loss(tiny.params, tiny.X, tiny.Y, hidden, tiny.weights)
    np.testing.assert_allclose(weighted, (w * losses).sum() / w.sum(), rtol=1e-12)


def test_one_example_is_one_column(tiny: Problem) -> None:
    """Outside of `jit`, as a user calls it."""
    whole = forward(tiny.params, tiny.X)
    chex.assert_shape(whole, [(3, 7), (3, 7), (1, 7), (1, 7)])
    third = jitted.forward(tiny.params, np.asarray(tiny.X)[:, 2:3])
    np.testing.assert_allclose(third.A2, np.asarray(whole.A2)[:, 2:3], rtol=1e-14)


cost_and_gradients = jax.jit(jax.value_and_grad(loss))


@pytest.mark.parametrize(("y", "expected"), [(0.0, 40.0), (1.0, np.exp(-40.0))])
def test_loss_is_exact_where_log_of_the_probability_is_not(y: float, expected: float) -> None:
    one, zero = np.ones((1, 1), np.float32), np.zeros((1, 1), np.float32)
    params = {"W1": one, "b1": zero, "W2": one, "b2": zero}
    cost, gradients = cost_and_gradients(params, 40 * one, np.float32(y) * one)
    assert cost.dtype == np.float32
    assert float(cost) == pytest.approx(expected, rel=1e-6, abs=0)
    assert np.asarray(gradients["b2"]).item() == pytest.approx(1 - y, abs=1e-16)


def test_loss_is_finite_at_extreme_logits() -> None:
    one = np.ones((1, 1), np.float32)
    params = dict.fromkeys(("W1", "b1", "W2", "b2"), one)
    for x, y, expected in ((1e9, 0.0, 1e9), (1e9, 1.0, 0.0), (-1e9, 1.0, np.log1p(np.exp(-1)))):
        cost, _ = cost_and_gradients(params, np.float32(x) * one, np.float32(y) * one)
        assert float(cost) == pytest.approx(expected, rel=1e-6)


@jax.jit
def slope(Z2: jax.Array, y: float) -> jax.Array:
    return jax.grad(lambda Z2: Z2.size * cross_entropy(Z2, jnp.full_like(Z2, y)))(Z2)


@pytest.mark.parametrize("y", [0.0, 0.3, 1.0])
def test_the_slope_of_the_loss_is_that_of_the_article_at_every_logit(y: float, x64: None) -> None:
    # Exactly 0 is the logit of every picture that no hidden unit sees, as long as b2 is 0.
    Z2 = np.array([[0.0, -0.0, 1e-300, -1e-300, 3.0, -3.0, 700.0, -700.0]])
    # 1 / (1 + e^−z) in a form that overflows on neither side.
    expected = np.exp(np.minimum(Z2, 0)) / (1 + np.exp(-np.abs(Z2))) - y
    np.testing.assert_allclose(slope(Z2, y), expected, rtol=1e-12, atol=1e-300)
    if y == 0.3:  # operation by operation, too
        with jax.disable_jit():
            np.testing.assert_allclose(slope(Z2, y), expected, rtol=1e-12, atol=1e-300)


def test_predict_and_accuracy(tiny: Problem) -> None:
    A2 = np.asarray(jitted.forward(tiny.params, tiny.X).A2)
    np.testing.assert_array_equal(predict(tiny.params, tiny.X), (A2 > 0.5).astype(int))
    highest = np.sort(A2[0])[-2]
    assert np.sum(predict(tiny.params, tiny.X, relu, highest)) == 1
    share = np.mean((A2 > 0.5) == np.asarray(tiny.Y))
    assert float(accuracy(tiny.params, tiny.X, tiny.Y)) == pytest.approx(share)


def test_a_probability_of_exactly_one_half_is_class_0(tiny: Problem) -> None:
    zeros = {name: np.zeros_like(tiny.params[name]) for name in ("W2", "b2")}
    undecided = jax.device_put(tiny.params | zeros)
    assert (np.asarray(jitted.forward(undecided, tiny.X).A2) == 0.5).all()
    assert not np.any(predict(undecided, tiny.X))
    assert float(accuracy(undecided, tiny.X, tiny.Y)) == pytest.approx(4 / 7)


@ALL
def test_permuted_hidden_units_give_the_same_network(hidden: Activation, tiny: Problem) -> None:
    order = np.array([2, 0, 1])
    W1, b1, W2 = (np.asarray(tiny.params[name]) for name in ("W1", "b1", "W2"))
    permuted = tiny.params | {"W1": W1[order], "b1": b1[order], "W2": W2[:, order]}
    ours, theirs = (jitted.forward(params, tiny.X, hidden).A2 for params in (permuted, tiny.params))
    chex.assert_trees_all_close(ours, theirs, rtol=1e-14)


@ALL
def test_formulas_promote_no_dtype(hidden: Activation) -> None:
    params = init_params(jax.random.key(0), 5, 3)
    X, Y = jax.device_put((np.ones((5, 4), np.float32), np.ones((1, 4), np.float32)))
    with jax.numpy_dtype_promotion("strict"):
        results = (
            jax.eval_shape(lambda: forward(params, X, hidden)),
            jax.eval_shape(lambda: jax.value_and_grad(loss)(params, X, Y, hidden, Y)),
            jax.eval_shape(lambda: backward(params, X, Y, hidden, Y)),
        )
    assert {leaf.dtype for leaf in jax.tree.leaves(results)} == {jnp.dtype("float32")}


def test_the_second_layer_alone_runs_at_highest_precision() -> None:
    lowered = jax.jit(forward_from).lower(jnp.ones((3, 4)), jnp.ones((1, 3)), jnp.ones((1, 1)))
    assert lowered.as_text().count("dot_general") == 1
    assert "precision = [HIGHEST, HIGHEST]" in lowered.as_text()


@pytest.mark.parametrize("function", [loss, jax.grad(loss), backward])
def test_every_product_runs_at_highest_precision(function: object) -> None:
    params = init_params(jax.random.key(0), 5, 3)
    lowered = jax.jit(function).lower(params, jnp.ones((5, 4)), jnp.ones((1, 4)))  # type: ignore[call-overload]
    products = [line for line in lowered.as_text().splitlines() if "dot_general" in line]
    assert len(products) >= 2
    assert all("precision = [HIGHEST, HIGHEST]" in line for line in products)
