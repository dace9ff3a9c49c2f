"""The cost on the test set during a training, for a figure; nothing is decided by it.

A training keeps its parameters now and then, as they are, which takes no time. What they cost on
the test set is computed when it is asked for.
"""

import math
from typing import NamedTuple

import numpy as np

from jaxnet.activations import Activation
from jaxnet.data.dataset import Split
from jaxnet.data.preprocessing import Preprocessing
from jaxnet.devices import at_precision
from jaxnet.network import Params
from jaxnet.runs.model import forward_program
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
        dtype, W1 = descent.X.dtype, None if descent.W1 is None else np.asarray(descent.W1)
        costs = []
        # Of a run whose numbers overflow the cost does, too.
        with at_precision(dtype), np.errstate(over="ignore", invalid="ignore"):
            X, Y, weights = preprocessing.examples(self.test, dtype, balanced=balanced)
            if W1 is not None:  # one product for all, since many small ones take longer
                C = np.concatenate([shot.params["C"] for shot in snapshots])
                changes = np.split(C @ np.asarray(descent.X).T, len(snapshots))
            for i, shot in enumerate(snapshots):
                params = {name: np.asarray(leaf) for name, leaf in shot.params.items()}
                if W1 is not None:
                    del params["C"]
                    params["W1"] = params.pop("s", 1) * W1 + changes[i]
                # The program that predicts the test set.
                Z2 = np.asarray(forward_program(params, X, hidden=hidden).Z2)
                losses = np.logaddexp(0, np.where(np.asarray(Y) == 1, -Z2, Z2))
                costs.append(np.average(losses, weights=weights))
        curve = TestCurve(np.array([shot.iteration for shot in snapshots]), np.array(costs))
        if self.known is None:
            return curve
        return TestCurve(*map(np.concatenate, zip(self.known, curve, strict=True)))
