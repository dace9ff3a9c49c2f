import jax
import pytest

from experiments import parameter_count
from experiments.parameter_count import find_products, main
from jaxnet import Gradients, Params, backward


def test_the_article_counts_rightly() -> None:
    result = main()
    assert result.holds
    assert result.numbers["parameters"] == 32_785
    assert result.numbers["hidden layer"] == 32_776
    assert result.numbers["output layer"] == 9
    assert result.numbers["ways of counting that agree"] == 3
    assert result.numbers["products whose shapes fit"] == 5
    assert result.numbers["multiplications a step"] == 2 * 8 * 4096 * 209 + 3 * 8 * 209


def test_another_network_fits_together_but_has_not_as_many() -> None:
    result = main(n_x=5, n_h=3, m=7)
    assert not result.holds
    assert result.numbers["parameters"] == 22
    assert result.numbers["ways of counting that agree"] == 3
    assert result.numbers["products whose shapes fit"] == result.numbers["products found"] == 5
    assert result.numbers["multiplications a step"] == 2 * 3 * 5 * 7 + 3 * 3 * 7


def test_shapes_of_the_products() -> None:
    products, shapes = find_products(5, 3, 7)
    assert products == [
        [(3, 5), (5, 7), (3, 7)],
        [(1, 3), (3, 7), (1, 7)],
        [(1, 7), (7, 3), (1, 3)],
        [(3, 1), (1, 7), (3, 7)],
        [(3, 7), (7, 5), (3, 5)],
    ]
    assert shapes["dW1"] == shapes["W1"] == (3, 5)
    assert shapes["W2ᵀ"] == (3, 1)


def test_a_product_too_many_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    def wasteful(params: Params, X: jax.Array, Y: jax.Array) -> Gradients:
        gradients = backward(params, X, Y)
        return gradients._replace(dW1=gradients.dZ1 @ X.T)

    monkeypatch.setattr(parameter_count, "backward", wasteful)
    result = main()
    assert not result.holds
    assert result.numbers["products found"] == 6
