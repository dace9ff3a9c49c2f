"""All checks by name, in the order of the report: of a pipeline, and of a trained network."""

import math
from collections.abc import Callable

import jax
import numpy as np

from jaxnet.data.dataset import Dataset
from jaxnet.devices import find_devices
from jaxnet.evaluation.doctor.check import Check, Checks, Result
from jaxnet.evaluation.doctor.derivatives import check_derivatives
from jaxnet.evaluation.doctor.invariances import (
    check_duplicated_data,
    check_jit,
    check_permuted_units,
    check_precision,
    check_rescaled_units,
    check_span,
    check_weightless_columns,
)
from jaxnet.evaluation.doctor.own_functions import check_functions, describe_error
from jaxnet.evaluation.doctor.pipeline import Pipeline
from jaxnet.evaluation.doctor.result import check_finite, check_gap, check_outcome
from jaxnet.evaluation.doctor.short_trainings import (
    check_blank_pictures,
    check_first_cost,
    check_shuffled_labels,
    check_two_pictures,
)
from jaxnet.evaluation.doctor.steps import check_rising_steps, check_sharpness, check_step_size
from jaxnet.evaluation.doctor.trained import Trained, trained_network
from jaxnet.evaluation.doctor.units import (
    check_always_on_units,
    check_dead_units,
    check_duplicated_units,
    check_saturated_units,
)
from jaxnet.explain import explain
from jaxnet.progress import Track, automatic
from jaxnet.runs.run import Run

PIPELINE_CHECKS: dict[str, Callable[[Pipeline], Result]] = {
    "derivatives three ways": check_derivatives,
    "first cost": check_first_cost,
    "two pictures": check_two_pictures,
    "blank pictures": check_blank_pictures,
    "shuffled labels": check_shuffled_labels,
    "permuted hidden units": check_permuted_units,
    "ReLU rescaling": check_rescaled_units,
    "duplicated data": check_duplicated_data,
    "columns of weight zero": check_weightless_columns,
    "span equals pixels": check_span,
    "jit equals no jit": check_jit,
    "float32 against float64": check_precision,
}

FINITE = "finite numbers"

RUN_CHECKS: dict[str, Callable[[Trained], Result]] = {
    FINITE: check_finite,
    "what is learnt": check_outcome,
    "dead hidden units": check_dead_units,
    "always-on hidden units": check_always_on_units,
    "saturated hidden units": check_saturated_units,
    "duplicated hidden units": check_duplicated_units,
    "update to weight": check_step_size,
    "steps that raised the cost": check_rising_steps,
    "sharpness": check_sharpness,
    "train–test gap": check_gap,
}


def check_pipeline(pipeline: Pipeline | None = None, *, track: Track = automatic) -> Checks:
    """Make every check of a pipeline, in float64 also where JAX is set to 32 bits.

    A check in which a function of the pipeline raises an error fails with the case "raised".

    Args:
        pipeline: By default the library's own; `Pipeline(backward=mine)` replaces a function.
        track: Shows the progress.

    Raises:
        UsageError: If a function of the pipeline takes or returns something else than the
            library's, or JAX cannot use its device.
    """
    find_devices()
    pipeline = Pipeline() if pipeline is None else pipeline
    with jax.enable_x64(True):
        check_functions(pipeline)
        checks = track(PIPELINE_CHECKS.items(), "checking the pipeline", len(PIPELINE_CHECKS))
        return Checks(_try(name, check, pipeline) for name, check in checks)


def _try(name: str, check: Callable[[Pipeline], Result], pipeline: Pipeline) -> Check:
    try:
        return Check(name, *check(pipeline))
    except Exception as error:  # whatever the functions raise: without one check, make the others
        if explain(error) is not None:  # too little memory, say, of which they are not guilty
            raise
        return Check(name, "fail", math.nan, "raised", {"error": describe_error(error)})


def check_run(run: Run, data: Dataset, *, track: Track = automatic) -> Checks:
    """Make every check of a trained network; only the first where a parameter is not finite.

    Args:
        run: The run, as `train` or `load_run` returns it.
        data: The pictures it was trained on, or others; checks that need the former do not apply
            to the latter.
        track: Shows the progress.

    Raises:
        DataError: If the pictures cannot be used.
        UsageError: If an argument is of another type.
    """
    with jax.enable_x64(True):  # a network keeps its own precision; this allows float64
        trained = trained_network(run, data)
        finite = Check(FINITE, *check_finite(trained))
        if not all(np.isfinite(array).all() for array in trained.params.values()):
            return Checks((finite,))
        checks = track(RUN_CHECKS.items(), "checking the network", len(RUN_CHECKS))
        return Checks(Check(name, *check(trained)) for name, check in checks)


def stored_not_finite() -> Check:
    """Return the failed check of a model file refused because a parameter is not finite."""
    return Check(FINITE, "fail", math.nan, "stored", {})
