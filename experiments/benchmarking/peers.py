"""The peers: the programs that the benchmark compares, which make the same gradient descent.

A peer is a function that takes a `Problem`, does the preparations that a second training need not
repeat, and returns `train(iterations)`, which trains from the same start each time and returns the
parameters. Each follows the documentation of its package, and none records the costs.
"""

import contextlib
import warnings
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

SQUARE = 2048

# The number of different networks; stacks of more repeat them.
DIFFERENT = 16

Arrays = dict[str, np.ndarray]
Train = Callable[[int], Arrays]


class Problem(NamedTuple):
    """The examples and the initial parameters of a training.

    Attributes:
        X: (n_x, m); everything is computed in its dtype.
        Y: (1, m).
        params: W1 (n_h, n_x), b1 (n_h, 1), W2 (1, n_h), b2 (1, 1); stacked, each has one more axis
            in front.
        learning_rate: α.
    """

    X: np.ndarray
    Y: np.ndarray
    params: Arrays
    learning_rate: float

    def astype(self, dtype: type) -> "Problem":
        """Convert every array."""
        params: Arrays = {name: array.astype(dtype) for name, array in self.params.items()}
        return Problem(self.X.astype(dtype), self.Y.astype(dtype), params, self.learning_rate)

    def stack(self, networks: int) -> Arrays:
        """Repeat the stacked params until there are `networks` of them."""
        n = np.arange(networks) % len(self.params["W1"])
        return {name: array[n] for name, array in self.params.items()}


def numpy_pixels(problem: Problem) -> Train:
    """The article's formulas in NumPy."""
    X, Y, start, alpha = problem
    m = X.dtype.type(Y.size)

    def train(iterations: int) -> Arrays:
        W1, b1, W2, b2 = (start[name].copy() for name in ("W1", "b1", "W2", "b2"))
        for _ in range(iterations):
            Z1 = W1 @ X
            Z1 += b1
            A1 = np.maximum(Z1, 0)
            A2 = 0.5 + 0.5 * np.tanh(0.5 * (W2 @ A1 + b2))  # σ, without overflow
            dZ2 = (A2 - Y) / m
            dZ1 = W2.T * dZ2
            dZ1 *= Z1 > 0
            W2 -= alpha * (dZ2 @ A1.T)
            b2 -= alpha * dZ2.sum(axis=1, keepdims=True)
            W1 -= alpha * (dZ1 @ X.T)
            b1 -= alpha * dZ1.sum(axis=1, keepdims=True)
        return {"W1": W1, "b1": b1, "W2": W2, "b2": b2}

    return train


def numpy_span(problem: Problem) -> Train:
    """The same in the span of the pictures, which shows the gain by the algebra alone."""
    X, Y, start, alpha = problem
    m = X.dtype.type(Y.size)

    def train(iterations: int) -> Arrays:
        pictures = X.astype(np.float64)
        K = (pictures.T @ pictures).astype(X.dtype)
        first = (start["W1"] @ pictures).astype(X.dtype)
        b1, W2, b2 = (start[name].copy() for name in ("b1", "W2", "b2"))
        C = np.zeros_like(first)
        for _ in range(iterations):
            Z1 = C @ K
            Z1 += first
            Z1 += b1
            A1 = np.maximum(Z1, 0)
            A2 = 0.5 + 0.5 * np.tanh(0.5 * (W2 @ A1 + b2))
            dZ2 = (A2 - Y) / m
            dZ1 = W2.T * dZ2
            dZ1 *= Z1 > 0
            W2 -= alpha * (dZ2 @ A1.T)
            b2 -= alpha * dZ2.sum(axis=1, keepdims=True)
            C -= alpha * dZ1
            b1 -= alpha * dZ1.sum(axis=1, keepdims=True)
        return {"W1": start["W1"] + C @ X.T, "b1": b1, "W2": W2, "b2": b2}

    return train


