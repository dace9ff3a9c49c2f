"""The eight derivatives three ways: the article's formulas, `jax.grad`, finite differences."""

import functools
from collections.abc import Callable

import jax
import jax.numpy as jnp
import numpy as np
from jax.flatten_util import ravel_pytree

from jaxnet.activations import ACTIVATIONS, Activation, sigmoid
from jaxnet.backprop import Gradients
from jaxnet.evaluation.doctor.check import Result, relative_difference
from jaxnet.evaluation.doctor.pipeline import Pipeline, make_problem
from jaxnet.network import Params, forward

Arrays = dict[str, jax.Array]


# The error of central differences is about ε^⅔, 4e-11 in float64.
BOUND = 1e-6


def check_derivatives(pipeline: Pipeline) -> Result:
    """Compare the three ways, for each activation, without and with example weights.

    The case is "ok", "formulas", "gradients" or "both", after which of them differ from the finite
    differences; the values name the derivatives, such as dW1.
    """
    params, X, Y = make_problem()
    by_formula = jax.jit(pipeline.backward, static_argnums=3)
    ones, some = jnp.ones_like(Y), jnp.asarray([[1.0, 2.0, 0.5, 0.0, 3.0]])
    worst = 0.0
    wrong: dict[str, set[str]] = {"formulas": set(), "gradients": set()}
    for hidden in ACTIVATIONS.values():
        for given, weights in ((None, ones), (some, some)):
            formulas = by_formula(params, X, Y, hidden, given)
            gradients, differences = derive(pipeline.loss, params, X, Y, hidden, weights)
            for way, derivatives in (("formulas", formulas), ("gradients", gradients)):
                for field, true in differences._asdict().items():
                    apart = relative_difference(getattr(derivatives, field), true)
                    worst = max(worst, apart)
                    if apart > BOUND:
                        wrong[way].add(field)
    values = {"bound": BOUND} | {way: tuple(sorted(fields)) for way, fields in wrong.items()}
    ways = [way for way, fields in wrong.items() if fields]
    case = "ok" if not ways else "both" if len(ways) == 2 else ways[0]
    return Result("fail" if ways else "pass", worst, case, values)


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
    stages = forward(params, X, hidden)._asdict()

    def cost(params: Arrays) -> jax.Array:
        return loss(params, X, Y, hidden, weights)

    def losses(added: Arrays) -> jax.Array:
        """Compute the sum of every example's own loss, with terms added to Z1, A1, Z2 and A2."""
        A1 = hidden(stages["Z1"] + added["Z1"]) + added["A1"]
        Z2 = params["W2"] @ A1 + params["b2"] + added["Z2"]
        A2 = sigmoid(Z2) + added["A2"]
        return -jnp.sum(Y * jnp.log(A2) + (1 - Y) * jnp.log(1 - A2))

    zeros = {name: jnp.zeros_like(array) for name, array in stages.items()}
    by_grad = jax.grad(losses)(zeros) | jax.grad(cost)(params)
    by_difference = central_difference(losses, zeros) | central_difference(cost, params)
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
