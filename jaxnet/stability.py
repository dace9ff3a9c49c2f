"""Which steps are stable: the largest curvature that gradient descent brings to rest."""

import math

from jaxnet.errors import UsageError


def largest_curvature(learning_rate: float, momentum: float = 0.0, nesterov: bool = False) -> float:
    """Compute the largest curvature λ with which a step overshoots without growing.

    Along an eigenvector of the Hessian with eigenvalue λ the gradient at w is λ w. A step of SGD
    with the rate α and the momentum β is then a linear map of (w, v), v being the velocity:

        v′ = β v + λ w,    w′ = w − α v′;    Nesterov: w′ = w − α (λ w + β v′).

    Trace T and determinant D of the map are T = 1 + β − αλ and D = β; with Nesterov's momentum
    T = 1 + β − αλ (1 + β) and D = β (1 − αλ). No eigenvalue of a 2 × 2 map is larger than 1 in
    magnitude if |D| ≤ 1 and |T| ≤ 1 + D. As λ grows, 1 + D + T ≥ 0 is the first to fail:

        2 (1 + β) − αλ ≥ 0,         that is λ ≤ 2 (1 + β) / α;
        2 (1 + β) − αλ (1 + 2β) ≥ 0,     λ ≤ 2 (1 + β) / (α (1 + 2β)) with Nesterov's.

    (The former, and both for the training of networks: Cohen et al. 2021, arXiv 2103.00065.)
    """
    if learning_rate == 0:
        return math.inf
    return 2 * (1 + momentum) / (1 + 2 * momentum if nesterov else 1) / learning_rate


def require_decay(
    weight_decay: float, learning_rate: float, momentum: float, nesterov: bool
) -> None:
    """Raise a UsageError if the decay overshoots: a weight without gradient would grow."""
    largest = largest_curvature(learning_rate, momentum, nesterov)
    if weight_decay > largest:
        shown = f"{largest:.6g}"
        if float(shown) > largest:  # or this number would be refused, too
            shown = f"{largest * (1 - 1e-5):.6g}"
        kind = "Nesterov's momentum" if nesterov else "momentum"
        with_momentum = f" and {kind} {momentum:g}" if momentum else ""
        raise UsageError(
            f"weight_decay is {weight_decay:g} with learning_rate {learning_rate:g}{with_momentum}",
            f"a weight_decay of at most {shown}: with more, a step overshoots 0 so far that "
            "the weights grow",
            "take a smaller weight_decay or learning_rate",
        )
