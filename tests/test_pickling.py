"""What is sent to another process arrives whole, in a worker that `spawn` starts."""

import dataclasses
import multiprocessing
import pickle
import traceback
from collections.abc import Callable, Iterator
from multiprocessing.connection import Connection
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest
from test_run import DATA, settings_of

from jaxnet.activations import ACTIVATIONS, Activation, relu
from jaxnet.data.preprocessing import Preprocessing
from jaxnet.devices import at_precision
from jaxnet.errors import DataError, DivergenceError, JaxnetError, ModelFileError, UsageError
from jaxnet.network import init_params
from jaxnet.optimizer import sgd
from jaxnet.runs.model import Model
from jaxnet.runs.run import Run, load_run
from jaxnet.runs.train import resume, train
from jaxnet.training import Fit, fit, fit_in_chunks


def double(Z: jax.Array) -> jax.Array:
    return 2 * Z


def twos(Z: jax.Array) -> jax.Array:
    return jnp.full_like(Z, 2)


OWN = Activation("double", double, twos)

PRECISIONS = ("float32", "float64")


# What is compared: computed here of what is sent, and in the worker of what arrives.


def describe_arrays(tree: Any) -> list[Any]:
    """List what every array is, to the bit."""
    arrays = [np.asarray(leaf) for leaf in jax.tree.leaves(tree)]
    return [(array.shape, str(array.dtype), array.tobytes()) for array in arrays]


def describe_model(model: Model) -> list[Any]:
    probabilities = model.predict_images(DATA.train.images)
    known = [model.preprocessing, model.classes, model.hidden]
    return [*describe_arrays((model.params, probabilities)), *known]


def make_problem(dtype: str) -> tuple[Any, jax.Array, jax.Array]:
    draw = np.random.default_rng(3)
    X = jax.device_put(draw.uniform(-1, 1, (20, 7)).astype(dtype))
    Y = jax.device_put(np.array([[0, 1, 0, 0, 1, 1, 0]], dtype))
    return init_params(jax.random.key(1), 20, 3, weight_scale=0.3, dtype=jnp.dtype(dtype)), X, Y


def describe_fit(reached: Fit) -> list[Any]:
    descent = reached.descent
    with at_precision(descent.X.dtype):
        arrays = (descent.state, descent.X, descent.costs, descent.W1, descent.span)
        return [*describe_arrays((arrays, reached.params, reached.costs)), reached.outcome]


def describe_continued(reached: Fit) -> list[Any]:
    """Continue a fit as far again as it has come."""
    descent = reached.descent
    dtype = descent.X.dtype
    with at_precision(dtype):
        _, _, Y = make_problem(str(dtype))
        *_, further = fit_in_chunks(descent, Y, iterations=2 * len(reached.costs))
    return describe_fit(reached) + describe_fit(further)


def describe_without_optimizer(reached: Fit) -> list[Any]:
    """Try to continue without an optimizer, then continue with the one that it had."""
    assert reached.descent.optimizer is None
    try:
        describe_continued(reached)
    except UsageError as error:
        descent = dataclasses.replace(reached.descent, optimizer=optax.adam(0.01))
        again = dataclasses.replace(reached, descent=descent)
        return [str(error), *describe_continued(again)]
    raise AssertionError("it has an optimizer")


def describe_run(run: Run) -> list[Any]:
    known = [run.preprocessing, run.classes, run.hidden, run.outcome, run.settings]
    known += [run.data_source, run.origin, run.seconds]
    further = resume(run, DATA, iterations=60)
    parts = (run.model.params, run.costs, run.examples, further.model.params, further.costs)
    return [*describe_arrays(parts), *known, further.outcome]


def describe_activation(hidden: Activation) -> list[Any]:
    Z = jnp.linspace(-3, 3, 7)
    same = ACTIVATIONS.get(hidden.name, OWN) == hidden
    return [hidden.name, same, *describe_arrays((hidden(Z), hidden.slope(Z)))]


def describe_error(error: JaxnetError) -> list[Any]:
    reached = error.fit if isinstance(error, DivergenceError) else None
    words = [type(error).__name__, str(error), error.found, error.expected, error.remedy]
    return words + (describe_fit(reached) if reached is not None else list(error.args))


def work(connection: Connection) -> None:
    """Describe one object after the other, in a process whose JAX is set to 32 bits."""
    assert jnp.zeros(1, float).dtype == np.float32
    while True:
        describe, sent = connection.recv_bytes(), connection.recv_bytes()
        try:
            answer = pickle.loads(describe)(pickle.loads(sent))
        except BaseException:
            answer = traceback.format_exc()
        connection.send(answer)


@pytest.fixture(scope="module")
def worker() -> Iterator[Callable[..., Any]]:
    """Send an object to the worker, which describes what arrives."""
    context = multiprocessing.get_context("spawn")
    ours, theirs = context.Pipe()
    process = context.Process(target=work, args=(theirs,), daemon=True)
    process.start()
    theirs.close()

    def ask(describe: Callable[[Any], Any], sent: object) -> Any:
        ours.send_bytes(pickle.dumps(describe))
        ours.send_bytes(pickle.dumps(sent))
        assert ours.poll(120), "no answer"
        answer = ours.recv()
        assert not isinstance(answer, str), answer
        return answer

    yield ask
    process.kill()
    process.join()