def pytorch(problem: Problem) -> Train:
    """PyTorch, eager: modules, autograd and `torch.optim.SGD`."""
    import torch

    X, Y = _torch_tensor(problem.X.T), _torch_tensor(problem.Y.T)
    start = {name: _torch_tensor(array) for name, array in problem.params.items()}
    n_h, n_x = start["W1"].shape
    cost_of = torch.nn.BCEWithLogitsLoss()

    def train(iterations: int) -> Arrays:
        first, last = torch.nn.Linear(n_x, n_h), torch.nn.Linear(n_h, 1)
        network = torch.nn.Sequential(first, torch.nn.ReLU(), last).to(X)
        with torch.no_grad():
            for layer, W, b in ((first, "W1", "b1"), (last, "W2", "b2")):
                layer.weight.copy_(start[W])
                layer.bias.copy_(start[b][:, 0])
        optimizer = torch.optim.SGD(network.parameters(), lr=problem.learning_rate)
        for _ in range(iterations):
            optimizer.zero_grad()
            cost_of(network(X), Y).backward()
            optimizer.step()
        ends = {"W1": first.weight, "b1": first.bias[:, None]}
        ends |= {"W2": last.weight, "b2": last.bias[:, None]}
        return {name: _numpy_array(tensor) for name, tensor in ends.items()}

    return train


def scikit_learn(problem: Problem) -> Train:
    """scikit-learn's `MLPClassifier`, set to plain full-batch gradient descent."""
    from sklearn.neural_network import MLPClassifier

    X, labels = problem.X.T.copy(), problem.Y[0].astype(int)
    params = problem.params

    def train(iterations: int) -> Arrays:
        network = MLPClassifier(
            params["b1"].shape[:1],
            solver="sgd",
            alpha=0.0,
            batch_size=len(X),
            learning_rate_init=problem.learning_rate,
            max_iter=1,
            shuffle=False,
            tol=0.0,
            momentum=0.0,
            nesterovs_momentum=False,
            n_iter_no_change=np.inf,
            warm_start=True,
        )
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # that it has not converged
            network.fit(X, labels)  # one step, which makes the arrays that are replaced
            network.coefs_ = [params["W1"].T.copy(), params["W2"].T.copy()]
            network.intercepts_ = [params["b1"][:, 0].copy(), params["b2"][:, 0].copy()]
            network.set_params(max_iter=iterations)
            network.n_iter_ = 0
            network.fit(X, labels)
        (W1, W2), (b1, b2) = network.coefs_, network.intercepts_
        return {"W1": W1.T, "b1": b1[:, None], "W2": W2.T, "b2": b2[:, None]}

    return train


def jax_loop(problem: Problem) -> Train:
    """Plain JAX: one jitted step, called by a Python loop."""
    import jax

    step, start = _jax_step(problem)
    jitted = jax.jit(step)

    def train(iterations: int) -> Arrays:
        params = start
        for _ in range(iterations):
            params = jitted(params)
        return jax.device_get(params)

    return train


def jax_scan(problem: Problem) -> Train:
    """Plain JAX: the whole run as one scan."""
    import functools

    import jax

    step, start = _jax_step(problem)

    @functools.partial(jax.jit, static_argnames="iterations")
    def run(params: Any, iterations: int) -> Any:
        return jax.lax.scan(lambda p, _: (step(p), None), params, length=iterations)[0]

    return lambda iterations: jax.device_get(run(start, iterations))


def _jax_step(problem: Problem) -> tuple[Callable[[Any], Any], Any]:
    import jax
    import jax.numpy as jnp
    import optax

    X, Y, start = jax.device_put((problem.X, problem.Y, problem.params))

    def cost_of(params: Any) -> jax.Array:
        with jax.default_matmul_precision("highest"):
            A1 = jax.nn.relu(params["W1"] @ X + params["b1"])
            Z2 = params["W2"] @ A1 + params["b2"]
        return jnp.mean(optax.sigmoid_binary_cross_entropy(Z2, Y))

    def step(params: Any) -> Any:
        gradients = jax.grad(cost_of)(params)
        return jax.tree.map(lambda p, g: p - problem.learning_rate * g, params, gradients)

    return step, start


def jaxnet_pixels(problem: Problem) -> Train:
    """`jaxnet.fit` on the pixels."""
    return _jaxnet(problem, "pixels")


