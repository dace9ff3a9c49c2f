"""One training on several devices, of one process or of many, which share out the examples.

Every device has all parameters and a part of the examples, and computes the cost and the gradients
of these. Their mean over all examples, Σ w ℓ / Σ w, is then the same on every device, and so is the
update. The parts have one length; the last is filled up with examples of weight 0. Of a mini-batch
each device takes the examples that it has: about as many as the others, since the order is random.

The result is that of one device to rounding, since the sums are taken in another order, and the
same bits with the same number of devices.
"""

import functools
import math
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
from jaxnet.processes import process_count, process_index

T = TypeVar("T")

EXAMPLES = "examples"  # the axis of the devices, along which examples are shared out
EVERYWHERE = PartitionSpec()
ALONG_ROWS, ALONG_COLUMNS = PartitionSpec(EXAMPLES), PartitionSpec(None, EXAMPLES)

# A device works through its examples of a mini-batch by so many at least: it has more of one batch
# than of another, and ends where it has no more.
LEAST_TOGETHER = 32


class Parts(NamedTuple):
    """The parts into which examples are divided, one for each device, and those of this process.

    Attributes:
        number: How many there are.
        first: The first one of this process.
        last: The one after its last.
    """

    number: int = 1
    first: int = 0
    last: int = 1

    def length(self, m: int) -> int:
        """Compute how many of m examples a part has; the last may have fewer."""
        return math.ceil(m / self.number)

    def own(self, m: int) -> slice:
        """Compute which of m examples are of this process."""
        length = self.length(m)
        return slice(min(self.first * length, m), min(self.last * length, m))


