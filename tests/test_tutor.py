"""The tutor names the first wrong quantity of a function of one's own, and the slip."""

import itertools
import json
import linecache
from collections.abc import Callable
from pathlib import Path
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from conftest import Result

import jaxnet
from experiments import gradient_check
from jaxnet.activations import ACTIVATIONS, Activation
from jaxnet.backprop import Gradients, backward
from jaxnet.errors import UsageError
from jaxnet.evaluation.tutor.check import (
    GENERIC,
    SQUARE,
    check_backprop,
    check_forward,
    check_loss,
    check_training,
    check_update,
    make_problems,
)
from jaxnet.evaluation.tutor.formulas import FORMULAS
from jaxnet.evaluation.tutor.hand_in import check_file
from jaxnet.evaluation.tutor.judge import Deviation
from jaxnet.network import Forward, forward, loss
from jaxnet.report.tutor import describe_hand_in, describe_tutoring, hint_and_answer

Mine = Callable[..., Any]

LINES = {
    "dA2": "-Y / A2 + (1 - Y) / (1 - A2)",
    "dZ2": "A2 - Y",
    "dW2": "dZ2 @ A1.T / m",
    "db2": "np.sum(dZ2, axis=1, keepdims=True) / m",
    "dA1": "W2.T @ dZ2",
    "dZ1": "dA1 * (Z1 > 0)",
    "dW1": "dZ1 @ X.T / m",
    "db1": "np.sum(dZ1, axis=1, keepdims=True) / m",
}
STAGES = """
    Z1 = W1 @ X + b1
    A1 = np.maximum(Z1, 0)
    Z2 = W2 @ A1 + b2
    A2 = 1 / (1 + np.exp(-Z2))"""
NUMBERS = itertools.count()


def compile_mine(code: str) -> Mine:
    """Compile a function of which `inspect` finds the source."""
    name = f"<mine {next(NUMBERS)}>"
    linecache.cache[name] = (len(code), None, code.splitlines(keepends=True), name)
    names: dict[str, Any] = {"np": np, "jnp": jnp, "jax": jax, "Gradients": Gradients}
    exec(compile(code, name, "exec"), names)
    return names["backward"]


def write(form: str, **changes: str) -> str:
    """Write a backpropagation in one of the accepted forms, with some lines changed."""
    body = "".join(f"\n    {name} = {line}" for name, line in (LINES | changes).items())
    letters = "\n    W1, b1, W2, b2 = (params[k] for k in ('W1', 'b1', 'W2', 'b2'))"
    if form == "params":
        head, end = (
            f"(params, X, Y):{letters}{STAGES}",
            "{'dW1': dW1, 'db1': db1, 'dW2': dW2, 'db2': db2}",
        )
    elif form == "cache":
        head = f"(params, cache, X, Y):{letters}\n    A1, Z1, A2, Z2 = cache"
        end = "dW2, db2, dW1, db1"
    else:
        head = f"(X, Y, params, cache):{letters}"
        head += "".join(f"\n    {name} = cache['{name}']" for name in ("Z1", "A1", "Z2", "A2"))
        end = "Gradients(dA2, dZ2, dW2, db2, dA1, dZ1, dW1, db1)"
    code = f"def backward{head}\n    m = X.shape[1]{body}\n    return {end}\n"
    return code.replace("np.", "jnp.") if form == "all, in JAX" else code


def found(function: Mine, hidden: Activation = jaxnet.relu) -> list[tuple[str, str]]:
    return [(each.quantity, each.slip) for each in check_backprop(function, hidden).deviations]


