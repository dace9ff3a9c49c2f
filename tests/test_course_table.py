from typing import Literal

import pytest

from experiments.course_table import main
from jaxnet.data.dataset import Dataset

pytestmark = pytest.mark.optimized


@pytest.mark.slow
@pytest.mark.parametrize("basis", ["pixels", "span"])
def test_the_published_costs_are_reproduced(
    basis: Literal["pixels", "span"], cats: Dataset
) -> None:
    result = main(basis=basis)
    assert result.holds
    assert result.numbers["largest difference"] <= 1e-12
    assert result.numbers["train accuracy"] == 1.0
    assert result.numbers["test accuracy"] == pytest.approx(0.72)


def test_another_rate_does_not_reproduce_them(cats: Dataset) -> None:
    result = main(iterations=201, learning_rate=0.00750001)
    assert not result.holds
    assert 1e-9 < result.numbers["largest difference"] < 1e-6