Ask = Callable[[Callable[[Any], Any], object], Any]


@pytest.mark.parametrize("dtype", PRECISIONS)
def test_a_model(dtype: str, worker: Ask) -> None:
    with at_precision(dtype):
        params = init_params(jax.random.key(0), 48, 3, weight_scale=0.3, dtype=jnp.dtype(dtype))
    for hidden in (*ACTIVATIONS.values(), OWN) if dtype == "float64" else (relu, OWN):
        model = Model(params, Preprocessing(8, 6, pixel_scale="unit"), ("no", "yes"), hidden)
        expected = describe_model(model)
        assert {kind for _, kind, _ in expected[:5]} == {dtype}
        assert worker(describe_model, model) == expected


@pytest.mark.parametrize(
    ("optimizer", "basis", "dtype"),
    [
        pytest.param(sgd(0.1), "span", "float32", id="span-float32"),
        pytest.param(sgd(0.1, 0.9, nesterov=True), "pixels", "float64", id="nesterov-float64"),
    ],
)
def test_a_fit(dtype: str, optimizer: Any, basis: str, worker: Ask) -> None:
    with at_precision(dtype):
        reached = fit(*make_problem(dtype), optimizer=optimizer, basis=basis, iterations=9)
    expected = describe_continued(reached)
    assert worker(describe_continued, reached) == expected


@pytest.mark.parametrize("dtype", ["float64", pytest.param("float32", marks=pytest.mark.slow)])
def test_a_fit_of_adam_arrives_without_its_optimizer(dtype: str, worker: Ask) -> None:
    """What optax makes cannot be pickled; its numbers can, and so it continues."""
    with at_precision(dtype):
        reached = fit(*make_problem(dtype), optimizer=optax.adam(0.01), iterations=9)
    words, *arrays = worker(describe_without_optimizer, reached)
    assert "the descent has no optimizer: it was pickled with one" in words
    assert "put it back: dataclasses.replace(descent, optimizer=…)" in words
    assert arrays == describe_continued(reached)
    assert reached.descent.optimizer is not None, "what is sent is as it was"


@pytest.mark.parametrize(
    ("way", "precision"),
    [
        ("momentum", "float32"),
        ("adam", "float64"),
        ("balanced", "float64"),
        pytest.param("momentum", "float64", marks=pytest.mark.slow),
        pytest.param("adam", "float32", marks=pytest.mark.slow),
        pytest.param("balanced", "float32", marks=pytest.mark.slow),
    ],
)
def test_a_run(way: str, precision: str, worker: Ask, tmp_path: Any) -> None:
    run = train(DATA, settings_of(way, precision=precision), command="jaxnet train")
    expected = describe_run(run)
    assert worker(describe_run, run) == expected
    loaded = load_run(run.save(tmp_path / "run"))
    assert worker(describe_run, loaded) == describe_run(loaded)


@pytest.mark.parametrize("hidden", [*ACTIVATIONS.values(), OWN], ids=lambda hidden: hidden.name)
def test_an_activation(hidden: Activation, worker: Ask) -> None:
    assert worker(describe_activation, hidden) == describe_activation(hidden)


def test_one_of_jaxnets_activations_is_itself_again() -> None:
    for hidden in ACTIVATIONS.values():
        assert pickle.loads(pickle.dumps(hidden)) is hidden


def every_error() -> list[JaxnetError]:
    """One error of each kind that there is."""
    kinds: list[Any] = [JaxnetError]
    for kind in kinds:
        kinds += kind.__subclasses__()
    others = [kind("found", "expected", "to do") for kind in kinds if kind is not DivergenceError]
    with jax.enable_x64(True):
        params, X, Y = make_problem("float64")
        with pytest.raises(DivergenceError) as caught:
            fit(params, X, Y, learning_rate=1e200, iterations=9)
    return [*others, caught.value]


def test_every_error(worker: Ask) -> None:
    errors = every_error()
    kinds = {type(error) for error in errors}
    assert kinds >= {JaxnetError, DataError, UsageError, ModelFileError, DivergenceError}
    for error in errors:
        assert worker(describe_error, error) == describe_error(error)
    assert isinstance(errors[-1], DivergenceError)
    assert errors[-1].fit.params["W1"].dtype == np.float64


@pytest.mark.parametrize("protocol", range(2, pickle.HIGHEST_PROTOCOL + 1))
def test_every_protocol(protocol: int) -> None:
    run = train(DATA, settings_of("span", precision="float64"))
    again = pickle.loads(pickle.dumps(run, protocol))
    assert describe_run(again) == describe_run(run)
    assert again.model.params["W1"].dtype == np.float64
    assert jnp.zeros(1, float).dtype == np.float32, "JAX is set as it was"
