"""The cost on the test set during a training, for a figure; nothing is decided by it.

A training keeps its parameters now and then, as they are, which takes no time. What they cost on
the test set is computed when it is asked for.
"""

import math
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from jaxnet.activations import Activation
from jaxnet.data.dataset import Split
from jaxnet.data.preprocessing import Preprocessing
from jaxnet.devices import at_precision
from jaxnet.network import Params
from jaxnet.training import Descent

# The most snapshots of a training, and the most bytes of their parameters together.
MOST, MOST_BYTES = 50, 100_000_000


class TestCurve(NamedTuple):
    """The cost on the test set before some updates.

    Attributes:
        iterations: The number of updates that were made, (points,).
        costs: The cost on the test set with the weights reached, (points,).
    """

    iterations: np.ndarray
    costs: np.ndarray


class Snapshot(NamedTuple):
    """The parameters after some updates, in the basis of the training."""

    iteration: int
    params: Params


class Looks(NamedTuple):
    """What is known of the test cost of a training, and what it is computed of.

    Attributes:
        test: The test set; None without one.
        snapshots: The parameters whose cost is not computed yet.
        known: The curve of a run that was saved and loaded again, or None.
    """

    test: Split | None = None
    snapshots: tuple[Snapshot, ...] = ()
    known: TestCurve | None = None

    def keep(self, descent: Descent, iterations: int, *, last: bool) -> "Looks":
        """Keep the parameters of a training of so many iterations, if it is time to.

        Args:
            descent: Where it is.
            iterations: How many there are in all.
            last: Whether it has ended.
        """
        if self.test is None:
            return self
        made, params = len(descent.costs), descent.state.params
        size = sum(leaf.nbytes for leaf in params.values())
        spacing = math.ceil(iterations / max(4, min(MOST, MOST_BYTES // size)))
        if self.snapshots:
            since = made - self.snapshots[-1].iteration
            if not since or (since < spacing and not last):
                return self
        return self._replace(snapshots=(*self.snapshots, Snapshot(made, params)))

    def measure(
        self, descent: object, preprocessing: Preprocessing, hidden: Activation, *, balanced: bool
    ) -> TestCurve | None:
        """Compute the curve; None if nothing is known.

        Args:
            descent: The training, whose basis the snapshots are written in.
            preprocessing: How pictures become columns.
            hidden: The activation of the hidden units.
            balanced: Whether both classes count alike.
        """
        if self.test is None or not self.snapshots or not isinstance(descent, Descent):
            return self.known
        since = -1 if self.known is None else self.known.iterations[-1]
        snapshots = [shot for shot in self.snapshots if shot.iteration > since]
        if not snapshots:
            return self.known
        dtype = descent.X.dtype
        with at_precision(dtype):
            examples = preprocessing.examples(self.test, dtype, balanced=balanced)
            X, Y, weights = (None if a is None else np.asarray(a) for a in examples)
            assert X is not None
            assert Y is not None
            params = [jax.tree.map(np.asarray, shot.params) for shot in snapshots]
            if descent.W1 is None:
                Z1 = [each["W1"] @ X + each["b1"] for each in params]
            else:
                first, K = np.asarray(descent.W1) @ X, np.asarray(descent.X).T @ X
                Z1 = [each.get("s", 1) * first + each["C"] @ K + each["b1"] for each in params]
            A1 = np.asarray(hidden.function(jnp.asarray(np.stack(Z1))))  # (points, n_h, m′)
        W2, b2 = (np.stack([each[name] for each in params]) for name in ("W2", "b2"))
        Z2 = (W2 @ A1 + b2)[:, 0]  # (points, m′)
        losses = np.logaddexp(0, np.where(Y == 1, -Z2, Z2))
        costs = np.average(losses, axis=1, weights=None if weights is None else weights[0])
        curve = TestCurve(np.array([shot.iteration for shot in snapshots]), costs)
        if self.known is None:
            return curve
        return TestCurve(*map(np.concatenate, zip(self.known, curve, strict=True)))