class Sharing(NamedTuple):
    """The devices over which the examples of a training are shared out.

    Attributes:
        mesh: The devices; None for one, where everything stays as it is.
    """

    mesh: Mesh | None

    @property
    def parts(self) -> Parts:
        """The parts of the examples, one for each device."""
        if self.mesh is None:
            return Parts()
        here = process_index()
        own = [i for i, device in enumerate(self.mesh.devices) if device.process_index == here]
        return Parts(self.mesh.size, own[0], own[-1] + 1)

    def place(self, inputs: Any, Y: Any, weights: Any, *, batched: bool) -> tuple[Any, Any, Any]:
        """Put what a training computes with onto the devices.

        Args:
            inputs: What this process has of X (n_x, m); with mini-batches of Xᵀ, or of an array of
                which a step takes some rows; or a span, which is not shared out.
            Y: (1, m).
            weights: (1, m), or None.
            batched: Whether a step sees a mini-batch.
        """
        if self.mesh is None:
            return inputs, Y, weights
        Y, weights = np.asarray(Y), np.ones_like(Y) if weights is None else np.asarray(weights)
        m = Y.shape[1]
        length, own = self.parts.length(m), self.parts.own(m)
        divided = self._divide(Y[:, own], ALONG_COLUMNS, length)
        if not batched:
            of_steps = self._divide(weights[:, own], ALONG_COLUMNS, length)
            return self._divide(inputs, ALONG_COLUMNS, length), divided, of_steps
        # Those of a batch are taken by numbers that mean the same to all devices.
        filled = np.pad(weights, ((0, 0), (0, length * self.parts.number - m)))
        return self._divide(inputs, ALONG_ROWS, length), divided, self.copy(filled)

    def copy(self, tree: T) -> T:
        """Put arrays, which every process has, onto every device."""
        if self.mesh is None:
            return tree
        sharding = NamedSharding(self.mesh, EVERYWHERE)

        def put(leaf: Any) -> jax.Array:
            array = np.asarray(leaf)
            return jax.make_array_from_callback(array.shape, sharding, lambda index: array[index])

        return jax.tree.map(put, tree)

    def take_back(self, tree: T) -> T:
        """Return arrays that every device has as arrays of the first device of this process."""
        if self.mesh is None:
            return tree
        return jax.tree.map(lambda leaf: leaf.addressable_data(0), tree)

    def divide_batches(self, batches: np.ndarray, m: int) -> Any:
        """Tell each device which of its examples belong to each mini-batch.

        Args:
            batches: The numbers of the examples of each batch, (iterations, batch).
            m: The number of examples.

        Returns:
            (iterations, devices × width): for each device the numbers of its examples, then −1.
        """
        if self.mesh is None:
            return batches
        parts, batch = self.parts, batches.shape[1]
        together = self._together(batch)
        width = math.ceil(batch / together) * together
        divided = np.full((len(batches), parts.last - parts.first, width), NO_EXAMPLE, np.int32)
        owner = np.where(batches == NO_EXAMPLE, NO_EXAMPLE, batches // parts.length(m))
        for here, part in enumerate(range(parts.first, parts.last)):
            other = owner != part
            first = np.argsort(other, axis=1, kind="stable")  # its own before those of others
            kept = np.where(other, NO_EXAMPLE, batches)
            divided[:, here, :batch] = np.take_along_axis(kept, first, axis=1)
        return self._divide(divided.reshape(len(batches), -1), ALONG_COLUMNS, width)

    def cost_and_gradients(self, of_share: CostAndGradients, batch: int | None) -> CostAndGradients:
        """Make the function that computes the cost of all examples and its gradients.

        Args:
            of_share: The function for the examples of one device.
            batch: The number of examples of a mini-batch, or None.
        """
        if self.mesh is None:
            return of_share
        together = None if batch is None else self._together(batch)
        return _over_devices(of_share, self.mesh, together)

    def _together(self, batch: int) -> int:
        """Compute how many examples of a batch a device works on at a time."""
        return min(batch, max(LEAST_TOGETHER, math.ceil(batch / (4 * self.parts.number))))

    def _divide(self, own: Any, spec: PartitionSpec, length: int) -> jax.Array:
        """Put onto each device its part, of what this process has.

        Args:
            own: What it has; the last of its parts may be shorter, or empty.
            spec: Along which axis the parts lie.
            length: The length of a part.
        """
        axis, parts = len(spec) - 1, self.parts
        shape = (*own.shape[:axis], parts.number * length, *own.shape[axis + 1 :])
        assert self.mesh is not None

        def part(index: Any) -> np.ndarray:
            first = (index[axis].start or 0) - parts.first * length
            array = np.asarray(own)[(slice(None),) * axis + (slice(first, first + length),)]
            missing = length - array.shape[axis]
            if not missing:
                return array
            widths = [(0, missing if i == axis else 0) for i in range(array.ndim)]
            return np.pad(array, widths)

        return jax.make_array_from_callback(shape, NamedSharding(self.mesh, spec), part)


def share_out() -> Sharing:
    """Find the devices that share the examples of a training: of all processes, unless alone."""
    sharing = _find_sharing()
    if sharing.mesh is not None and process_count() > 1:
        _connect(sharing.mesh)
    return sharing


def own_part(m: int) -> slice | None:
    """Return which of m examples this process has, if several share them out; None if all."""
    parts = _find_sharing().parts
    # With a process that has none nothing would be spared.
    if process_count() == 1 or parts.length(m) * (parts.number - 1) >= m:
        return None
    return parts.own(m)


def _find_sharing() -> Sharing:
    devices = find_training_devices(of_all_processes=process_count() > 1)
    if len(devices) == 1:
        return Sharing(None)
    return Sharing(Mesh(np.array(devices), (EXAMPLES,), axis_types=(AxisType.Auto,)))


@functools.cache
def _connect(mesh: Mesh) -> None:
    """Connect the devices of all processes, for which these have to come within half a minute."""
    parts = Sharing(mesh).parts
    ones = np.ones((1, parts.last - parts.first), np.float32)
    jax.block_until_ready(jax.jit(jnp.sum)(Sharing(mesh)._divide(ones, ALONG_COLUMNS, 1)))


@functools.cache
def _over_devices(of_share: CostAndGradients, mesh: Mesh, together: int | None) -> CostAndGradients:
    """Make the function of `Sharing.cost_and_gradients`.

    Args:
        of_share: The function for the examples of one device.
        mesh: The devices.
        together: How many examples of a mini-batch a device works on at a time; None without.
    """

    def cost_and_gradients(
        params: Params,
        inputs: jax.Array,
        Y: jax.Array,
        hidden: Activation,
        weights: jax.Array,
        **of_batch: jax.Array,
    ) -> tuple[jax.Array, Params]:
        def weighed(
            params: Params, inputs: jax.Array, Y: jax.Array, weights: jax.Array, **some: Any
        ) -> Any:
            means = of_share(params, inputs, Y, hidden, weights, **some)
            w = jnp.sum(weights)  # 0 on a device that has nothing but what fills up
            return jax.tree.map(lambda mean: jnp.where(w > 0, w * mean, 0), means)

        def little_by_little(
            params: Params,
            inputs: jax.Array,
            Y: jax.Array,
            weights: jax.Array,
            indices: jax.Array,
            **more: jax.Array,
        ) -> Any:
            assert together is not None
            own = jnp.maximum(indices - lax.axis_index(EXAMPLES) * Y.shape[1], 0)
            ends = jnp.where(weights[0] > 0, jnp.arange(1, len(own) + 1), 0)
            count = (jnp.max(ends) + together - 1) // together

            def add(i: jax.Array, sums: Any) -> Any:
                w = lax.dynamic_slice_in_dim(weights, i * together, together, axis=1)
                some = {
                    name: lax.dynamic_slice_in_dim(rows, i * together, together)
                    for name, rows in ({"indices": own} | more).items()
                }
                return jax.tree.map(jnp.add, sums, weighed(params, inputs, Y, w, **some))

            zeros = (jnp.zeros((), Y.dtype), jax.tree.map(jnp.zeros_like, params))
            return lax.fori_loop(0, count, add, zeros)

        def mean_of_all(
            params: Params,
            inputs: jax.Array,
            Y: jax.Array,
            weights: jax.Array,
            of_batch: dict[str, jax.Array],
        ) -> Any:
            of_device = weighed if together is None else little_by_little
            sums = of_device(params, inputs, Y, weights, **of_batch)
            sums, all_w = lax.psum((sums, jnp.sum(weights)), EXAMPLES)
            return jax.tree.map(lambda leaf: leaf / total_weight(all_w), sums)

        data = ALONG_COLUMNS if together is None else ALONG_ROWS
        more = dict.fromkeys(of_batch, ALONG_ROWS)
        divided = jax.shard_map(
            mean_of_all,
            mesh=mesh,
            in_specs=(EVERYWHERE, data, ALONG_COLUMNS, ALONG_COLUMNS, more),
            out_specs=EVERYWHERE,
            check_vma=False,  # it would add the gradients of the devices before they are weighed
        )
        result: tuple[jax.Array, Params] = divided(params, inputs, Y, weights, of_batch)
        return result

    return cost_and_gradients
