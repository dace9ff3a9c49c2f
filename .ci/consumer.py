"""A user's program: mypy and pyright must find these types in the installed package."""

from typing import assert_type

import jax
import numpy as np

import jaxnet

data = jaxnet.load_dataset("sketches")
assert_type(data, jaxnet.Dataset)

run = jaxnet.train(data, jaxnet.Settings(hidden_units=16), jaxnet.Preprocessing(32, 32))
assert_type(run, jaxnet.Run)
assert_type(run.model, jaxnet.Model)
probabilities: np.ndarray = run.model.predict_files("photo.jpg")

evaluation = jaxnet.evaluate(run, data)
assert_type(evaluation, jaxnet.Evaluation)
low: float = evaluation.splits["test"].accuracy.low

params = jaxnet.init_params(jax.random.key(0), n_x=4096)
assert_type(params, dict[str, jax.Array])
assert_type(params, jaxnet.Params)
X, Y, weights = jaxnet.to_examples(data, jaxnet.Settings())["train"]
assert_type(X, jax.Array)
assert_type(jaxnet.loss(params, X, Y), jax.Array)
assert_type(jaxnet.backward(params, X, Y), jaxnet.Gradients)
assert_type(jaxnet.relu, jaxnet.Activation)
