"""`check_backprop` and its like: a learner's own function of one part of the network."""

import functools
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import jax
import numpy as np

from jaxnet.activations import Activation, relu
from jaxnet.arrays import check_activation
from jaxnet.devices import find_devices
from jaxnet.display import shown
from jaxnet.errors import UsageError
from jaxnet.evaluation.doctor.pipeline import make_problem
from jaxnet.evaluation.tutor.calling import (
    GRADIENTS,
    OPTIONAL,
    PARAMS,
    Called,
    Letters,
    Raised,
    call_all,
    quantity_in_source,
    quantity_named,
)
from jaxnet.evaluation.tutor.formulas import FORMULAS
from jaxnet.evaluation.tutor.judge import Deviation, judge

# n_x, m and the seed of each problem; n_h is 3. No two sizes are equal, so that shapes differ; in
# the others all are, so that a formula without its transpose computes something.
GENERIC = ((5, 7, 2), (4, 6, 8), (6, 8, 5))
SQUARE = ((3, 3, 2), (3, 3, 8), (3, 3, 5))

LEARNING_RATE, ITERATIONS = 0.25, 4

# What a function may ask for; the rest serves the formulas.
OFFERED = ("X", "Y", "m", "Z1", "A1", "Z2", "A2", *PARAMS, *GRADIENTS, *OPTIONAL)


@shown
class Tutoring(NamedTuple):
    """What is wrong in a learner's function; `jaxnet.report.tutor` has the sentences.

    Attributes:
        part: "backprop", "forward", "loss", "update" or "training".
        deviations: The quantities that are wrong by themselves, in the order of the computation;
            then those that are not filled in yet.
        consistent: Those that differ only since they are computed from wrong ones.
        returned: What the function returned, by name.
        flat: Biases of shape (n,), which are accepted.
        raised: The error that the function raised, if it did.
    """

    part: str
    deviations: tuple[Deviation, ...]
    consistent: tuple[str, ...]
    returned: tuple[str, ...]
    flat: tuple[str, ...]
    raised: Raised | None

    @property
    def right(self) -> bool:
        """Whether nothing is wrong."""
        return not self.deviations


def check_backprop(mine: Callable[..., Any], hidden: Activation = relu) -> Tutoring:
    """Find the first quantity of one's own backpropagation that is wrong, and by which slip.

    `mine` is called on three tiny problems in float64, and its results are compared with the
    formulas. A quantity that is returned is judged by those before it as they were returned, so
    several slips are named at once.

    Args:
        mine: A function of (params, X, Y) or (params, cache, X, Y), or of such letters as Z1, A2
            and W2 in any order; in NumPy or JAX. It returns dW1, db1, dW2 and db2, and dA2, dZ2,
            dA1 and dZ1 where it likes, as a dict, a tuple or `Gradients`.
        hidden: The activation of the hidden units, with which Z1, A1, Z2 and A2 are computed.

    Raises:
        UsageError: If it takes or returns something else.
    """
    return check_part(mine, "backprop", hidden)


def check_forward(mine: Callable[..., Any], hidden: Activation = relu) -> Tutoring:
    """Find what is wrong in one's own (params, X), which returns A2, and Z1, A1, Z2 where it likes.

    Raises:
        UsageError: If it takes or returns something else.
    """
    return check_part(mine, "forward", hidden)


def check_loss(mine: Callable[..., Any], hidden: Activation = relu) -> Tutoring:
    """Find what is wrong in one's own cost, a function of (A2, Y) or of (params, X, Y).

    Raises:
        UsageError: If it takes or returns something else.
    """
    return check_part(mine, "loss", hidden)


def check_update(mine: Callable[..., Any]) -> Tutoring:
    """Find what is wrong in one's own (params, grads, learning_rate), which returns new params.

    Raises:
        UsageError: If it takes or returns something else.
    """
    return check_part(mine, "update", relu)


def check_training(mine: Callable[..., Any], hidden: Activation = relu) -> Tutoring:
    """Find what is wrong in one's own training, (params, X, Y, learning_rate, iterations).

    It returns the params after the last update and the costs, each before its update; or the
    costs alone. It is called with few iterations on tiny problems.

    Raises:
        UsageError: If it takes or returns something else.
    """
    return check_part(mine, "training", hidden)


Calls = Callable[[list[Letters]], list[Called]]


