"""Peers for many pictures: training from a file, with a full batch, and with small batches.

A peer is a function that makes the updates of some epochs, or a number of updates, and ends when
their last result exists. Each makes the same steps of the article's network.
"""

import dataclasses
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import h5py
import jax
import numpy as np

from jaxnet import (
    Settings,
    StoredPictures,
    TrainState,
    fit,
    init_params,
    make_update,
    open_pictures,
    sgd,
    to_columns,
    train,
)
from jaxnet.data.stream import read_in_order, read_pools

LUMA = (0.299, 0.587, 0.114)
RATE = 0.001

# Makes the steps of some epochs.
Epochs = Callable[[int], object]


def make_file(path: Path, m: int, side: int = 64) -> StoredPictures:
    """Write an HDF5 file of m pictures of noise, bright for class 1."""
    draw = np.random.default_rng(0)
    labels = draw.integers(0, 2, m)
    with h5py.File(path, "w") as file:
        images = file.create_dataset("train_set_x", (m, side, side, 3), np.uint8)
        for first in range(0, m, 4096):
            which = labels[first : first + 4096]
            noise = draw.integers(0, 192, (len(which), side, side, 3), dtype=np.uint8)
            images[first : first + 4096] = (
                noise + (which * 63).astype(np.uint8)[:, None, None, None]
            )
        file["train_set_y"] = labels
    return open_pictures(path)


def reading(pictures: StoredPictures, batch: int) -> Epochs:
    """Nothing but reading the file, in order."""

    def run(epochs: int) -> None:
        for _ in range(epochs):
            for _ in read_in_order(pictures, 4096):
                pass

    return run


