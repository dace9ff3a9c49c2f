"""What computes, and how exactly: devices, precision, compilation."""

import functools
import os
from collections.abc import Callable
from typing import Any, TypeVar, cast

import jax
import numpy as np
from jax.typing import DTypeLike

from jaxnet.errors import UsageError

F = TypeVar("F", bound=Callable[..., Any])


# JAX multiplies float32 matrices in TF32 on recent GPUs and in bfloat16 on TPUs unless told
# otherwise; a gradient inherits the precision of the product that it is the gradient of.
def at_highest_precision(function: F) -> F:
    """Make every matrix product in `function`, and in its gradient, as exact as its dtype."""
    return cast(F, jax.default_matmul_precision("highest")(function))


def require_dtype(dtype: DTypeLike) -> np.dtype:
    """Return `dtype`, once it is sure that JAX will keep it.

    Raises:
        UsageError: If `dtype` is neither float32 nor float64, or if it is float64 and JAX would
            quietly turn it into float32.
    """
    dtype = np.dtype(dtype)
    if dtype not in (np.float32, np.float64):
        raise UsageError(f"dtype is {dtype}", "float32 or float64", "give one of these")
    if jax.dtypes.canonicalize_dtype(dtype) != dtype:
        raise UsageError(
            f"{dtype} was asked for, but JAX is set to 32 bits",
            "JAX with 64 bits switched on before the first array is made",
            'call jax.config.update("jax_enable_x64", True) first, or ask for float32',
        )
    return dtype


def use_all_cores() -> None:
    """Make each CPU core a device of JAX, so that a sweep uses all of them.

    To be called once, before anything is computed with JAX. It changes nothing on a GPU or TPU, and
    no result.

    Raises:
        UsageError: If JAX is in use already.
    """
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    try:
        jax.config.update("jax_num_cpu_devices", cores)
    except RuntimeError as cause:
        raise UsageError(
            "JAX is in use already, with the devices it has",
            "use_all_cores() before the first array is made",
            "move the call to the top of the program",
        ) from cause


# On a CPU, XLA hands sums to a library (YNNPACK), and so tears them out of the passes over the same
# numbers. That gains a tenth of the time with all the pixels, and costs a tenth in their span.
FUSE_SUMS = {"xla_cpu_experimental_ynn_fusion_type": ""}


@functools.cache
def jit_loop(function: Callable[..., Any], *static_argnames: str, small_products: bool) -> Any:
    """Make `jax.jit` of a training loop; once for each function.

    To be called where the loop is used, not at import, since it asks JAX for its devices.

    Args:
        function: The loop.
        static_argnames: As in `jax.jit`.
        small_products: Whether its matrix products take no longer than the passes between them.
    """
    fuse = small_products and jax.default_backend() == "cpu" and _known(FUSE_SUMS)
    options = FUSE_SUMS if fuse else None
    return jax.jit(function, static_argnames=static_argnames, compiler_options=options)


def _known(options: dict[str, Any]) -> bool:
    """Say whether XLA has these options: experimental ones come and go."""
    try:
        jax.jit(lambda: 0, compiler_options=options).lower().compile()
    except jax.errors.JaxRuntimeError:
        return False
    return True
