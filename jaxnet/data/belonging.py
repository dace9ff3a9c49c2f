"""Which pictures belong together: those of one group, and duplicates.

A network knows the copy of what it was trained on. So no validation set and no fold parts them.
"""

from collections.abc import Iterable

import numpy as np

from jaxnet.data.dataset import Split
from jaxnet.data.duplicates import Pair


def number_together(train: Split, pairs: Iterable[Pair]) -> np.ndarray | None:
    """Number training pictures so that those that belong together have one number.

    Args:
        train: The training split.
        pairs: Duplicates of its data set, as `find_pairs` returns them.

    Returns:
        Numbers (m,); None if every picture stands alone.
    """
    same = [
        (pair.first.number, pair.second.number)
        for pair in pairs
        if pair.first.split == pair.second.split == "train"
    ]
    return _join(len(train.labels), same, train.groups)


def number_equal(X: np.ndarray, groups: np.ndarray | None) -> np.ndarray | None:
    """Number examples as `number_together` does pictures: equal columns of X (n_x, m) belong so.

    Args:
        X: The examples.
        groups: (m,) texts or numbers, or None.
    """
    first: dict[bytes, int] = {}
    columns = enumerate(np.ascontiguousarray(X.T))
    same = [(first.setdefault(column.tobytes(), i), i) for i, column in columns]
    return _join(X.shape[1], [(i, j) for i, j in same if i != j], groups)


def _join(m: int, same: list[tuple[int, int]], groups: np.ndarray | None) -> np.ndarray | None:
    """Number m examples by what is joined by pairs and by groups; None if nothing is."""
    parent = np.arange(m)

    def root(i: int) -> int:
        while parent[i] != i:
            parent[i] = i = parent[parent[i]]
        return i

    if groups is not None:
        first: dict[str, int] = {}
        same = same + [(first.setdefault(str(group), i), i) for i, group in enumerate(groups)]
    for i, j in same:
        parent[root(j)] = root(i)
    return np.array([root(i) for i in range(m)]) if same else None