# The wrong line, and the slip that is named.
SLIPS = [
    ("dZ2", "Y - A2", "sign"),
    ("dZ2", "A2", "no label"),
    ("dZ2", "(A2 - Y) * A2 * (1 - A2)", "slope twice"),
    ("dZ2", "2 * (A2 - Y) * A2 * (1 - A2)", "squared error"),
    ("dZ2", "-Y / A2 + (1 - Y) / (1 - A2)", "slope left out"),
    ("dZ2", "Z2 - Y", "Z2 for A2"),
    ("dZ2", "(A2 - Y) / m", "1/m too early"),
    ("dW2", "dZ2 @ A1.T", "no 1/m"),
    ("dW2", "dZ2 @ A1.T / m / m", "1/m twice"),
    ("dW2", "dZ2 @ A1.T / X.shape[0]", "another number for m"),
    ("dW2", "dZ2 @ Z1.T / m", "Z1 for A1"),
    ("dW2", "(dZ2 @ A1.T / m).T", "transposed"),
    ("dW2", "0.0075 * dZ2 @ A1.T / m", "factor"),
    ("dW2", "dZ2 @ A1 / m", "A1, not A1ᵀ"),
    ("dW2", "dZ2 * A1.T / m", "element by element"),
    ("dW2", "-dZ2 @ A1.T / m", "sign"),
    ("dW2", "dA2 @ A1.T / m", "dA2 for dZ2"),
    ("db2", "np.sum(dZ2, axis=1, keepdims=True)", "no 1/m"),
    ("db2", "dZ2 / m", "not summed"),
    ("db2", "np.sum(dZ2, axis=0) / m", "wrong axis"),
    ("db2", "0 * b2", "zero"),
    ("dZ1", "dA1", "slope left out"),
    ("dZ1", "dA1 * (Z1 < 0)", "slope inverted"),
    ("dZ1", "-dA1 * (Z1 > 0)", "slope's sign"),
    ("dZ1", "dA1 * (1 - A1 ** 2)", "slope of tanh"),
    ("dZ1", "dA1 * A1 * (1 - A1)", "slope of sigmoid"),
    ("dZ1", "dA1 * (Z2 > 0)", "slope of the other layer"),
    ("dZ1", "dA1 * A2 * (1 - A2)", "slope of the other layer"),
    ("dZ1", "dA1 @ (Z1 > 0)", "matrix product"),
    ("dZ1", "dA1 * A1", "activation for its slope"),
    ("dA1", "W2.T @ dA2", "dA2 for dZ2"),
    ("dA1", "W2 @ dZ2", "W2, not W2ᵀ"),
    ("dA1", "W1.T @ dZ2", "W1 for W2"),
    ("dW1", "dZ1 @ X.T", "no 1/m"),
    ("dW1", "dZ1 @ X.T / m ** 2", "1/m twice"),
    ("dW1", "dZ1 @ X / m", "X, not Xᵀ"),
    ("dW1", "dZ1 * X.T / m", "element by element"),
    ("dW1", "dA1 @ X.T / m", "dA1 for dZ1"),
    ("dW1", "dZ1 @ A1.T / m", "A1 for X"),
    ("dW1", "(dZ1 @ X.T / m).T", "transposed"),
    ("db1", "np.sum(dZ1, axis=1, keepdims=True)", "no 1/m"),
    ("db1", "np.sum(dZ1, axis=0) / m", "wrong axis"),
    ("db1", "np.sum(dZ1, axis=0, keepdims=True) / m", "wrong axis"),
    ("db1", "np.sum(dZ1) / m", "summed over all"),
    ("db1", "dZ1 / m", "not summed"),
    ("db1", "np.sum(dA1, axis=1, keepdims=True) / m", "dA1 for dZ1"),
]


@pytest.mark.parametrize("form", ["params", "cache", "all", "all, in JAX"])
def test_every_slip_is_named_in_every_form(form: str) -> None:
    for quantity, line, slip in SLIPS if form != "all, in JAX" else SLIPS[::8]:
        result = check_backprop(compile_mine(write(form, **{quantity: line})))
        named = [(each.quantity, each.slip) for each in result.deviations]
        assert named == [(quantity, slip)], (form, line)
        assert result.raised is None or result.raised.quantity == quantity
        assert result.consistent == () or quantity not in result.consistent
        for answer in (False, True):
            assert "{" not in " ".join(describe_tutoring(result, answer))


def test_what_is_returned_only_is_named_too() -> None:
    for line, slip in (
        ("Y / A2 - (1 - Y) / (1 - A2)", "sign"),
        ("-Y / A2", "a term left out"),
        ("A2 - Y", "squared error"),
        ("-Y / A2 - (1 - Y) / (1 - A2)", "second term's sign"),
    ):
        assert found(compile_mine(write("all", dA2=line))) == [("dA2", slip)]
    own = write("all", dA2="A2 - Y", dZ2="dA2 * A2 * (1 - A2)")
    result = check_backprop(compile_mine(own))
    assert [each.quantity for each in result.deviations] == ["dA2"]
    assert result.consistent == GRADIENTS_AFTER_DA2


GRADIENTS_AFTER_DA2 = tuple(name for name in LINES if name != "dA2")


