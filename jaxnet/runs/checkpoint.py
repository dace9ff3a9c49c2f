"""What a model file keeps of the descent that made it, so that it can go on as if never stopped.

/descent             attribute basis: pixels or span
/descent/state       a dataset for each array of the parameters in that basis
/descent/optimizer   the arrays of the optimizer's memory, numbered in the order of its pytree
/descent/W1, Z1      in the span: the first weights W1₀ and W1₀ X
"""

import dataclasses

import h5py
import jax
import jax.numpy as jnp
import numpy as np

from jaxnet.io.bounded_hdf5 import find_array, read_array
from jaxnet.errors import ModelFileError
from jaxnet.io.attributes import read_attribute, write_attributes
from jaxnet.training import Descent, TrainState


def write_descent(group: h5py.Group, descent: Descent) -> None:
    """Write what changes in a descent, and what cannot be computed anew to the same bits."""
    write_attributes(group, {"basis": "pixels" if descent.span is None else "span"})
    for name, array in descent.state.params.items():
        group[f"state/{name}"] = np.asarray(array)
    group.create_group("optimizer")
    for number, array in enumerate(jax.tree.leaves(descent.state.opt_state)):
        group[f"optimizer/{number}"] = np.asarray(array)
    if descent.span is not None:
        group["W1"] = np.asarray(descent.W1)
        group["Z1"] = np.asarray(descent.span.Z1)


def read_descent(group: h5py.Group, start: Descent, costs: np.ndarray) -> Descent:
    """Put what was written into a descent that was started alike, so that it goes on from there.

    Raises:
        ModelFileError: If the two do not fit together.
    """
    basis = "pixels" if start.span is None else "span"
    trained_in = read_attribute(group, "basis")
    if trained_in != basis:
        raise ModelFileError(
            f"the run was trained in {trained_in}, and is to go on in {basis}",
            "the same basis",
            "go on with the settings of the run",
        )

    def read(name: str, like: jax.Array) -> jax.Array:
        stored = find_array(group, name)
        if (stored.shape, stored.dtype.newbyteorder("=")) != (like.shape, like.dtype):
            raise ModelFileError(
                f"{name} of the run is {stored.dtype} {stored.shape}",
                f"{like.dtype} {like.shape}, as its settings make it",
                "take a copy of the run that is whole, or train anew",
            )
        array = jnp.asarray(read_array(stored))
        if not jnp.isfinite(array).all() and not name.startswith("optimizer"):
            raise ValueError(f"{name} of the run is not finite")
        return array

    params = {name: read(f"state/{name}", leaf) for name, leaf in start.state.params.items()}
    leaves, structure = jax.tree.flatten(start.state.opt_state)
    memory = [read(f"optimizer/{number}", leaf) for number, leaf in enumerate(leaves)]
    state = TrainState(params, jax.tree.unflatten(structure, memory))
    there = dataclasses.replace(start, state=state, costs=costs)
    if start.span is None or start.W1 is None:
        return there
    span = start.span._replace(Z1=read("Z1", start.span.Z1))
    return dataclasses.replace(there, W1=read("W1", start.W1), span=span)
