"""Checks of a pipeline's own functions, before any check runs: what they take and return."""

import inspect
from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp

from jaxnet.activations import relu
from jaxnet.arrays import check_params
from jaxnet.backprop import Gradients
from jaxnet.errors import JaxnetError, UsageError
from jaxnet.evaluation.doctor.pipeline import Pipeline, make_pictures, make_problem
from jaxnet.examples import Examples, check_examples
from jaxnet.explain import explain
from jaxnet.network import Forward

# What each function takes, and what it returns.
TAKES = {
    "prepare": "(images, labels)",
    "init_params": "(key, n_x, n_h=8, *, weight_scale=0.01, dtype=jnp.float32)",
    "forward": "(params, X, hidden=relu)",
    "loss": "(params, X, Y, hidden=relu, weights=None)",
    "backward": "(params, X, Y, hidden=relu, weights=None)",
    "fit": '(params, X, Y, *, learning_rate, iterations, momentum=0.0, basis="auto")',
}
RETURNS = {
    "prepare": "X (n_x, m) and Y (1, m)",
    "init_params": "a dict of W1 (n_h, n_x), b1 (n_h, 1), W2 (1, n_h), b2 (1, 1)",
    "forward": "jaxnet.Forward(Z1, A1, Z2, A2)",
    "loss": "the cost, an array of shape ()",
    "backward": "jaxnet.Gradients(dA2, dZ2, dW2, db2, dA1, dZ1, dW1, db1)",
    "fit": "a result with params and costs, as jaxnet.fit",
}

# These are compiled and differentiated, so they must be written in JAX.
TRACED = ("init_params", "forward", "loss", "backward")

Call = tuple[tuple[Any, ...], dict[str, Any]]


def check_functions(pipeline: Pipeline) -> None:
    """Check every function of a pipeline that is not the library's own.

    Its signature is compared with the calls that the checks make. What must be written in JAX is
    then traced, which computes nothing; `prepare` and `fit` are called on a tiny problem.

    Raises:
        UsageError: If the pipeline is no Pipeline, or a function takes or returns something else
            than the library's.
    """
    if not isinstance(pipeline, Pipeline):
        raise UsageError(
            f"pipeline is of type {type(pipeline).__name__}",
            "a Pipeline",
            "name what the function replaces: Pipeline(backward=mine)",
        )
    own = {
        name: function
        for name, function in pipeline._asdict().items()
        if function is not Pipeline._field_defaults[name]
    }
    if not own:
        return
    calls = _make_calls()
    for name, function in own.items():
        _check_signature(name, function, calls[name])
    for name, function in own.items():
        for arguments, keywords in calls[name]:
            _check_call(name, function, arguments, keywords)


def _make_calls() -> dict[str, tuple[Call, ...]]:
    """List the ways in which the checks call each function."""
    params, X, Y = make_problem()
    rates = {"learning_rate": 0.1, "iterations": 1}
    without_weights: Call = ((params, X, Y), {})
    with_weights: Call = ((params, X, Y, relu, jnp.ones_like(Y)), {})
    return {
        "prepare": ((make_pictures(3), {}),),
        "init_params": (
            ((jax.random.key(0), 5), {"weight_scale": 0.1, "dtype": X.dtype}),
            ((jax.random.key(0), 5, 3), {"dtype": X.dtype}),
        ),
        "forward": (((params, X), {}), ((params, X, relu), {})),
        "loss": (without_weights, with_weights),
        "backward": (without_weights, with_weights),
        "fit": (
            ((params, X, Y), rates),
            ((params, X, Y), rates | {"momentum": 0.5, "basis": "pixels"}),
        ),
    }


def _refuse(name: str, problem: str, remedy: str = "") -> UsageError:
    return UsageError(
        f"{name} of the pipeline {problem}",
        f"a function {name}{TAKES[name]} that returns {RETURNS[name]}",
        remedy or f"define it as def mine{TAKES[name]}",
    )


def _check_signature(name: str, function: Callable[..., Any], calls: tuple[Call, ...]) -> None:
    if not callable(function):
        raise _refuse(name, f"is of type {type(function).__name__}")
    try:
        hash(function)
    except TypeError as cause:
        problem = f"is a {type(function).__name__}, which has no hash"
        raise _refuse(name, problem, "give a function, which jax.jit can take") from cause
    try:
        signature = inspect.signature(function)
    except (TypeError, ValueError):  # some functions written in C have none
        return
    for arguments, keywords in calls:
        try:
            signature.bind(*arguments, **keywords)
        except TypeError as cause:
            bare = signature.replace(
                parameters=[
                    parameter.replace(annotation=inspect.Parameter.empty)
                    for parameter in signature.parameters.values()
                ],
                return_annotation=inspect.Signature.empty,
            )
            raise _refuse(name, f"takes {bare}") from cause


def _check_call(
    name: str, function: Callable[..., Any], arguments: tuple[Any, ...], keywords: dict[str, Any]
) -> None:
    """Call the function, on traced arrays if it must be written in JAX, and check the result."""

    def call(arrays: dict[int, Any]) -> None:
        given = [arrays.get(i, argument) for i, argument in enumerate(arguments)]
        try:
            result = function(*given, **keywords)
        except jax.errors.JAXTypeError as cause:
            raise _refuse(
                name,
                "uses the values of its arrays, or calls NumPy on them: "
                f"{type(cause).__name__} of JAX",
                "write it in jax.numpy: jnp for np, jnp.where for if",
            ) from cause
        except Exception as cause:
            if explain(cause) is not None:
                raise
            remedy = "call it on such arrays by itself, and read the traceback"
            raise _refuse(name, f"raises {describe_error(cause)}", remedy) from cause
        _check_result(name, result)

    arrays = {i: value for i, value in enumerate(arguments) if isinstance(value, dict | jax.Array)}
    if name in TRACED:
        jax.eval_shape(call, arrays)
    else:
        call(arrays)


def describe_error(error: Exception) -> str:
    """Name an error, with the first line of its message."""
    first, *_ = str(error).splitlines() or [""]
    return f"{type(error).__name__}: {first}" if first else type(error).__name__


def _check_result(name: str, result: Any) -> None:
    if name in ("forward", "backward"):
        fits = isinstance(result, Forward if name == "forward" else Gradients)
    elif name == "loss":
        fits = getattr(result, "shape", None) == ()
    elif name == "prepare":
        fits = isinstance(result, tuple) and len(result) == 2
    elif name == "fit":
        fits = hasattr(result, "params") and hasattr(result, "costs")
    else:
        fits = isinstance(result, dict)
    if not fits:
        shape = getattr(result, "shape", None)
        found = f"a {type(result).__name__}" if shape is None else f"an array of shape {shape}"
        raise _refuse(name, f"returns {found}", f"return {RETURNS[name]}")
    try:
        if name == "prepare":
            check_examples(Examples(*result))
        elif name in ("fit", "init_params"):
            check_params(result.params if name == "fit" else result)
    except JaxnetError as cause:
        problem = f"returns something that does not fit: {cause.found}"
        raise _refuse(name, problem, cause.remedy) from cause