def check_part(mine: Callable[..., Any], part: str, hidden: Activation) -> Tutoring:
    """Check a function in this process."""
    if not callable(mine):
        raise UsageError(
            f"mine is of type {type(mine).__name__}", "a function", "give the function, uncalled"
        )
    check_activation(hidden)

    def calls(problems: list[Letters]) -> list[Called]:
        with jax.enable_x64(True):
            return call_all(mine, part, [offer(letters, hidden) for letters in problems])

    return tutor(part, hidden, calls)


def tutor(part: str, hidden: Activation, calls: Calls) -> Tutoring:
    """Judge what the calls of a function return, wherever they are made."""
    find_devices()
    problems = make_problems(part, hidden, GENERIC)
    called = calls(problems)
    raised = called[-1].raised
    if raised is not None and raised.limit is not None:
        return Tutoring(part, (Deviation("", "raises", returned=False),), (), (), (), raised)
    if raised is not None and raised.blanks:
        names = raised.blanks if any(raised.blanks) else (raised.quantity or "",)
        return Tutoring(part, _not_filled_in(part, names), (), (), (), None)
    if raised is not None:
        return _judge_raised(part, raised, calls(make_problems(part, hidden, SQUARE)), hidden)
    first = called[0]
    if first.blanks == ("",):
        return Tutoring(part, (Deviation("", "returns nothing"),), (), (), (), None)
    found = judge(part, called, problems)
    deviations = (
        *(Deviation(name, "changed in place") for name in first.changed),
        *found.deviations,
        *_not_filled_in(part, first.blanks),
    )
    return Tutoring(part, deviations, found.consistent, tuple(first.values), first.flat, None)


def _not_filled_in(part: str, names: Sequence[str]) -> tuple[Deviation, ...]:
    meant = {name: None if part == "loss" else quantity_named(name, part) for name in names}
    return tuple(Deviation(meant[name] or name, "not filled in", returned=False) for name in names)


def _judge_raised(part: str, raised: Raised, called: list[Called], hidden: Activation) -> Tutoring:
    """Find the slip by a problem for which shapes fit, or by the line that raised the error."""
    deviations: tuple[Deviation, ...] = ()
    consistent: tuple[str, ...] = ()
    if called[-1].raised is None:
        found = judge(part, called, make_problems(part, hidden, SQUARE))
        deviations, consistent = found.deviations, found.consistent
    if not deviations or all(each.slip in ("value", "shape") for each in deviations):
        quantity, slip = quantity_in_source(raised, part)
        deviations = (Deviation(quantity, slip, returned=False),)
    return Tutoring(part, deviations, consistent, (), (), raised)


def offer(letters: Letters, hidden: Any) -> Letters:
    """Return what a function may ask for."""
    return {name: letters[name] for name in OFFERED if name in letters} | {"hidden": hidden}


@functools.cache
def make_problems(
    part: str, hidden: Activation, sizes: tuple[tuple[int, int, int], ...]
) -> list[Letters]:
    """Make the problems of a part: the letters, and their `true` values."""
    return [_make(part, hidden, *size) for size in sizes]


def _make(part: str, hidden: Activation, n_x: int, m: int, seed: int) -> Letters:
    with jax.enable_x64(True):
        params, X, Y = jax.device_get(make_problem(n_x, m, seed))
    v: Letters = {name: np.array(array) for name, array in params.items()}
    v |= {"X": np.array(X), "Y": np.array(Y), "m": m}
    v["activation of Z1"] = functools.partial(_elementwise, hidden)
    stages = {}
    for name, quantity in FORMULAS["forward"].items():
        stages[name] = v[name] = quantity.formula(v)
    for name in ("Z1", "A1", "Z2"):
        v[f"slope at {name}"] = _elementwise(hidden.slope, v[name])
    true: Letters = {}
    for name, quantity in FORMULAS["backprop"].items():
        true[name] = quantity.formula(v | true)
    if part in ("update", "training"):
        v |= {f"old {name}": v[name] for name in PARAMS} | {"learning_rate": LEARNING_RATE}
    if part == "update":
        v |= true
    if part == "training":
        v |= {"iterations": ITERATIONS, "trained": {}}
        v["slope of Z1"] = functools.partial(_elementwise, hidden.slope)
    return v | {"true": stages | true}


def _elementwise(function: Callable[[jax.Array], jax.Array], Z: np.ndarray) -> np.ndarray:
    """Apply an elementwise function of JAX; as one size always, since another is compiled anew."""
    padded = np.zeros(32)
    padded[: Z.size] = Z.ravel()
    with jax.enable_x64(True):
        return np.array(jax.jit(function)(padded))[: Z.size].reshape(Z.shape)