def jaxnet_span(problem: Problem) -> Train:
    """`jaxnet.fit`, as it is by default."""
    return _jaxnet(problem, "span")


def jaxnet_classifier(problem: Problem) -> Train:
    """`JaxnetClassifier`, jaxnet as a classifier of scikit-learn."""
    from jaxnet.sklearn import JaxnetClassifier

    X, labels = problem.X.T.copy(), problem.Y[0].astype(int)
    start = problem.params

    def train(iterations: int) -> Arrays:
        network = JaxnetClassifier(
            len(start["b1"]), learning_rate_init=problem.learning_rate, max_iter=iterations
        ).fit(
            X,
            labels,
            coef_init=[start["W1"].T, start["W2"].T],
            intercept_init=[start["b1"][:, 0], start["b2"][:, 0]],
        )
        (W1, W2), (b1, b2) = network.coefs_, network.intercepts_
        return {"W1": W1.T, "b1": b1[:, None], "W2": W2.T, "b2": b2[:, None]}

    return train


def jaxnet_kept(problem: Problem) -> Train:
    """The same, with the compiled programs that an earlier process has kept."""
    import jaxnet

    jaxnet.cache_programs()
    return jaxnet_span(problem)


def _jaxnet(problem: Problem, basis: Any) -> Train:
    import jax

    from jaxnet import fit

    X, Y, params = jax.device_put((problem.X, problem.Y, problem.params))

    def train(iterations: int) -> Arrays:
        run = fit(
            params, X, Y, learning_rate=problem.learning_rate, iterations=iterations, basis=basis
        )
        return jax.device_get(run.params)

    return train


def pytorch_stacked_pixels(problem: Problem, networks: int) -> Train:
    """Many networks as one more axis in PyTorch, on the pixels."""
    import torch

    X, Y = (_torch_tensor(array) for array in problem[:2])
    start = {name: _torch_tensor(array) for name, array in problem.stack(networks).items()}
    _, n_h, n_x = start["W1"].shape

    def train(iterations: int) -> Arrays:
        params = {name: tensor.clone().requires_grad_() for name, tensor in start.items()}
        optimizer = torch.optim.SGD(params.values(), lr=problem.learning_rate)
        for _ in range(iterations):
            optimizer.zero_grad()
            products = (params["W1"].view(-1, n_x) @ X).view(networks, n_h, -1)
            _torch_cost(products + params["b1"], params["W2"], params["b2"], Y).backward()
            optimizer.step()
        return {name: _numpy_array(tensor[:DIFFERENT]) for name, tensor in params.items()}

    return train


def pytorch_stacked_span(problem: Problem, networks: int) -> Train:
    """Many networks as one more axis in PyTorch, in the span of the pictures."""
    import torch

    X, Y = (_torch_tensor(array) for array in problem[:2])
    start = {name: _torch_tensor(array) for name, array in problem.stack(networks).items()}
    _, n_h, n_x = start["W1"].shape

    def train(iterations: int) -> Arrays:
        pictures = X.double()
        K = (pictures.T @ pictures).to(X.dtype)
        first = (start["W1"].view(-1, n_x) @ X).view(networks, n_h, -1)
        C = torch.zeros_like(first)
        b1, W2, b2 = (start[name].clone() for name in ("b1", "W2", "b2"))
        params = [C, b1, W2, b2]
        optimizer = torch.optim.SGD(params, lr=problem.learning_rate)
        for _ in range(iterations):
            products = (C.view(networks * n_h, -1) @ K).view_as(first)
            Z1 = products.add_(first).add_(b1).requires_grad_()
            last = (W2.detach().requires_grad_(), b2.detach().requires_grad_())
            dZ1, dW2, db2 = torch.autograd.grad(_torch_cost(Z1, *last, Y), (Z1, *last))
            C.grad, b1.grad, W2.grad, b2.grad = dZ1, dZ1.sum(dim=2, keepdim=True), dW2, db2
            optimizer.step()
        W1 = start["W1"][:DIFFERENT] + C[:DIFFERENT] @ X.T
        ends = {"W1": W1, "b1": b1, "W2": W2, "b2": b2}
        return {name: _numpy_array(tensor[:DIFFERENT]) for name, tensor in ends.items()}

    return train


