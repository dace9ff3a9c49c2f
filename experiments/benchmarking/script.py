"""The whole script of a peer: read the pictures, train, score both splits, save, and draw a figure.

    python -m experiments.benchmarking.script PyTorch pictures.h5 start.npz float32 2500 FOLDER

It does what its user would write down, and nothing more: `jaxnet train` also records every cost,
searches for duplicates, and writes a page.
"""

import sys
from pathlib import Path

import h5py
import numpy as np
from matplotlib.figure import Figure

from experiments.benchmarking.peers import ONE_NETWORK, Arrays, Problem

LUMA = (0.299, 0.587, 0.114)  # Rec. 601
NETWORK, PICTURE = "network.npz", "probabilities.png"


def main(peer: str, pictures: Path, start: Path, dtype: str, iterations: int, folder: Path) -> None:
    """Train one network with one peer from the parameters in `start`."""
    with h5py.File(pictures) as file:
        splits = {name: read_split(file, name, dtype) for name in ("train", "test")}
    X, Y = splits["train"]
    with np.load(start) as file:
        params = {name: file[name] for name in file.files}
    problem = Problem(X, Y, params, 0.0075).astype(np.dtype(dtype).type)
    params = ONE_NETWORK[peer](problem)(iterations)

    folder.mkdir(parents=True)
    np.savez(folder / NETWORK, **params)  # type: ignore[arg-type]
    figure = Figure()
    axes = figure.subplots()
    for name, (X, Y) in splits.items():
        A2 = probabilities(params, X)
        print(f"{name} accuracy {100 * np.mean((A2 > 0.5) == (Y == 1)):.1f} %")
        axes.hist(A2[0], bins=20, range=(0, 1), histtype="step", label=name)
    axes.set(xlabel="probability", ylabel="pictures")
    axes.legend()
    figure.savefig(folder / PICTURE)


def read_split(file: h5py.File, name: str, dtype: str) -> tuple[np.ndarray, np.ndarray]:
    """Read a split as grey columns in [−1, 1], X (n_x, m), and its labels, Y (1, m)."""
    images = file[f"{name}_set_x"][()]
    X = (images @ np.array(LUMA, dtype)).reshape(len(images), -1).T / np.array(127.5, dtype) - 1
    return np.ascontiguousarray(X), file[f"{name}_set_y"][()].astype(dtype)[None]


def probabilities(params: Arrays, X: np.ndarray) -> np.ndarray:
    """Compute A2 (1, m)."""
    A1 = np.maximum(params["W1"] @ X + params["b1"], 0)
    return 0.5 + 0.5 * np.tanh(0.5 * (params["W2"] @ A1 + params["b2"]))


if __name__ == "__main__":
    name, pictures, start, dtype, iterations, folder = sys.argv[1:]
    main(name, Path(pictures), Path(start), dtype, int(iterations), Path(folder))
