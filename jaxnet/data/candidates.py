"""Find the pairs of pictures whose averages may correlate: a filter that misses none.

The averages of a picture, normalised, are a point on the unit sphere. Two points with correlation
c are √(2 − 2c) apart, 0.2 for 0.98. A shift of the picture by one pixel moves its point, so that
the shifts of one picture lie on a curved sheet, which nearly fills a plane: its tangents are the
differences along the two directions. Let ρ be the largest distance of the sheet from that plane.
If any point of the sheet is within 0.2 of another picture's point, then that point is within
0.2 + ρ of the plane. One comparison with the plane thus stands for those with all shifts.

Distances are taken in the leading principal axes of the averages. A projection shortens distances,
so that the filter passes more pairs, and misses none.
"""

import numpy as np

AXES = 24  # fewer pass more pairs, more take longer
# Points and planes of one product. Products of so few numbers run in one thread of OpenBLAS, whose
# threads would wait for each other longer than they compute; the stack makes up for Python's loop.
ROWS, COLUMNS, STACK = 32, 104, 8
SHORTEST = (
    0.01  # a shorter tangent is not made one of length 1, since rounding decides its direction
)
ROUNDING = 1e-4  # bound of the rounding of a squared distance in float32


def principal_axes(points: np.ndarray) -> np.ndarray:
    """Compute the leading principal axes of points (m, n): (n, k), k = `AXES` or n, if fewer."""
    _, axes = np.linalg.eigh(points.T @ points)
    return axes[:, : -AXES - 1 : -1]


def lift_points(points: np.ndarray) -> np.ndarray:
    """Extend points y (m, k) to (y, 1, |y|²), (m, k + 2), for the products with `lift_planes`."""
    squares = np.einsum("mk,mk->m", points, points)
    return np.column_stack([points, np.ones_like(squares), squares])


def lift_planes(sheets: np.ndarray, radius: float) -> tuple[np.ndarray, np.ndarray]:
    """Fit a plane to each sheet of points, for the products with `lift_points`.

    Args:
        sheets: (m, s, s, k), the points of each picture by its shifts along both directions.
        radius: The largest distance between a point of a sheet and a point near it.

    Returns:
        planes: (k + 2, 3, m). The products with (y, 1, |y|²) are |y − o|² − (radius + ρ)², o the
            middle of the sheet, and the components of y − o along two orthogonal tangents of at
            most length 1.
        spans: (2, m), the least and the greatest first coordinate of a point near each sheet.
    """
    m, s, _, k = sheets.shape
    middle = sheets.mean((1, 2))  # (m, k)
    offsets = np.arange(s, dtype=np.float32) - s // 2
    tangents = [np.einsum("s,mstk->mk", offsets, sheets), np.einsum("t,mstk->mk", offsets, sheets)]
    tangents[0] = _unit(tangents[0])
    tangents[1] = _unit(tangents[1] - _dot(tangents[0], tangents[1])[:, None] * tangents[0])
    away = sheets.reshape(m, s * s, k) - middle[:, None]
    squares = np.einsum("msk,msk->ms", away, away)
    for tangent in tangents:
        squares -= (away @ tangent[..., None])[..., 0] ** 2
    rho = np.sqrt(squares.max(1).clip(0))
    bound = (radius + rho) ** 2 + ROUNDING
    zero, one = np.zeros(m, np.float32), np.ones(m, np.float32)
    distance = np.column_stack([-2 * middle, _dot(middle, middle) - bound, one])
    along = [np.column_stack([t, -_dot(t, middle), zero]) for t in tangents]
    planes = np.ascontiguousarray(np.stack([distance, *along]).transpose(2, 0, 1))
    first = sheets[..., 0].reshape(m, -1)
    margin = radius + ROUNDING
    return planes, np.stack([first.min(1) - margin, first.max(1) + margin])


def pass_near(
    points: np.ndarray, planes: np.ndarray, spans: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Find the points near planes.

    Args:
        points: (p, k + 2), from `lift_points`, by ascending first coordinate.
        planes: (k + 2, 3, n), from `lift_planes`. Neighbours should have similar spans.
        spans: (2, n), from `lift_planes`.

    Returns:
        Indices of points and of planes, two of shape (pairs,).
    """
    found = [(np.zeros(0, np.int64),) * 2]
    far = np.zeros((STACK * ROWS, points.shape[1]), np.float32)
    far[:, -1] = 1e9  # |y|², near no plane
    padded = np.concatenate([points, far])
    products = np.empty((STACK, ROWS, 3 * COLUMNS), np.float32)
    for left in range(0, planes.shape[2], COLUMNS):
        tile = planes[:, :, left : left + COLUMNS]
        width = tile.shape[2]
        tile = tile.reshape(len(planes), -1)
        low, high = spans[0, left : left + COLUMNS].min(), spans[1, left : left + COLUMNS].max()
        start, stop = np.searchsorted(points[:, 0], [low, high])
        for top in range(start, stop, STACK * ROWS):
            stack = min(STACK, -(-(stop - top) // ROWS))
            rows = padded[top : top + stack * ROWS].reshape(stack, ROWS, -1)
            product = np.matmul(rows, tile, out=products[:stack, :, : 3 * width])
            distance, along = product[..., :width], product[..., width:]
            np.square(along, out=along)
            sums = np.add(along[..., :width], along[..., width:], out=along[..., :width])
            near = np.flatnonzero(sums >= distance)
            if len(near):
                i, j = np.divmod(near, width)
                found.append((top + i, left + j))
    i, j = (np.concatenate(part) for part in zip(*found, strict=True))
    return i, j


def _dot(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    return np.einsum("mk,mk->m", a, b)


def _unit(tangents: np.ndarray) -> np.ndarray:
    return tangents / np.maximum(np.linalg.norm(tangents, axis=1, keepdims=True), SHORTEST)
