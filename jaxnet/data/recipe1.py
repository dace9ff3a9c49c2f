"""Paint sketches in JAX: recipe 1, that of jaxnet 0.1.0, kept so that older runs can be continued.

One compiled program paints every kind. Its bytes are reproducible on one machine with one version
of JAX; elsewhere the last bit of a float32 may differ, and with it a pixel by one level.
"""

import jax
import jax.numpy as jnp
import numpy as np

from jaxnet.data.kinds import COAT, DISC, KINDS, MOST_PARTS, OPTIONS, as_arrays
from jaxnet.defaults import SIDE
from jaxnet.devices import find_devices
from jaxnet.progress import Track

BATCH = 64

# Shorter tables are padded with a part outside the picture.
PADDING = (DISC, 99, 99, 1, 1, 0, COAT, 0)


def paint_all(keys: np.ndarray, kinds: np.ndarray, track: Track) -> np.ndarray:
    """Paint pictures (m, 64, 64, 3) uint8.

    Args:
        keys: (m, 2) uint32, the key of all random numbers of a picture.
        kinds: (m,), what each shows: its number in KINDS.
        track: Reports the progress in batches.
    """
    arrays = [_padded(*as_arrays(kind)) for kind in KINDS]
    parts, strays, colours = (np.stack(each) for each in zip(*arrays, strict=True))
    find_devices()
    images = np.empty((len(keys), SIDE, SIDE, 3), np.uint8)
    with jax.enable_x64(False), jax.default_device(_cpu()):
        for start in track(range(0, len(keys), BATCH), "drawing", -(-len(keys) // BATCH)):
            # The last batch is padded with the last picture, so that all batches have one shape.
            batch = np.minimum(np.arange(start, start + BATCH), len(keys) - 1)
            k = kinds[batch]
            painted = _paint(keys[batch], parts[k], strays[k], colours[k])
            images[start : start + BATCH] = np.asarray(painted)[: len(keys) - start]
    return images


def _cpu() -> jax.Device | None:
    """Return the CPU, or None (the default device) where JAX_PLATFORMS excludes the CPU."""
    try:
        return jax.local_devices(backend="cpu")[0]
    except RuntimeError:
        return None


def _padded(
    parts: np.ndarray, strays: np.ndarray, colours: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Pad the parts of a kind to MOST_PARTS; what is added strays as if it were without mess."""
    missing = MOST_PARTS - len(parts)
    return (
        np.concatenate([parts, np.array([PADDING] * missing, np.float32).reshape(-1, 8)]),
        np.concatenate([strays, np.zeros((missing, 8), np.float32)]),
        colours,
    )


@jax.jit
@jax.vmap
def _paint(key: jax.Array, parts: jax.Array, strays: jax.Array, colours: jax.Array) -> jax.Array:
    """Paint a batch of pictures (BATCH, 64, 64, 3) uint8; the body paints one of them.

    Args:
        key: (BATCH, 2) uint32, the key of all random numbers of a picture.
        parts: (BATCH, MOST_PARTS, 8), from `paint_all`.
        strays: (BATCH, MOST_PARTS, 8), from `paint_all`.
        colours: (BATCH, 4, OPTIONS, 3), from `paint_all`.
    """
    key = jax.random.wrap_key_data(key, impl="threefry2x32")
    draws = jax.random.uniform(key, (36 + 8 * MOST_PARTS + SIDE * SIDE,), jnp.float32, -1, 1)
    size, tilt, right, down, mirror, shear, squeeze, nod_x, nod_y, stripe, phase = draws[:11]
    patch, patched, furred, dark, tone, fall, edge, fold_x, fold_y, light_x, light_y = draws[11:22]
    choice, tint, wall, floor = draws[22:26], draws[26:30], draws[30:33], draws[33:36]
    parts = parts + strays * draws[36 : 36 + 8 * MOST_PARTS].reshape(MOST_PARTS, 8)
    noise = draws[36 + 8 * MOST_PARTS :].reshape(1, SIDE, SIDE)

    # (x, y) are coordinates of the picture, (u, v) those of the table. The object stays near the
    # middle and is seldom mirrored, because eight hidden units on raw pixels cannot fit more.
    row, column = (jax.lax.broadcasted_iota(jnp.float32, (1, SIDE, SIDE), axis) for axis in (1, 2))
    x, y = (column + 0.5) * (2 / SIDE) - 1, (row + 0.5) * (2 / SIDE) - 1
    size = 0.77 + 0.08 * size
    cos, sin = jnp.cos(0.1 * tilt), jnp.sin(0.1 * tilt)
    u, v = (x - 0.06 * right) / size, (y - 0.06 * down) / size
    u, v = cos * u + sin * v, cos * v - sin * u
    u = (jnp.where(mirror > -0.76, u, -u) + 0.08 * shear * v) * (1 + 0.08 * squeeze)

    chosen = colours[jnp.arange(4), jnp.int32((choice + 1) * (OPTIONS / 2))]
    chosen = chosen * (1 + 0.12 * tint[:, None])
    coat, ink = chosen[:1], jnp.full((1, 3), 0.09, jnp.float32)
    palette = jnp.concatenate([coat, 0.62 * coat, 0.45 * coat + 0.55, chosen[1:], ink, 1 - ink])

    # One wave gives stripes, the sum of two gives patches.
    wave = jnp.cos((9 + 2 * stripe) * (u + 0.25 * v * v) + 3 * phase)
    wave = wave + jnp.where(patched > 0.2, 0, jnp.cos(4 * v + 2 * u + 3 * patch))
    fur = jnp.clip(2.5 * wave - 0.5, 0, 1) * jnp.clip(furred + 0.1, 0, 0.25)

    wall = jnp.where(dark > -0.86, 0.34, 0.78) + 0.14 * tone + 0.1 * wall
    floor = 0.25 * fall * wall + 0.04 * floor
    below = jnp.clip(0.5 + (y - 0.45 - 0.2 * edge) * 12, 0, 1)
    folds = 1 + 0.06 * jnp.cos((5 + 3 * fold_x) * x + 3 * fold_y * y)
    ground = folds * (wall[:, None, None] + below * floor[:, None, None])

    def add(picture: jax.Array, part: jax.Array) -> tuple[jax.Array, None]:
        shape, part_x, part_y, w, h, degrees, colour, head = part
        cos, sin = jnp.cos(jnp.deg2rad(degrees)), jnp.sin(jnp.deg2rad(degrees))
        du, dv = u - part_x - 0.05 * nod_x * head, v - part_y - 0.05 * nod_y * head
        inside = -_distance(shape, cos * du + sin * dv, cos * dv - sin * du, w, h)
        cover = jnp.clip(0.5 + inside * size * (SIDE / 2), 0, 1)
        # A part is darker towards its edge, so that it looks round and contrasts with those behind.
        shade = 0.72 + 0.28 * jnp.clip(inside / (0.5 * jnp.minimum(w, h) + 0.02), 0, 1)
        shade = shade * (1 - jnp.where(colour == COAT, fur, 0))
        paint = shade * palette[jnp.int32(colour)][:, None, None]
        return picture + cover * (paint - picture), None

    picture, _ = jax.lax.scan(add, ground, parts)
    light = 1.05 + 0.15 * (light_x * x + light_y * y) - 0.06 * (x * x + y * y)
    picture = 255 * (picture * light + 0.025 * noise)
    return jnp.round(jnp.clip(picture, 0, 255)).astype(jnp.uint8).transpose(1, 2, 0)


def _distance(
    shape: jax.Array, x: jax.Array, y: jax.Array, w: jax.Array, h: jax.Array
) -> jax.Array:
    """Approximate the signed distance of points to a shape around 0; it is negative inside."""
    near = jnp.sqrt((x / w) ** 2 + (y / h) ** 2)
    far = jnp.sqrt((x / (w * w)) ** 2 + (y / (h * h)) ** 2)
    disc = near * (near - 1) / jnp.maximum(far, 1e-6)
    ring = jnp.abs(disc) - 0.28 * jnp.minimum(w, h)
    box = jnp.maximum(jnp.abs(x) - w, jnp.abs(y) - h)
    side = (2 * h * jnp.abs(x) - w * (y + h)) / jnp.sqrt(4 * h * h + w * w)
    triangle, dome, arc = jnp.maximum(side, y - h), jnp.maximum(disc, y), jnp.maximum(ring, -y)
    shapes = (disc, box, triangle, dome, ring, arc)
    return jnp.select([shape == code for code in range(len(shapes))], shapes)