def test_the_thirteen_slips_of_the_experiment(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each but one is named with ReLU, too; the one of a square X is among those above."""
    named: dict[str, set[str]] = {}
    for name in ("relu", "sigmoid"):
        hidden = ACTIVATIONS[name]
        made = {}
        for problem in make_problems("backprop", hidden, GENERIC):
            stages = Forward(*(problem[key] for key in Forward._fields))
            monkeypatch.setattr(gradient_check, "forward", lambda *_, stages=stages: stages)
            right = Gradients(*(problem["true"][key] for key in Gradients._fields))
            slips = gradient_check.make_slips(right, problem, problem["X"], problem["Y"], hidden)
            made[problem["X"].shape] = {
                slip: right._asdict() | {slip[:3]: wrong} for slip, wrong in slips.items()
            }
        assert len(slips) == 12
        named[name] = set()
        for slip in slips:
            result = check_backprop(lambda params, X, Y, s=slip, m=made: m[X.shape][s], hidden)
            for each in result.deviations[:1]:
                assert each.quantity == slip[:3]
                assert each.slip not in ("value", "shape"), slip
                named[name].add(slip)
    assert named["sigmoid"] == set(slips)
    assert named["sigmoid"] - named["relu"] == {"dZ1: slope at A1, not Z1"}


@pytest.mark.parametrize("form", ["params", "all"])
def test_two_slips_in_different_quantities_are_both_named(form: str) -> None:
    pairs = [
        (("dZ2", "Y - A2", "sign"), ("db1", "np.sum(dZ1, axis=1)", "no 1/m")),
        (("dW2", "dZ2 @ Z1.T / m", "Z1 for A1"), ("dZ1", "dA1", "slope left out")),
        (("dZ2", "A2", "no label"), ("dZ1", "dA1 * (1 - A1 ** 2)", "slope of tanh")),
        (("db2", "dZ2", "not summed"), ("dW1", "dZ1 @ X.T", "no 1/m")),
        (("dA1", "W2.T @ dA2", "dA2 for dZ2"), ("dW1", "-dZ1 @ X.T / m", "sign")),
    ]
    for first, second in pairs:
        code = write(form, **{first[0]: first[1], second[0]: second[1]})
        assert found(compile_mine(code)) == [(first[0], first[2]), (second[0], second[2])]


@pytest.mark.parametrize("form", ["params", "all"])
def test_one_slip_in_all_four(form: str) -> None:
    """They are put together; dA and dZ of each example's own loss are not taken for the mean's."""
    lines = {name: LINES[name].removesuffix(" / m") for name in ("dW2", "db2", "dW1", "db1")}
    result = check_backprop(compile_mine(write(form, **lines)))
    assert [(each.quantity, each.slip) for each in result.deviations] == [
        (name, "no 1/m") for name in lines
    ]
    assert describe_tutoring(result)[0] == "dW2, db2, dW1, db1 are wrong"
    rated = {name: f"0.01 * {line} / m" for name, line in lines.items()}
    words = describe_tutoring(check_backprop(compile_mine(write(form, **rated))), answer=True)
    assert words[0] == "dW2, db2, dW1, db1 are wrong"
    assert "it is 0.01 times the right one" in words[1]


def test_two_deviations_that_cancel() -> None:
    """They are told only if the quantity between them is returned."""
    changes = {"dZ1": "-dA1 * (Z1 > 0)", "dW1": "-dZ1 @ X.T / m", "db1": "-dZ1.sum(axis=1) / m"}
    assert found(compile_mine(write("params", **changes))) == []
    result = check_backprop(compile_mine(write("all", **changes)))
    slips = [(each.quantity, each.slip) for each in result.deviations]
    assert slips == [("dZ1", "slope's sign"), ("dW1", "cancels"), ("db1", "cancels")]
    assert "dW1, db1: right, by two deviations" in describe_tutoring(result, answer=True)


def test_slips_that_another_activation_shows() -> None:
    for name, slope, slip in (
        ("sigmoid", "A1 * (1 - A1)", None),
        ("sigmoid", "(1 / (1 + np.exp(-A1))) * (1 - 1 / (1 + np.exp(-A1)))", "slope at A1, not Z1"),
        ("sigmoid", "(Z1 > 0)", "slope of ReLU"),
        ("leaky_relu", "(Z1 > 0)", "slope of ReLU"),
        ("leaky_relu", "np.where(Z1 > 0, 1, 0.01)", None),
    ):
        mine = compile_mine(write("cache", dZ1=f"dA1 * {slope}"))
        expected = [] if slip is None else [("dZ1", slip)]
        assert found(mine, ACTIVATIONS[name]) == expected, (name, slope)


def test_what_no_slip_explains() -> None:
    strange = found(compile_mine(write("params", dZ2="np.sin(A2) - Y")))
    assert strange[0] == ("dZ2", "value")
    assert found(compile_mine(write("all", dW1="np.sin(dZ1) @ X.T"))) == [("dW1", "value")]
    assert found(compile_mine(write("all", dW1="np.ones((2, 2))"))) == [("dW1", "shape")]
    assert found(compile_mine(write("all", dW1="dZ1 @ X.T / 0"))) == [("dW1", "not finite")]
    infinite = write("all", dA2="np.inf * (A2 - Y)", dZ1="dA1 * np.inf")
    assert ("dA2", "not finite") in found(compile_mine(infinite))
    assert found(compile_mine(write("params", dW1="undefined"))) == [("dW1", "raises")]


def test_a_bias_that_is_forgotten_and_an_input_that_is_changed() -> None:
    def forgets(params: Any, X: Any, Y: Any) -> Any:
        gradients = compile_mine(write("params"))(params, X, Y)
        del gradients["db2"]
        return gradients

    assert found(forgets) == [("db2", "missing")]
    updates = write("params", dA1="W2.T @ dZ2\n    params['W2'] -= 0.1 * dW2")
    assert found(compile_mine(updates)) == [("W2", "changed in place")]


LOOP = """
def backward(params, X, Y):
    m = X.shape[1]
    dW1, db1 = np.zeros((3, X.shape[0])), np.zeros(3)
    dW2, db2 = np.zeros((1, 3)), 0.0
    for i in range(m):
        x = X[:, i]
        z1 = params.W1 @ x + params.b1[:, 0]
        a1 = np.where(z1 > 0, z1, 0)
        a2 = 1 / (1 + np.exp(-(params.W2[0] @ a1 + params.b2[0, 0])))
        d = a2 - Y[0, i]
        dW2[0] += d * a1 / m
        db2 += d / m
        d1 = params.W2[0] * d * (z1 > 0)
        dW1 += np.outer(d1, x) / m
        db1 += d1 / m
    return {"dw1": dW1.tolist(), "db1": db1.tolist(), "dw2": dW2, "db2": db2}
"""
GRAD = """
@jax.jit
def backward(params, X, Y):
    def cost(p):
        Z2 = p["W2"] @ jax.nn.relu(p["W1"] @ X + p["b1"]) + p["b2"]
        return jnp.mean(jnp.logaddexp(0, Z2) - Y * Z2)
    return jax.grad(cost)(dict(params))
"""
AT = write("params").replace(
    "    W1, b1",
    "    X, Y = np.asarray(X.at[0].add(0)), np.asarray(Y)\n"
    "    params = {k: np.asarray(v) for k, v in params.items()}\n    W1, b1",
    1,
)
LETTERS = """
def backward(X, Y, Z1, A1, A2, W1, W2):
    m = Y.size
    dZ2 = A2 - Y
    dZ1 = np.outer(W2, dZ2) * np.sign(A1)
    return dZ1 @ X.T / m, np.mean(dZ1, 1), np.dot(dZ2, A1.T) / m, np.mean(dZ2)
"""
PLANAR = """
def backward(parameters, cache, X, Y):
    m = X.shape[1]
    A1, A2, W2 = cache["A1"], cache["A2"], parameters["W2"]
    grads = {}
    grads["dZ2"] = np.subtract(A2, Y)
    grads["dW2"] = (1 / m) * np.dot(grads["dZ2"], A1.T)
    grads["db2"] = (1. / m) * np.sum(grads["dZ2"], axis=1, keepdims=True)
    grads["dA1"] = np.dot(W2.T, grads["dZ2"])
    dZ1 = np.array(grads["dA1"], copy=True)
    dZ1[A1 <= 0] = 0
    grads["dW1"] = np.matmul(dZ1, X.T) * (1 / m)
    grads["db1"] = np.sum(dZ1, axis=1).reshape(-1, 1) / m
    return grads
"""
RIGHT = {
    **{form: write(form) for form in ("params", "cache", "all", "all, in JAX")},
    "a loop over examples, lists": LOOP,
    "jit and grad": GRAD,
    "at": AT,
    "letters in any order, means": LETTERS,
    "the names of a course": PLANAR,
    "einsum": write("params", dW1="np.einsum('im,jm->ij', dZ1, X) / m"),
    "dot": write("cache", dW2="np.dot(dZ2, np.transpose(A1)) / m", dA1="np.dot(W2.T, dZ2)"),
    "outer product": write("cache", dA1="W2.T * dZ2"),
    "1/m in dZ2": write("all", dZ2="(A2 - Y) / m", dW2="dZ2 @ A1.T", db2="dZ2.sum(1)",
                        dA2="(-Y / A2 + (1 - Y) / (1 - A2)) / m",
                        dW1="dZ1 @ X.T", db1="dZ1.sum(axis=1)"),
    "1/m in dZ2, not returned": write("params", dZ2="(A2 - Y) / m", dW2="dZ2 @ A1.T",
                                      db2="dZ2.sum(1)", dW1="dZ1 @ X.T", db1="dZ1.sum(axis=1)"),
    "through dA2": write("all", dZ2="dA2 * A2 * (1 - A2)"),
    "the slope at A1, which is ReLU's": write("params", dZ1="dA1 * (A1 > 0)"),
    "float32": write("params", dZ2="(A2 - Y).astype(np.float32)"),
    "float32 throughout": write("params").replace("Z1 = W1", "X = X.astype('f4'); Z1 = W1", 1),
    "flat biases": write("cache", db1="np.sum(dZ1, axis=1) / m", db2="np.sum(dZ2) / m"),
    "a list": write("cache").replace("return dW2, db2, dW1, db1", "return [dW1, db1, dW2, db2]"),
    "a cost before them": write("params").replace("return {", "return 0.5, {"),
    "a default": write("params").replace("(params, X, Y)", "(params, X, Y, weights=None)"),
    "unusual names": "def backward(a, b, c):\n    return again(a, b, c)\n\n"
    + write("params").replace("backward", "again"),
}  # fmt: skip


@pytest.mark.parametrize("way", RIGHT)
def test_a_right_function_passes(way: str) -> None:
    result = check_backprop(compile_mine(RIGHT[way]))
    assert result.right, describe_tutoring(result, answer=True)
    assert {"dW1", "db1", "dW2", "db2"} <= set(result.returned)


def test_the_formulas_are_the_librarys(x64: None) -> None:
    assert check_backprop(jax.jit(backward, static_argnames="hidden")).right
    assert check_forward(jax.jit(forward, static_argnames="hidden")).right
    assert check_loss(jax.jit(loss, static_argnames="hidden")).right


@pytest.mark.parametrize("sizes", [GENERIC, SQUARE], ids=["generic", "square"])
def test_the_problems_show_every_slip(sizes: Any) -> None:
    """Each unit is active for some examples and not for others, and both classes are there."""
    for problem in make_problems("backprop", jaxnet.relu, sizes):
        active = (problem["Z1"] > 0).mean(axis=1)
        assert ((active > 0) & (active < 1)).sum() >= (3 if sizes is GENERIC else 1)
        assert 0 < problem["Y"].mean() < 1
        assert len({1, 3, *problem["X"].shape}) == (4 if sizes is GENERIC else 2)


FORWARD_SLIPS = [
    ("Z1", "W1 @ X", "bias left out"),
    ("Z1", "W1 @ X - b1", "bias subtracted"),
    ("Z1", "W1 @ X + b2", "b2 for b1"),
    ("Z1", "W1 @ X + b1.T", "b1ᵀ, not b1"),
    ("Z1", "W1.T @ X + b1", "W1ᵀ, not W1"),
    ("Z1", "W1 @ X.T + b1", "Xᵀ, not X"),
    ("Z1", "X @ W1 + b1", "factors swapped"),
    ("Z1", "W1 * X + b1", "element by element"),
    ("A1", "Z1", "activation left out"),
    ("A1", "1 / (1 + np.exp(-Z1))", "sigmoid"),
    ("A1", "np.tanh(Z1)", "tanh"),
    ("A1", "np.minimum(Z1, 0)", "min for max"),
    ("A1", "np.where(Z1 > 0, 1.0, 0.0)", "slope for the activation"),
    ("Z2", "W2 @ Z1 + b2", "Z1 for A1"),
    ("Z2", "W2 @ X + b2", "X for A1"),
    ("Z2", "W2 @ A1 + b1", "b1 for b2"),
    ("Z2", "W2.T @ A1 + b2", "W2ᵀ, not W2"),
    ("Z2", "np.dot(W2, np.transpose(A1)) + b2", "A1ᵀ, not A1"),
    ("Z2", "A1 @ W2 + b2", "factors swapped"),
    ("A2", "Z2", "activation left out"),
    ("A2", "np.maximum(Z2, 0)", "ReLU"),
    ("A2", "1 / (1 + np.exp(Z2))", "exponent's sign"),
    ("A2", "1 / 1 + np.exp(-Z2)", "parentheses"),
    ("A2", "1 / (1 - np.exp(-Z2))", "minus in the denominator"),
    ("A2", "(Z2 > 0) * 1.0", "rounded"),
]
MEAN = "-np.mean(Y * np.log(A2) + (1 - Y) * np.log(1 - A2))"
LOSS_SLIPS = [
    (MEAN, ""),
    ("-np.sum(Y * np.log(A2) + (1 - Y) * np.log(1 - A2)) / Y.size", ""),
    (MEAN.replace("mean", "sum"), "no 1/m"),
    (MEAN[1:], "sign"),
    (MEAN[1:].replace("mean", "sum"), "sign, no 1/m"),
    (MEAN.replace("np.mean", ""), "not averaged"),
    (MEAN[:-1] + ", axis=0)", "not averaged"),
    (MEAN.replace("mean", "sum") + " / 3", "another number for m"),  # n_h
    (MEAN.replace("np.log", "np.log2"), "log₂ or log₁₀"),
    (MEAN.replace("np.log", "np.log10"), "log₂ or log₁₀"),
    (MEAN.replace("np.log", ""), "no logarithm"),
    (MEAN.replace("1 - A2", "1 + A2"), "1 + A2 for 1 − A2"),
    (MEAN.replace("np.log(A2)", "np.log(Y)"), "not finite"),
    (MEAN.replace("np.log(A2)", "np.log(-A2)"), "not finite"),
    ("-np.mean(Y * np.log(1 - A2) + (1 - Y) * np.log(A2))", "Y and 1 − Y swapped"),
    ("-np.mean(Y * np.log(A2) - (1 - Y) * np.log(1 - A2))", "second term's sign"),
    ("-np.mean(np.dot(Y.T, np.log(A2)) + np.dot(1 - Y.T, np.log(1 - A2)))", "matrix product"),
    ("np.mean((A2 - Y) ** 2)", "squared error"),
    ("-np.mean(Y * np.log(A2))", "a term left out"),
]
UPDATE_SLIPS = [
    ("p[k] - learning_rate * grads['d' + k]", ""),
    ("p[k] + learning_rate * grads['d' + k]", "step added"),
    ("p[k] - grads['d' + k]", "rate left out"),
    ("p[k] - learning_rate ** 2 * grads['d' + k]", "rate squared"),
    ("p[k] + grads['d' + k]", "step added, rate left out"),
    ("learning_rate * grads['d' + k]", "the step only"),
    ("p[k]", "not updated"),
    ("p[k] - learning_rate * p[k]", "rate times the parameter"),
]


def part(head: str, *lines: str, jit: bool = False) -> Mine:
    decorator = "@jax.jit\n" if jit else ""
    return compile_mine(f"{decorator}def backward({head}):\n    " + "\n    ".join(lines))


def stages(changes: dict[str, str]) -> list[str]:
    right = {"Z1": "W1 @ X + b1", "A1": "np.maximum(Z1, 0)", "Z2": "W2 @ A1 + b2",
             "A2": "1 / (1 + np.exp(-Z2))"} | changes  # fmt: skip
    letters = "W1, b1, W2, b2 = (p[k] for k in ('W1', 'b1', 'W2', 'b2'))"
    return [letters, *(f"{name} = {line}" for name, line in right.items())]


@pytest.mark.parametrize("library", ["np.", "jnp."])
def test_the_slips_of_the_other_parts(library: str) -> None:
    jit = library == "jnp."  # one program in place of many
    some = slice(2, 3) if jit else slice(None)
    for quantity, line, slip in [("Z1", "W1 @ X + b1", ""), *FORWARD_SLIPS][some]:
        end = "return A2, dict(Z1=Z1)" if quantity == "Z1" else "return Z1, A1, Z2, A2"
        lines = [*stages({quantity: line}), end]
        lines = [each.replace("np.", library) for each in lines]
        result = check_forward(part("X, p", *lines, jit=jit))
        named = [(each.quantity, each.slip) for each in result.deviations]
        assert named == ([(quantity, slip)] if slip else []), line
    for line, slip in LOSS_SLIPS[some]:
        result = check_loss(part("A2, Y", f"return {line}".replace("np.", library), jit=jit))
        assert [each.slip for each in result.deviations] == ([slip] if slip else []), line
    for line, slip in UPDATE_SLIPS[some]:
        for head in ("p, grads, learning_rate", "p, grads, learning_rate=1.2"):
            asked = f"{library}asarray({line})"
            mine = part(head, f"return {{k: {asked} for k in ('W1', 'b1', 'W2', 'b2')}}", jit=jit)
            slips = [each.slip for each in check_update(mine).deviations]
            assert slips == ([slip] * 4 if slip else []), line


def test_slips_of_an_update_in_one_quantity() -> None:
    for lines, expected in (
        (["new['W1'] = p['W1'] - learning_rate * grads['dW2']"], [("W1", "dW2 for dW1")]),
        (["new['b2'] = p['b2'] - learning_rate * grads['db1']"], [("b2", "db1 for db2")]),
        (["new['b1'] = p['b1'] + learning_rate * grads['db1']"], [("b1", "step added")]),
        (["new['W2'] -= learning_rate * grads['dW2']"],
         [("W2", "changed in place"), ("W2", "updated twice")]),
    ):  # fmt: skip
        right = "new = {k: p[k] - learning_rate * grads['d' + k] for k in p}"
        if "-=" in lines[0]:
            lines.insert(0, "new['W2'] = p['W2']; new['W2'] -= learning_rate * grads['dW2']")
        mine = part("p, grads, learning_rate", right, *lines, "return new")
        named = [(each.quantity, each.slip) for each in check_update(mine).deviations]
        assert named == expected, lines
    inside = part("p, grads, learning_rate", "for k in p: p[k] -= learning_rate * grads['d' + k]",
                  "return p")  # fmt: skip
    result = check_update(inside)
    assert {each.slip for each in result.deviations} == {"changed in place"}
    assert describe_tutoring(result)[0] == "W1, b1, W2, b2 are changed in place"


TRAIN = """
def forward(params, X):
    Z1 = params["W1"] @ X + params["b1"]
    A1 = np.maximum(0, Z1)
    Z2 = params["W2"] @ A1 + params["b2"]
    return Z1, A1, Z2, 1 / (1 + np.exp(-Z2))


def gradient(params, cache, X, Y):
    Z1, A1, _, A2 = cache
    dZ2 = A2 - Y
    dZ1 = (params["W2"].T @ dZ2) * (Z1 > 0)
    means = {"W2": dZ2 @ A1.T, "b2": dZ2.sum(1, keepdims=True),
             "W1": dZ1 @ X.T, "b1": dZ1.sum(1, keepdims=True)}
    return {name: value / Y.size for name, value in means.items()}


def backward(params, X, Y, learning_rate, iterations):
    start, first, costs = params, forward(params, X), []
    for t in range(iterations):
        cache = forward(params, X)
        costs.append(-np.log(np.where(Y == 1, cache[3], 1 - cache[3])).mean())
        grads = gradient(params, cache, X, Y)
        params = {k: params[k] - learning_rate * grads[k] for k in params}
    return params, costs
"""
ONE_MORE = "costs.append(-np.log(np.where(Y == 1, cache[3], 1 - cache[3])).mean()); return"


def test_the_slips_of_a_training() -> None:
    params = ("W1", "b1", "W2", "b2")
    everything = ("costs", *params)
    last = "cache = forward(params, X); " + ONE_MORE
    for right, wrong, quantities, slip in (
        ("", "", (), ""),
        ("range(iterations)", "range(1, iterations)", everything, "one iteration less"),
        ("range(iterations)", "range(iterations + 1)", params, "one iteration more"),
        ("- learning_rate *", "+ learning_rate *", everything, "step added"),
        ("- learning_rate *", "-", everything, "rate left out"),
        ("/ Y.size", "/ 1", everything, "no 1/m"),
        ("{k: params[k]", "{k: start[k]", everything, "begins anew"),
        ("= gradient(params, cache", "= gradient(start, first", everything, "before the loop"),
        ("= gradient(params, cache", "= gradient(params, first", everything, "before the loop"),
        ('(params["W2"].T', '((params["W2"] - 0.25 * dZ2 @ A1.T / Y.size).T', everything[1:],
         "W2 updated too early"),
        ("cache[3])).mean()", "cache[3])).sum()", everything[:1], "costs times m"),
        ("return params, costs", "return costs[-1]", everything[:1], "the last cost only"),
        ("return params, costs", "return costs, start", params, "not kept"),
        ("return params, costs", f"{last} costs", everything[:1], "one cost more"),
        ("return params, costs", f"{last} costs[1:], params", everything[:1],
         "costs after the update"),
        ("params = {k", "grads = {k", everything[:1], "always the first"),
    ):  # fmt: skip
        result = check_training(compile_mine(TRAIN.replace(right, wrong)))
        named = [(each.quantity, each.slip) for each in result.deviations]
        expected = [(name, slip) for name in quantities]
        assert [each for each in named if each in expected] == expected, (wrong, named)
        assert result.right == (not slip)


def test_what_is_not_filled_in_yet() -> None:
    """It is told as such, whether it is returned, used, or stands in the middle of a line."""
    alone = ("return ...", "pass", "raise NotImplementedError")
    for body, names in (
        *((line, ("",)) for line in alone),
        ("return {'dW1': ..., 'db1': ..., 'dW2': ..., 'db2': None}", ("dW1", "db1", "dW2", "db2")),
        ("dZ2 = ...; return {'dW2': dZ2 @ cache['A1'].T}", ("dZ2",)),
        ("dZ2 = None; return {'dW2': dZ2 / 3}", ("dZ2",)),
        ("dZ2 = ... - Y; return dZ2", ("dZ2",)),
        ("dW2 = (cache['A2'] - Y) @ ...", ("dW2",)),
        ("m = ...; return {'dW2': (cache['A2'] - Y) / m}", ("m",)),
        ("g = {'dZ2': ...}; return {'dW2': g['dZ2'].sum(axis=1)}", ("dZ2",)),
        ("dz_2 = ...; return np.sum(dz_2, axis=1)", ("dZ2",)),
    ):
        for library in ("np.", "jnp."):
            mine = part("params, cache, X, Y", body.replace("np.", library))
            result = check_backprop(mine)
            assert tuple(each.quantity for each in result.deviations) == names, body
            slips = {each.slip for each in result.deviations}
            assert slips == {"returns nothing" if body in alone[:2] else "not filled in"}
            assert result.raised is None
            assert describe_tutoring(result)[0].endswith((" yet", "not filled in yet"))
    unused = write("params", dA2="...", dW2="dZ2 @ A1 / m")  # the error does not come of it
    assert found(compile_mine(unused)) == [("dW2", "A1, not A1ᵀ")]
    assert found(compile_mine(write("params", dA1="A1[..., 0, 0, 0]"))) == [("dA1", "raises")]


def test_what_is_filled_in_is_judged_while_the_rest_is_not() -> None:
    mine = write("all", dZ2="Y - A2", dW1="...", db1="...")
    result = check_backprop(compile_mine(mine))
    assert describe_tutoring(result) == [
        "dZ2 is wrong",
        "  hint: look at the signs",
        "dW1, db1: not filled in yet",
        "right so far: dA2",
        "dW2, db2, dA1, dZ1: wrong only because of what precedes",
    ]
    result = check_backprop(compile_mine(write("all", dA2="...", db1="...")))
    assert describe_tutoring(result) == [
        "dA2, db1 are not filled in yet",
        "  hint: write the formula of dA2, whose shape is (1, m)",
        "right so far: dZ2, dW2, db2, dA1, dZ1, dW1",
    ]
    assert "  formula: dA2 = " in describe_tutoring(result, answer=True)[2]


def test_what_a_function_is_expected_to_take_and_return() -> None:
    for mine, words in (
        (3, "mine is of type int"),
        (lambda one, two: None, "takes (one, two)"),
        (lambda params, X, Y: {"a": 1}, "returns a dict of a"),
        (lambda params, X, Y: (1, 2, 3), "returns a tuple of 3"),
        (lambda params, X, Y: {"dW1": "text"}, "returns dW1 of type str"),
    ):
        with pytest.raises(UsageError) as caught:
            check_backprop(mine)  # type: ignore[arg-type]
        assert words in caught.value.found
    assert "(params, X, Y) or (params, cache, X, Y)" in caught.value.expected


@pytest.mark.parametrize("answer", [False, True])
def test_the_page_shows_what_is_printed(
    answer: bool, jaxnet: Callable[..., Result], tmp_path: Path
) -> None:
    text = (Path(__file__).parent.parent / "docs" / "tutor.md").read_text(encoding="utf-8")
    code = text.split("```python file\n")[1].split("```")[0]
    (tmp_path / "workplace" / "mine.py").write_text(code, encoding="utf-8")
    result = jaxnet("tutor", "mine.py", *["--answer"][:answer])
    assert f"```text\n{result.out}```" in text
    assert result.code == 1


def test_the_readme_shows_what_is_printed_of_one_slip(
    jaxnet: Callable[..., Result], tmp_path: Path
) -> None:
    root = Path(__file__).parent.parent
    code = (root / "docs" / "tutor.md").read_text("utf-8").split("```python file\n")[1]
    code = code.split("```")[0].replace("(1 - A1**2)", "(A1 > 0)")
    (tmp_path / "workplace" / "mine.py").write_text(code, encoding="utf-8")
    result = jaxnet("tutor", "mine.py", "--answer")
    assert f"```text\n{result.out}```" in (root / "README.md").read_text("utf-8")


def test_every_slip_has_its_words() -> None:
    for part in FORMULAS.values():
        for name, quantity in part.items():
            for slip, _ in quantity.slips:
                hint, answer = hint_and_answer(Deviation(name, slip, factor=2.0))
                assert hint
                assert answer


# A process of its own.

ENDLESS = "def backward(params, X, Y):\n    "
HANDED_IN = {
    "time": ENDLESS + "while True: pass",
    "memory": ENDLESS + "a = []\n    while True: a.append(bytearray(10**7))",
    "output": ENDLESS + "while True: print('x' * 1000)",
    "exit": "import os\n" + ENDLESS + "os._exit(0)",
    "file": ENDLESS + "with open('a', 'w') as file: file.write('text')",
    "raised": "import sys\n1 / 0",
    "refused": "x = 1",
}


@pytest.mark.parametrize("ended", HANDED_IN)
def test_a_file_ends_within_its_limits(ended: str, tmp_path: Path) -> None:
    path = tmp_path / "mine.py"
    path.write_text(HANDED_IN[ended])
    seconds, memory = 1 if ended == "time" else 20, 256 if ended == "memory" else 512
    result = check_file(path, seconds=seconds, memory=memory)
    assert result.ended == ended
    assert describe_hand_in(result)[0].startswith("not judged: it ")


def test_the_command(jaxnet: Callable[..., Result], tmp_path: Path) -> None:
    folder = tmp_path / "class"
    folder.mkdir()
    head = "import numpy as np\nprint('a text of its own')\n"
    (folder / "ada.py").write_text(head + write("cache"))
    wrong = write("params", dW1="dZ1 @ X.T", dZ2="Y - A2", db1="...").replace("backward", "mine")
    (folder / "ben.py").write_text(head + wrong + "\n\ndef other(): pass")
    assert jaxnet("tutor", folder / "ada.py").code == 0
    result = jaxnet("tutor", f"{folder / 'ben.py'}:mine")
    assert result.code == 1
    assert result.out.startswith("dZ2 is wrong")
    assert "minus" not in result.out
    assert "\ndb1: not filled in yet\n" in result.out
    assert "minus" in jaxnet("tutor", f"{folder / 'ben.py'}:mine", "--answer").out
    both = jaxnet("tutor", folder, "--json")
    assert both.code == 1
    ada, ben = json.loads(both.out)
    assert ada["right"]
    assert ben["ended"] == "refused"  # two functions, neither of a usual name
    assert jaxnet("tutor", folder / "ben.py").code == 2
    assert jaxnet("tutor", "nowhere.py").code == 2