def shuffling(pictures: StoredPictures, batch: int) -> Epochs:
    """Nothing but reading the batches of an epoch in random order."""

    def run(epochs: int) -> None:
        for _ in read_pools(pictures, batch, 0, 0, epochs * -(-len(pictures) // batch)):
            pass

    return run


def jaxnet_stream(pictures: StoredPictures, batch: int) -> Epochs:
    """`train` on pictures that stay in their file."""
    settings = Settings(batch=batch, epochs=1, learning_rate=RATE)
    return lambda epochs: train(pictures, dataclasses.replace(settings, epochs=epochs))


def jaxnet_step(pictures: StoredPictures, batch: int) -> Epochs:
    """The step alone, on one batch of ready columns."""
    images = next(iter(read_in_order(pictures, batch))).images
    X = to_columns(images)
    Y = jax.device_put(pictures.labels[None, :batch].astype(np.float32))
    rule = sgd(RATE)
    params = init_params(jax.random.key(0), len(X))
    update = make_update(rule)

    def run(epochs: int) -> None:
        state = TrainState(params, rule.init(params))
        for _ in range(epochs * -(-len(pictures) // batch)):
            state, _ = update(state, X, Y)
        jax.block_until_ready(state)

    return run


def _torch_network(n_x: int) -> tuple[Any, Any, Any]:
    import torch

    network = torch.nn.Sequential(torch.nn.Linear(n_x, 8), torch.nn.ReLU(), torch.nn.Linear(8, 1))
    with torch.no_grad():
        for parameter in network.parameters():
            parameter.copy_(0.01 * torch.randn(parameter.shape) * (parameter.ndim > 1))
    rule = torch.optim.SGD(network.parameters(), lr=RATE)
    return network, rule, torch.nn.BCEWithLogitsLoss()


def _torch_step(network: Any, rule: Any, loss: Any, X: Any, y: Any) -> None:
    rule.zero_grad(set_to_none=True)
    loss(network(X)[:, 0], y).backward()
    rule.step()


def _torch_rows(images: Any) -> Any:
    """Convert (batch, h, w, 3) uint8 to grey rows from −1 to 1."""
    import torch

    pixels = images.to(torch.float32)
    grey = LUMA[0] * pixels[..., 0] + LUMA[1] * pixels[..., 1] + LUMA[2] * pixels[..., 2]
    return (grey / 127.5 - 1).reshape(len(images), -1)


class OnePicture:
    """A data set of PyTorch: one picture and its label by their number, from an HDF5 file."""

    def __init__(self, path: Path, labels: np.ndarray) -> None:
        self.path, self.labels = path, labels
        self.images: h5py.Dataset | None = None

    def __len__(self) -> int:
        return len(self.labels)

    def __getitem__(self, i: int) -> tuple[np.ndarray, float]:
        if self.images is None:  # each worker opens the file for itself
            self.images = h5py.File(self.path)["train_set_x"]
        return self.images[i], float(self.labels[i])


def torch_loader(pictures: StoredPictures, batch: int, workers: int = 2) -> Epochs:
    """PyTorch with `DataLoader` over single pictures, as its documentation shows it."""
    import torch

    network, rule, loss = _torch_network(pictures.size[0] * pictures.size[1])
    loader = torch.utils.data.DataLoader(
        OnePicture(pictures.paths[0], pictures.labels),
        batch_size=batch,
        shuffle=True,
        num_workers=workers,
        # Processes that are forked from one with JAX may deadlock.
        multiprocessing_context="spawn" if workers else None,
        persistent_workers=workers > 0,
    )

    def run(epochs: int) -> None:
        for _ in range(epochs):
            for images, y in loader:
                _torch_step(network, rule, loss, _torch_rows(images), y.to(torch.float32))

    return run


def _batches(
    pictures: StoredPictures, batch: int, epochs: int
) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    for pool in read_pools(pictures, batch, 0, 0, epochs * -(-len(pictures) // batch)):
        for indices in pool.batches[: pool.made]:
            which = indices[indices >= 0]
            yield pool.images[which], pool.labels[which]


def torch_blocks(pictures: StoredPictures, batch: int) -> Epochs:
    """PyTorch on the batches of the same reader."""
    import torch

    network, rule, loss = _torch_network(pictures.size[0] * pictures.size[1])

    def run(epochs: int) -> None:
        for images, labels in _batches(pictures, batch, epochs):
            y = torch.from_numpy(labels.astype(np.float32))
            _torch_step(network, rule, loss, _torch_rows(torch.from_numpy(images)), y)

    return run


def sklearn_blocks(pictures: StoredPictures, batch: int) -> Epochs:
    """scikit-learn's `partial_fit` on the batches of the same reader."""
    from sklearn.neural_network import MLPClassifier

    network = MLPClassifier((8,), solver="sgd", learning_rate_init=RATE, momentum=0, alpha=0)

    def run(epochs: int) -> None:
        for images, labels in _batches(pictures, batch, epochs):
            pixels = images.astype(np.float32)
            grey = sum(weight * pixels[..., c] for c, weight in enumerate(LUMA))
            rows = (np.asarray(grey) / 127.5 - 1).reshape(len(images), -1)
            network.partial_fit(rows, labels, classes=[0, 1])

    return run


FROM_A_FILE: dict[str, Callable[[StoredPictures, int], Epochs]] = {
    "reading alone": reading,
    "reading in random order alone": shuffling,
    "the step alone": jaxnet_step,
    "PyTorch, DataLoader, 2 workers": torch_loader,
    "PyTorch, DataLoader, no worker": lambda pictures, batch: torch_loader(pictures, batch, 0),
    "PyTorch, the same reader": torch_blocks,
    "scikit-learn, the same reader": sklearn_blocks,
    "jaxnet": jaxnet_stream,
}

# Makes so many updates of a network on X (n_x, m) and Y (1, m) in memory.
Updates = Callable[[int], object]


def jaxnet_memory(X: np.ndarray, Y: np.ndarray, batch: int | None) -> Updates:
    """`fit` in memory."""
    on_device = jax.device_put(X), jax.device_put(Y)
    params = init_params(jax.random.key(0), len(X))
    return lambda count: jax.block_until_ready(
        fit(params, *on_device, learning_rate=RATE, iterations=count, batch=batch).params
    )


def torch_memory(X: np.ndarray, Y: np.ndarray, batch: int | None) -> Updates:
    """PyTorch on rows in memory."""
    import torch

    rows = torch.from_numpy(np.ascontiguousarray(X.T))
    y = torch.from_numpy(Y[0].copy())
    network, rule, loss = _torch_network(len(X))

    def updates(count: int) -> None:
        made = 0
        while made < count:
            order = torch.randperm(len(y))
            size = len(y) if batch is None else batch
            for first in range(0, len(y), size):
                if batch is None:
                    _torch_step(network, rule, loss, rows, y)
                else:
                    which = order[first : first + size]
                    _torch_step(network, rule, loss, rows[which], y[which])
                made += 1
                if made == count:
                    break

    return updates


IN_MEMORY: dict[str, Callable[[np.ndarray, np.ndarray, int | None], Updates]] = {
    "PyTorch": torch_memory,
    "jaxnet": jaxnet_memory,
}
