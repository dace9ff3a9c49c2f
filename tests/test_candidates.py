"""The filter of pairs passes every pair that the comparison with every shift passes."""

import numpy as np
import pytest

from jaxnet.data import candidates
from jaxnet.data.candidates import lift_planes, lift_points, pass_near, principal_axes

RADIUS = 0.2


def sheets_of(generator: np.random.Generator, m: int, s: int, bend: float) -> np.ndarray:
    """Draw points of a unit sphere (m, s, s, 12), those of one picture near each other."""
    middle = generator.normal(size=(m, 1, 1, 12))
    tangents = generator.normal(size=(2, m, 1, 1, 12)) * 0.2
    steps = np.arange(s) - s // 2
    sheets = middle + tangents[0] * steps[:, None, None] + tangents[1] * steps[:, None]
    sheets = sheets + bend * generator.normal(size=sheets.shape)
    return (sheets / np.linalg.norm(sheets, axis=-1, keepdims=True)).astype(np.float32)


def passed(points: np.ndarray, sheets: np.ndarray) -> np.ndarray:
    """Apply the filter to points (p, k) and sheets (m, s, s, k): (p, m) bool."""
    axes = principal_axes(points)
    order = np.argsort((points @ axes)[:, 0])
    planes, spans = lift_planes(sheets @ axes, RADIUS)
    i, j = pass_near(lift_points(points @ axes)[order], planes, spans)
    result = np.zeros((len(points), len(sheets)), bool)
    result[order[i], j] = True
    return result


@pytest.mark.parametrize("bend", [0, 0.05, 0.5])
@pytest.mark.parametrize("s", [1, 3, 5])
def test_no_point_near_a_sheet_is_missed(
    s: int, bend: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(candidates, "AXES", 6)
    monkeypatch.setattr(candidates, "ROWS", 3)
    monkeypatch.setattr(candidates, "COLUMNS", 7)
    monkeypatch.setattr(candidates, "STACK", 2)
    generator = np.random.default_rng(s)
    sheets = sheets_of(generator, 60, s, bend)
    # Some points lie as far as may be from a corner of a sheet, in any direction.
    step = generator.normal(size=(60, 12))
    away = step / np.linalg.norm(step, axis=1, keepdims=True) * RADIUS * 0.9999
    near = (sheets[:, 0, -1] + away).astype(np.float32)
    points = np.concatenate([near, sheets_of(generator, 200, 1, 0)[:, 0, 0]])
    distances = np.linalg.norm(points[:, None, None, None] - sheets, axis=-1)
    expected = (distances <= RADIUS).any((2, 3))
    assert expected.sum() >= 60
    found = passed(points, sheets)
    assert not (expected & ~found).any()
    assert found.mean() < (0.9 if bend == 0.5 else 0.4)


def test_sheets_without_extent_are_compared_as_points() -> None:
    """Shifts that change nothing leave no tangent: the distance from the plane is the distance."""
    generator = np.random.default_rng(0)
    middle = sheets_of(generator, 40, 1, 0)
    sheets = np.broadcast_to(middle, (40, 5, 5, 12))
    points = middle[:, 0, 0] + 0.05 * generator.normal(size=(40, 12)).astype(np.float32)
    expected = np.linalg.norm(points[:, None] - middle[:, 0, 0], axis=-1) <= RADIUS
    assert 0 < expected.sum() < 100
    np.testing.assert_array_equal(passed(points, sheets), expected)


def test_the_plane_stands_for_all_shifts_of_a_flat_sheet() -> None:
    steps = np.arange(-2, 3, dtype=np.float32)
    sheet = np.zeros((1, 5, 5, 3), np.float32)
    sheet[..., 0], sheet[..., 1] = steps[:, None], steps
    planes, spans = lift_planes(sheet, RADIUS)
    points = lift_points(np.array([[0.3, 1.7, 0.5], [2, 2, 0]], np.float32))
    distance, *along = np.einsum("pk,ktm->tpm", points, planes)[..., 0]
    squares = distance - np.square(along).sum(0)  # squared distances from the plane − 0.2²
    np.testing.assert_allclose(squares, [0.25 - 0.04, -0.04], atol=2e-4)
    np.testing.assert_allclose(spans[:, 0], [-2.2, 2.2], atol=1e-3)
