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
    m = len(train.labels)
    parent = np.arange(m)

    def root(i: int) -> int:
        while parent[i] != i:
            parent[i] = i = parent[parent[i]]
        return i

    same = [
        (pair.first.number, pair.second.number)
        for pair in pairs
        if pair.first.split == pair.second.split == "train"
    ]
    if train.groups is not None:
        first: dict[str, int] = {}
        same += [(first.setdefault(str(group), i), i) for i, group in enumerate(train.groups)]
    for i, j in same:
        parent[root(j)] = root(i)
    return np.array([root(i) for i in range(m)]) if same else None
