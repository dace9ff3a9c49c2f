"""All checks, in the order in which they are told: of the pipeline, and of a trained network."""

from collections.abc import Callable

import jax
import jax.numpy as jnp

from jaxnet.evaluation.doctor.check import Check
from jaxnet.evaluation.doctor.course import (
    check_finite,
    check_gap,
    check_learnt,
)
from jaxnet.evaluation.doctor.derivatives import check_derivatives
from jaxnet.evaluation.doctor.laws import (
    check_duplicated_data,
    check_jit,
    check_permuted_units,
    check_precision,
    check_rescaled_units,
    check_span,
    check_weightless_columns,
)
from jaxnet.evaluation.doctor.steps import (
    check_rising_steps,
    check_sharpness,
    check_step_size,
)
from jaxnet.evaluation.doctor.subjects import Pipeline, Trained
from jaxnet.evaluation.doctor.trials import (
    check_blank_pictures,
    check_first_cost,
    check_shuffled_labels,
    check_two_pictures,
)
from jaxnet.evaluation.doctor.units import (
    check_always_on_units,
    check_dead_units,
    check_duplicated_units,
    check_saturated_units,
)
from jaxnet.progress import Track, silent

PIPELINE_CHECKS: tuple[Callable[[Pipeline], Check], ...] = (
    check_derivatives,
    check_first_cost,
    check_two_pictures,
    check_blank_pictures,
    check_shuffled_labels,
    check_permuted_units,
    check_rescaled_units,
    check_duplicated_data,
    check_weightless_columns,
    check_span,
    check_jit,
    check_precision,
)

TRAINED_CHECKS: tuple[Callable[[Trained], Check], ...] = (
    check_finite,
    check_learnt,
    check_dead_units,
    check_always_on_units,
    check_saturated_units,
    check_duplicated_units,
    check_step_size,
    check_rising_steps,
    check_sharpness,
    check_gap,
)


def check_pipeline(pipeline: Pipeline | None = None, *, track: Track = silent) -> tuple[Check, ...]:
    """Make every check of the pipeline, by default the library's own.

    It is computed in float64 even where JAX is set to 32 bits.
    """
    with jax.enable_x64(True):
        checks = track(PIPELINE_CHECKS, "checking the pipeline", len(PIPELINE_CHECKS))
        return tuple(check(pipeline or Pipeline()) for check in checks)


def check_trained(trained: Trained, *, track: Track = silent) -> tuple[Check, ...]:
    """Make every check of a trained network; only the first where a parameter is not finite."""
    finite = check_finite(trained)
    if not all(jnp.isfinite(leaf).all() for leaf in trained.model.params.values()):
        return (finite,)
    checks = track(TRAINED_CHECKS, "checking the network", len(TRAINED_CHECKS))
    return tuple(check(trained) for check in checks)
