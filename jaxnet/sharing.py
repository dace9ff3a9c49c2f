"""One training on several devices, of one process or of many, which share out the examples.

Every device has all parameters, and computes the cost and the gradients of its share. Their mean
over all examples, Σ w ℓ / Σ w, is then the same on every device, and so is the update. Where the
devices do not divide the examples evenly, they are filled up with examples of weight 0. If a step
sees all examples, they are shared out beforehand; mini-batches are taken of examples that lie on
every device, and of a batch each device takes its share.

The result is that of one device to rounding, since the sums are taken in another order, and the
same bits with the same number of devices.
"""

import functools
from typing import Any, NamedTuple, TypeVar

import jax
import jax.numpy as jnp
import numpy as np
from jax import lax
from jax.sharding import AxisType, Mesh, NamedSharding, PartitionSpec

from jaxnet.activations import Activation
from jaxnet.descent import CostAndGradients
from jaxnet.devices import find_training_devices
from jaxnet.minibatches import NO_EXAMPLE
from jaxnet.network import Params, total_weight
from jaxnet.processes import process_count

T = TypeVar("T")

EXAMPLES = "examples"  # the axis of the devices, along which examples are shared out
EVERYWHERE, ALONG_COLUMNS = PartitionSpec(), PartitionSpec(None, EXAMPLES)


class Sharing(NamedTuple):
    """The devices over which the examples of a training are shared out.

    Attributes:
        mesh: The devices; None for one, where everything stays as it is.
    """

    mesh: Mesh | None

    def place(self, inputs: Any, Y: Any, weights: Any, *, batched: bool) -> tuple[Any, Any, Any]:
        """Put what a training computes with onto the devices.

        Args:
            inputs: X (n_x, m); with mini-batches anything of which a step takes some examples.
            Y: (1, m).
            weights: (1, m), or None.
            batched: Whether a step sees a mini-batch.
        """
        if self.mesh is None:
            return inputs, Y, weights
        if weights is None:
            weights = np.ones_like(np.asarray(Y))
        put = self.copy if batched else self.divide
        return put(inputs), put(Y), put(weights)

    def copy(self, tree: T) -> T:
        """Put arrays onto every device."""
        if self.mesh is None:
            return tree
        return jax.tree.map(lambda leaf: self._put(leaf, EVERYWHERE), tree)

    def take_back(self, tree: T) -> T:
        """Return arrays that every device has as arrays of the first device of this process."""
        if self.mesh is None:
            return tree
        return jax.tree.map(lambda leaf: leaf.addressable_data(0), tree)

    def divide(self, array: Any, fill: int = 0) -> Any:
        """Share out the columns of an array (…, m), filled up to a multiple of the devices."""
        if self.mesh is None:
            return array
        array = np.asarray(array)
        missing = -array.shape[1] % self.mesh.size
        if missing:
            array = np.pad(array, ((0, 0), (0, missing)), constant_values=fill)
        return self._put(array, ALONG_COLUMNS)

    def divide_batches(self, batches: Any) -> Any:
        """Share out the indices of mini-batches (iterations, batch): of each batch, its columns."""
        return self.divide(batches, NO_EXAMPLE)

    def cost_and_gradients(self, of_share: CostAndGradients, *, batched: bool) -> CostAndGradients:
        """Make the function that computes the cost of all examples and its gradients.

        Args:
            of_share: The function for the examples of one device.
            batched: Whether a step sees a mini-batch.
        """
        return of_share if self.mesh is None else _over_devices(of_share, self.mesh, batched)

    def _put(self, leaf: Any, spec: PartitionSpec) -> jax.Array:
        # Each process makes the parts of its own devices, without asking the others.
        array = np.asarray(leaf)
        assert self.mesh is not None
        sharding = NamedSharding(self.mesh, spec)
        return jax.make_array_from_callback(array.shape, sharding, lambda index: array[index])


def share_out() -> Sharing:
    """Find the devices that share the examples of a training: of all processes, unless alone."""
    together = process_count() > 1
    devices = find_training_devices(of_all_processes=together)
    if len(devices) == 1:
        return Sharing(None)
    mesh = Mesh(np.array(devices), (EXAMPLES,), axis_types=(AxisType.Auto,))
    if together:
        _connect(mesh)
    return Sharing(mesh)


@functools.cache
def _connect(mesh: Mesh) -> None:
    """Connect the devices of all processes, for which these have to come within half a minute."""
    ones = Sharing(mesh).divide(np.ones((1, mesh.size), np.float32))
    jax.block_until_ready(jax.jit(jnp.sum)(ones))


@functools.cache
def _over_devices(of_share: CostAndGradients, mesh: Mesh, batched: bool) -> CostAndGradients:
    data = EVERYWHERE if batched else ALONG_COLUMNS
    more = {"indices": PartitionSpec(EXAMPLES)} if batched else {}

    def cost_and_gradients(
        params: Params,
        inputs: jax.Array,
        Y: jax.Array,
        hidden: Activation,
        weights: jax.Array,
        **indices: jax.Array,
    ) -> tuple[jax.Array, Params]:
        def mean_of_all(
            params: Params,
            inputs: jax.Array,
            Y: jax.Array,
            weights: jax.Array,
            indices: dict[str, jax.Array],
        ) -> Any:
            means = of_share(params, inputs, Y, hidden, weights, **indices)
            w = jnp.sum(weights)  # 0 on a device that has nothing but what fills up
            sums = jax.tree.map(lambda mean: jnp.where(w > 0, w * mean, 0), means)
            sums, all_w = lax.psum((sums, w), EXAMPLES)
            return jax.tree.map(lambda leaf: leaf / total_weight(all_w), sums)

        divided = jax.shard_map(
            mean_of_all,
            mesh=mesh,
            in_specs=(EVERYWHERE, data, data, ALONG_COLUMNS, more),
            out_specs=EVERYWHERE,
            check_vma=False,  # it would add the gradients of the devices before they are weighed
        )
        result: tuple[jax.Array, Params] = divided(params, inputs, Y, weights, indices)
        return result

    return cost_and_gradients
