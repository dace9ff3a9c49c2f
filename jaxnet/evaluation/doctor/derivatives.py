"""The eight derivatives three ways: by the article's formulas, `jax.grad` and differences."""

import functools
from collections.abc import Callable

import jax
import jax.numpy as jnp
import numpy as np
from jax.flatten_util import ravel_pytree

from jaxnet.activations import ACTIVATIONS, Activation, sigmoid
from jaxnet.backprop import Gradients
from jaxnet.evaluation.doctor.check import Check, relative_difference, require_small
from jaxnet.evaluation.doctor.subjects import Pipeline, make_problem
from jaxnet.network import Params, forward

Arrays = dict[str, jax.Array]


# Central differences are wrong by about ε^⅔, 4e-11 in float64.
BOUND = 1e-6


def check_derivatives(pipeline: Pipeline) -> Check:
    """Compare the three ways, for each activation, without and with example weights."""
    params, X, Y = make_problem()
    by_formula = jax.jit(pipeline.backward, static_argnums=3)
    ones, some = jnp.ones_like(Y), jnp.asarray([[1.0, 2.0, 0.5, 0.0, 3.0]])
    worst, wrong = 0.0, set()
    for hidden in ACTIVATIONS.values():
        for given, weights in ((None, ones), (some, some)):
            formulas = by_formula(params, X, Y, hidden, given)
            gradients, differences = derive(pipeline.loss, params, X, Y, hidden, weights)
            for name, way in (("the formula of", formulas), ("jax.grad by", gradients)):
                for field, true in differences._asdict().items():
                    apart = relative_difference(getattr(way, field), true)
                    worst = max(worst, apart)
                    if apart > BOUND:
                        wrong.add(f"{name} {field}")
    return require_small(
        "derivatives three ways",
        worst,
        BOUND,
        holds="formula, jax.grad and differences agree on all eight, for each activation",
        broken=f"{', '.join(sorted(wrong))}: not the derivative that differences of the cost show",
        remedy="look there for a sign, a missing 1/m or sum, a missing transpose, or a slope taken "
        "at A1 (it belongs at Z1); if all of dW and db are off, look at the loss",
    )


@functools.partial(jax.jit, static_argnames=("loss", "hidden"))
def derive(
    loss: Callable[..., jax.Array],
    params: Params,
    X: jax.Array,
    Y: jax.Array,
    hidden: Activation,
    weights: jax.Array,
) -> tuple[Gradients, Gradients]:
    """Compute the eight derivatives in two ways.

    Args:
        loss: The cost, as `jaxnet.loss`; dW and db are its derivatives.
        params: W1 (n_h, n_x), b1, W2, b2.
        X: (n_x, m).
        Y: (1, m) of 0 and 1.
        hidden: The activation of the hidden units.
        weights: The weight of each example, (1, m).

    Returns:
        The derivatives by `jax.grad`, and those by central differences.
    """
    on_the_way = forward(params, X, hidden)._asdict()

    def cost(params: Arrays) -> jax.Array:
        return loss(params, X, Y, hidden, weights)

    def losses(added: Arrays) -> jax.Array:
        """Sum every example's own loss, after something was added to Z1, A1, Z2 and A2."""
        A1 = hidden(on_the_way["Z1"] + added["Z1"]) + added["A1"]
        Z2 = params["W2"] @ A1 + params["b2"] + added["Z2"]
        A2 = sigmoid(Z2) + added["A2"]
        return -jnp.sum(Y * jnp.log(A2) + (1 - Y) * jnp.log(1 - A2))

    nothing = {name: jnp.zeros_like(array) for name, array in on_the_way.items()}
    by_grad = jax.grad(losses)(nothing) | jax.grad(cost)(params)
    by_difference = central_difference(losses, nothing) | central_difference(cost, params)
    return _as_gradients(by_grad), _as_gradients(by_difference)


def _as_gradients(derivatives: Arrays) -> Gradients:
    return Gradients(**{f"d{name}": array for name, array in derivatives.items()})


def central_difference(f: Callable[[Arrays], jax.Array], x: Arrays) -> Arrays:
    """Compute (f(x + h) − f(x − h)) / 2h for every element of x, h being ∛ε of its precision."""
    flat, unravel = ravel_pytree(x)
    h = float(np.finfo(flat.dtype).eps) ** (1 / 3)

    def along(direction: jax.Array) -> jax.Array:
        up, down = (f(unravel(flat + step)) for step in (h * direction, -h * direction))
        return (up - down) / (2 * h)

    differences: Arrays = unravel(jax.vmap(along)(jnp.eye(flat.size, dtype=flat.dtype)))
    return differences
