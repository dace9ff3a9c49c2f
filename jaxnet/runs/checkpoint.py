"""The part of a descent that is saved, so that it continues with the same bits.

In a model file:

/descent             attribute basis: pixels or span
/descent/state       a dataset for each array of the parameters in that basis
/descent/optimizer   the arrays of the optimizer's memory, numbered in the order of its pytree
/descent/best        with patience, the parameters where the validation cost was lowest
/descent/W1, Z1      in the span: the initial weights W1₀, and W1₀ X
"""

import dataclasses
from collections.abc import Mapping
from typing import Any, NamedTuple

import h5py
import jax
import numpy as np
import optax

from jaxnet.descent import NO_CURVES, Curves, TrainState
from jaxnet.errors import ModelFileError
from jaxnet.io.attributes import read_attribute, write_attributes
from jaxnet.io.bounded_hdf5 import find_array, find_group, read_array
from jaxnet.network import Params
from jaxnet.training import Descent

NAMES = {"pixels": ("W1", "b1", "W2", "b2"), "span": ("C", "b1", "W2", "b2")}


class Checkpoint(NamedTuple):
    """A descent without what its data and settings make anew; arrays on the host.

    Attributes:
        params: W1, b1, W2, b2, as JAX arrays.
        costs: The cost before each update, (iterations,).
        basis: "pixels" or "span"; None of a network whose training cannot be continued.
        state: The parameters in this basis.
        memory: The optimizer's arrays, in the order of its pytree.
        W1: In the span: the initial weights W1₀ (n_h, n_x).
        Z1: In the span: W1₀ X (n_h, m).
        curves: What else is recorded before each update.
        best: With patience, the parameters in this basis where the validation cost was lowest.
    """

    params: Params
    costs: np.ndarray
    basis: str | None = None
    state: dict[str, np.ndarray] = {}  # noqa: RUF012  # never changed
    memory: tuple[np.ndarray, ...] = ()
    W1: np.ndarray | None = None
    Z1: np.ndarray | None = None
    curves: Curves = NO_CURVES
    best: dict[str, np.ndarray] | None = None


def checkpoint_of(descent: Descent | Checkpoint) -> Checkpoint:
    """Keep what changes in a descent, and what cannot be computed anew to the same bits."""
    if isinstance(descent, Checkpoint):
        return descent
    kept = keep_state(descent.params, descent.state, descent.costs)
    kept = kept._replace(curves=descent.curves)
    if descent.best is not None:
        kept = kept._replace(best={n: np.asarray(leaf) for n, leaf in descent.best.items()})
    if descent.span is None:
        return kept
    return kept._replace(basis="span", W1=np.asarray(descent.W1), Z1=np.asarray(descent.span.Z1))


def keep_state(params: Params, state: TrainState, costs: np.ndarray) -> Checkpoint:
    """Keep the state of a descent in pixels, with its parameters and its costs so far."""
    return Checkpoint(
        params,
        costs,
        "pixels",
        {name: np.asarray(leaf) for name, leaf in state.params.items()},
        tuple(np.asarray(leaf) for leaf in jax.tree.leaves(state.opt_state)),
    )


def continue_from(checkpoint: Checkpoint, start: Descent) -> Descent:
    """Put a checkpoint into a descent that was started from the same data and settings.

    Raises:
        ModelFileError: If the two do not fit together.
    """
    if start.span is None:
        state = restore_state(checkpoint, start.state)
        return dataclasses.replace(start, state=state, **_kept(checkpoint))
    state = restore_state(checkpoint, start.state, {"W1": start.W1, "Z1": start.span.Z1})
    return dataclasses.replace(
        start,
        state=state,
        **_kept(checkpoint),
        W1=jax.device_put(checkpoint.W1),
        span=start.span._replace(Z1=jax.device_put(checkpoint.Z1)),
    )


def _kept(checkpoint: Checkpoint) -> dict[str, Any]:
    best, params = checkpoint.best, None
    if best is not None:
        for name in best.keys() | checkpoint.state.keys():
            ours, theirs = (_describe(held.get(name)) for held in (best, checkpoint.state))
            if ours != theirs:
                raise ModelFileError(
                    f"{name} of the best parameters of the run is {ours}",
                    f"{theirs}, as that of its state",
                    "use an undamaged copy of the run, or train again",
                )
        params = {name: jax.device_put(leaf) for name, leaf in best.items()}
    return {"costs": checkpoint.costs, "curves": checkpoint.curves, "best": params}