def _torch_cost(Z1: Any, W2: Any, b2: Any, Y: Any) -> Any:
    """Add up the mean costs of the stacked networks."""
    import torch

    Z2 = torch.bmm(W2, torch.relu(Z1)) + b2
    cost_of = torch.nn.functional.binary_cross_entropy_with_logits
    return cost_of(Z2, Y.expand_as(Z2), reduction="sum") / Y.numel()


def _torch_tensor(array: np.ndarray) -> Any:
    import torch

    return torch.tensor(array, device="cuda" if torch.cuda.is_available() else "cpu")


def _numpy_array(tensor: Any) -> np.ndarray:
    return tensor.detach().cpu().numpy()


def jaxnet_sweep(problem: Problem, networks: int) -> Train:
    """The engine of `jaxnet.sweep`; it draws its starts itself, from the seeds of the params."""
    import jaxnet

    with contextlib.suppress(jaxnet.UsageError):  # already done
        jaxnet.use_all_cores()

    import jax

    from jaxnet.many.engine import train_networks

    examples = jaxnet.make_examples(*jax.device_put((problem.X, problem.Y)))
    seeds = np.arange(networks) % len(problem.params["W1"])

    def train(iterations: int) -> Arrays:
        # One more, since a sweep returns the cost before its last update, and no parameters.
        settings = jaxnet.Settings(
            learning_rate=problem.learning_rate,
            iterations=iterations + 1,
            precision=str(problem.X.dtype),
        )
        ends = train_networks(examples, settings, seeds=seeds)
        return {"costs": ends.last_costs[0, 0, :DIFFERENT]}

    return train


def products_alone(problem: Problem, networks: int) -> Train:
    """Only the matrix product of a sweep's step, C K, on the same devices."""
    import jaxnet

    jaxnet.use_all_cores()

    import functools

    import jax
    import jax.numpy as jnp
    from jax.sharding import PartitionSpec

    mesh = jax.make_mesh((len(jax.devices()),), ("networks",))
    place = functools.partial(jax.NamedSharding, mesh)
    m = problem.Y.size
    C = jnp.zeros(
        (networks * problem.params["W1"].shape[1], m), device=place(PartitionSpec("networks"))
    )
    K = jnp.zeros((m, m), device=place(PartitionSpec()))

    @functools.partial(jax.jit, static_argnames="iterations")
    def multiply(C: jax.Array, K: jax.Array, iterations: int) -> jax.Array:
        def step(C: jax.Array, _: None) -> tuple[jax.Array, None]:
            return jnp.matmul(C, K, precision="highest", out_sharding=jax.typeof(C).sharding), None

        return jax.lax.scan(step, C, length=iterations)[0]

    def train(iterations: int) -> Arrays:
        multiply(C, K, iterations).block_until_ready()
        return {}

    return train


# By the names in the tables.
ONE_NETWORK = {
    "NumPy": numpy_pixels,
    "NumPy in the span": numpy_span,
    "PyTorch": pytorch,
    "scikit-learn": scikit_learn,
    "JAX, Python loop": jax_loop,
    "JAX, scan": jax_scan,
    "jaxnet on pixels": jaxnet_pixels,
    "jaxnet.sklearn": jaxnet_classifier,
    "jaxnet": jaxnet_span,
}
MANY_NETWORKS = {
    "PyTorch, stacked on pixels": pytorch_stacked_pixels,
    "PyTorch, stacked in the span": pytorch_stacked_span,
    "jaxnet": jaxnet_sweep,
}


def square_product(problem: Problem) -> Train:
    """The product of two large square matrices, for the highest rate of the machine."""
    import jax
    import jax.numpy as jnp

    A = jnp.zeros((SQUARE, SQUARE))
    multiply = jax.jit(lambda A: jnp.matmul(A, A, precision="highest"))

    def train(iterations: int) -> Arrays:
        for _ in range(iterations):
            multiply(A).block_until_ready()
        return {}

    return train
