import pytest

from jaxnet import UsageError
from jaxnet.defaults import ITERATIONS
from jaxnet.epochs import count_iterations, steps_an_epoch


@pytest.mark.parametrize(
    ("m", "batch", "steps"), [(7, None, 1), (7, 1, 7), (7, 3, 3), (6, 3, 2), (7, 7, 1), (7, 99, 1)]
)
def test_the_batches_of_an_epoch(m: int, batch: int | None, steps: int) -> None:
    assert steps_an_epoch(m, batch) == steps
    assert count_iterations(m, batch, epochs=5) == 5 * steps


def test_the_length_in_iterations() -> None:
    assert count_iterations(7, 3) == ITERATIONS
    assert count_iterations(7, 3, iterations=8) == 8


@pytest.mark.parametrize(
    ("arguments", "found"),
    [
        ({"iterations": 5, "epochs": 2}, "iterations is 5 and epochs is 2"),
        ({"iterations": 0}, "iterations is 0"),
        ({"epochs": 0}, "epochs is 0"),
        ({"epochs": 10**8}, "epochs is 100000000"),  # × 3 iterations
        ({"epochs": 1.5}, "epochs is 1.5 of type float"),
        ({"batch": 0}, "batch is 0"),
        ({"batch": 2.5}, "batch is 2.5 of type float"),
        ({"batch": True}, "batch is True of type bool"),
    ],
    ids=lambda value: str(value) if isinstance(value, dict) else "",
)
def test_wrong_lengths(arguments: dict[str, int], found: str) -> None:
    with pytest.raises(UsageError) as caught:
        count_iterations(7, **({"batch": 3} | arguments))
    assert caught.value.found == found
