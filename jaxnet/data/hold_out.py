"""Hold out a random split, a share of each class, without parting a group."""

import numpy as np

from jaxnet.data.dataset import Split

TEST_SHARE = 0.2


def hold_out(split: Split, seed: int) -> dict[str, Split]:
    """Divide a split into "train" and "test"; where nothing can be held out, leave it whole."""
    parts = divide(split.labels, seed, split.groups)
    if len(parts) == 1:
        return {"train": split}
    return {name: split.take(which) for name, which in parts.items()}


def divide(
    labels: np.ndarray, seed: int, groups: np.ndarray | None = None
) -> dict[str, np.ndarray]:
    """Divide examples as `hold_out` does: the indices of "train", and of "test" if there are any.

    The arguments are those of `draw_held_out`.
    """
    held_out = draw_held_out(labels, seed, groups)
    parts = {"train": np.flatnonzero(~held_out), "test": np.flatnonzero(held_out)}
    return {name: which for name, which in parts.items() if len(which)}


def draw_held_out(
    labels: np.ndarray,
    seed: int | tuple[int, ...],
    groups: np.ndarray | None = None,
    share: float = TEST_SHARE,
) -> np.ndarray:
    """Draw the held-out examples: about a share of each class, but never all of it.

    Args:
        labels: (m,) of 0 and 1.
        seed: The seed of the draw.
        groups: (m,) texts or numbers. All examples of a group are held out, or none is.
        share: How many.

    Returns:
        A mask (m,). With groups it depends on the groups and their labels, not on the order of the
        examples.
    """
    generator = np.random.default_rng(seed)
    if groups is not None:
        return _draw_groups(labels, groups, generator, share)
    held_out = np.zeros(len(labels), bool)
    for label in (0, 1):
        members = generator.permutation(np.flatnonzero(labels == label))
        count = min(max(1, round(share * len(members))), len(members) - 1)
        held_out[members[: max(count, 0)]] = True
    return held_out


def _draw_groups(
    labels: np.ndarray, groups: np.ndarray, generator: np.random.Generator, share: float
) -> np.ndarray:
    """Hold out groups in random order, each if it brings the classes nearer to their share."""
    names, members = np.unique(groups, return_inverse=True)
    counts = np.zeros((len(names), 2), int)
    np.add.at(counts, (members, labels), 1)
    total, held = counts.sum(0), np.zeros(2, int)

    def distance(numbers: np.ndarray) -> float:
        return float((((numbers - share * total) / np.maximum(total, 1)) ** 2).sum())

    chosen = np.zeros(len(names), bool)
    order = generator.permutation(len(names))
    # The second time, a class without any held-out example takes the first group that it can.
    for only_missing in (False, True):
        for group in order:
            count = counts[group]
            leaves_some = bool(((held + count < total) | (count == 0)).all())
            if only_missing:
                wanted = bool(((held == 0) & (count > 0)).any())
            else:
                wanted = distance(held + count) < distance(held)
            if leaves_some and wanted and not chosen[group]:
                chosen[group], held = True, held + count
    return chosen[members]
