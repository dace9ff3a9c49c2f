"""Threefry-2x32, JAX's default random generator, in NumPy: the same bits, and nothing to compile.

The formulas are those of Salmon et al. 2011, "Parallel random numbers: as easy as 1, 2, 3". JAX
counts in 64 bits, of which the first number is the upper half; here it is 0, so that up to 2³²
numbers can be drawn from a key.
"""

import numpy as np

PARITY = np.uint32(0x1BD11BDA)
ROTATIONS = ((13, 15, 26, 6), (17, 29, 16, 24))
MOST_NUMBERS = 2**32


def split(key: np.ndarray) -> np.ndarray:
    """Return the two keys (2, 2) that `jax.random.split` makes of a key (2,)."""
    return np.stack(_encrypt(key, 2), axis=1)


def random_bits(keys: np.ndarray, count: int) -> np.ndarray:
    """Return what `jax.random.bits` draws from each of the keys (…, 2): (…, count) uint32."""
    x, y = _encrypt(keys, count)
    return np.bitwise_xor(x, y, out=x)


def _encrypt(keys: np.ndarray, count: int) -> tuple[np.ndarray, np.ndarray]:
    """Encrypt the numbers 0 to count - 1 by each of the keys (…, 2) uint32: twice (…, count)."""
    k0, k1 = keys[..., :1], keys[..., 1:]
    schedule = (k0, k1, k0 ^ k1 ^ PARITY)
    y = np.arange(count, dtype=np.uint32) + k1
    x = np.zeros_like(y) + k0
    high = np.empty_like(y)
    for i in range(5):
        for r in ROTATIONS[i % 2]:
            x += y
            np.left_shift(y, np.uint32(r), out=high)
            np.right_shift(y, np.uint32(32 - r), out=y)
            y |= high
            y ^= x
        x += schedule[(i + 1) % 3]
        y += schedule[(i + 2) % 3] + np.uint32(i + 1)
    return x, y
