"""How exactly numbers are kept and multiplied: one place for the whole package."""

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
