"""How the training loops are compiled."""

import functools
from collections.abc import Callable
from typing import Any

import jax

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
