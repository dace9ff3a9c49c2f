"""The network's functions, each compiled as a whole: JAX would compile every operation by itself.

They share their programs, and so do the tests that call them on arrays of the same shapes.
"""

import jax

from jaxnet import backprop, network

forward = jax.jit(network.forward, static_argnames="hidden")
loss = jax.jit(network.loss, static_argnames=("hidden", "weight_decay"))
backward = jax.jit(backprop.backward, static_argnames=("hidden", "weight_decay"))
