"""Which of a network's arrays from elsewhere are W1, b1, W2 and b2: by their names and shapes."""

import itertools
from collections.abc import Iterator, Mapping

import numpy as np

from jaxnet.errors import DataError

SHOWN = 8  # arrays that a message lists

Names = tuple[str, str, str, str]

# Names that tell the order of the arrays of scikit-learn: those that numpy.savez gives, and others.
_ORDERED: tuple[Names, ...] = (
    ("arr_0", "arr_2", "arr_1", "arr_3"),
    ("coefs_0", "intercepts_0", "coefs_1", "intercepts_1"),
)


def find_layers(arrays: Mapping[str, np.ndarray], framework: str, n_x: int) -> Names:
    """Return the names of W1, b1, W2 and b2, which shapes or names must tell without doubt."""
    pytorch = framework == "pytorch"
    orders = _orders_of_pytorch(arrays) if pytorch else _orders_of_sklearn(arrays)
    outputs = (1, 2) if pytorch else (1,)
    found = []
    for names in orders if len(arrays) == 4 else ():
        W1, b1, W2, b2 = (arrays[name].shape for name in names)
        if not pytorch:
            W1, W2 = W1[::-1], W2[::-1]
        n_h, n_y = len(arrays[names[1]]) if b1 else 0, len(arrays[names[3]]) if b2 else 0
        expected = ((n_h, n_x), (n_h,), (n_y, n_h), (n_y,))
        if (W1, b1, W2, b2) == expected and n_h > 0 and n_y in outputs:
            found.append(names)
    if len(found) == 1:
        return found[0]
    if found:
        raise DataError(
            f"several orders of the layers fit: {_list(arrays)}",
            "shapes or names that tell which layer is the first",
            f"name them {', '.join(_ORDERED[1])}, and import them as those of sklearn",
        )
    shapes = (
        "(n_h, n_x), (n_h,), (1, n_h), (1,)" if pytorch else "(n_x, n_h), (n_h,), (n_h, 1), (1,)"
    )
    raise DataError(
        f"these are not the weights and biases of two layers: {_list(arrays)}",
        f"arrays of shapes {shapes}, where n_x = {n_x:,} by the size and the colour of the pictures"
        + ("; or two outputs, of a softmax" if pytorch else ""),
        "give the size and the colour that the network was trained with; it has one hidden layer",
    )


def _orders_of_pytorch(arrays: Mapping[str, np.ndarray]) -> Iterator[Names]:
    layers = [name.removesuffix(".weight") for name in arrays if name.endswith(".weight")]
    for first, second in itertools.permutations(layers, 2):
        names = (f"{first}.weight", f"{first}.bias", f"{second}.weight", f"{second}.bias")
        if all(name in arrays for name in names):
            yield names


def _orders_of_sklearn(arrays: Mapping[str, np.ndarray]) -> Iterator[Names]:
    named = [names for names in _ORDERED if set(names) == arrays.keys()]
    yield from named or itertools.permutations(arrays, 4)


def _list(arrays: Mapping[str, np.ndarray]) -> str:
    shown = [f"{name} {array.shape}" for name, array in itertools.islice(arrays.items(), SHOWN)]
    return ", ".join(shown) + (f" and {len(arrays) - SHOWN} more" if len(arrays) > SHOWN else "")