def restore_state(
    checkpoint: Checkpoint, start: TrainState, in_span: Mapping[str, Any] | None = None
) -> TrainState:
    """Put the arrays of a checkpoint into a state that was started with the same settings.

    Args:
        checkpoint: The checkpoint.
        start: The state.
        in_span: W1₀ and W1₀ X of a descent in the span; None of one in pixels.

    Raises:
        ModelFileError: If the two do not fit together.
    """
    basis = "pixels" if in_span is None else "span"
    if checkpoint.basis != basis:
        raise ModelFileError(
            f"the run was trained in the basis {checkpoint.basis}, but its settings have {basis}",
            "the same basis",
            "use an undamaged copy of the run, or train again",
        )
    leaves, structure = jax.tree.flatten(start.opt_state)
    expected = start.params | {f"optimizer {i}": leaf for i, leaf in enumerate(leaves)}
    stored = checkpoint.state | {f"optimizer {i}": a for i, a in enumerate(checkpoint.memory)}
    if in_span is not None:
        expected |= in_span
        fixed = {"W1": checkpoint.W1, "Z1": checkpoint.Z1}
        stored |= {name: array for name, array in fixed.items() if array is not None}
    for name in expected.keys() | stored.keys():
        ours, theirs = (_describe(arrays.get(name)) for arrays in (stored, expected))
        if ours != theirs:
            raise ModelFileError(
                f"{name} of the run is {ours}",
                f"{theirs}, as its settings require",
                "use an undamaged copy of the run, or train again",
            )
    params = {name: jax.device_put(checkpoint.state[name]) for name in start.params}
    memory = jax.tree.unflatten(structure, [jax.device_put(leaf) for leaf in checkpoint.memory])
    _require_same_numbers(memory, start.opt_state)
    return TrainState(params, memory)


def _require_same_numbers(memory: optax.OptState, expected: optax.OptState) -> None:
    """Raise a ModelFileError if sgd's memory has another learning rate or momentum than expected.

    It keeps them: a descent would continue with those, whatever the settings say.
    """
    asked = getattr(expected, "hyperparams", {})
    for name, number in asked.items():
        stored = memory.hyperparams[name]
        if float(stored) != float(number):
            raise ModelFileError(
                f"the run was trained with the {name} {stored:g}, but its settings have {number:g}",
                f"the same {name}",
                "restore the original settings, or start a new run",
            )


def _describe(array: jax.Array | np.ndarray | None) -> str:
    return "missing" if array is None else f"{array.dtype} {array.shape}"


def write_checkpoint(group: h5py.Group, checkpoint: Checkpoint) -> None:
    """Write a checkpoint whose basis is known."""
    write_attributes(group, {"basis": str(checkpoint.basis)})
    for name, array in checkpoint.state.items():
        group[f"state/{name}"] = array
    for name, array in (checkpoint.best or {}).items():
        group[f"best/{name}"] = array
    group.create_group("optimizer")
    for number, array in enumerate(checkpoint.memory):
        group[f"optimizer/{number}"] = array
    if checkpoint.W1 is not None:
        group["W1"], group["Z1"] = checkpoint.W1, checkpoint.Z1


def read_checkpoint(group: h5py.Group, params: Params, costs: np.ndarray) -> Checkpoint:
    """Read a checkpoint.

    Raises:
        ValueError: If a part is missing or not finite, or the basis unknown.
    """
    basis = str(read_attribute(group, "basis"))
    if basis not in NAMES:
        raise ValueError(f"unknown basis {basis}")

    def read(name: str) -> np.ndarray:
        array = read_array(find_array(group, name))
        if not np.isfinite(array).all() and not name.startswith("optimizer"):
            raise ValueError(f"{name} of the run is not finite")
        return array

    names: tuple[str, ...] = NAMES[basis]
    if basis == "span" and "s" in find_group(group, "state"):  # of a training with weight decay
        names = (*names, "s")
    state = {name: read(f"state/{name}") for name in names}
    count = len(find_group(group, "optimizer"))
    memory = tuple(read(f"optimizer/{number}") for number in range(count))
    best = {name: read(f"best/{name}") for name in names} if "best" in group else None
    kept = Checkpoint(params, costs, basis, state, memory, best=best)
    return kept if basis == "pixels" else kept._replace(W1=read("W1"), Z1=read("Z1"))
