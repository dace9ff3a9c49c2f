"""What is lost when a picture becomes a column of numbers?

Every picture is made grey, scaled and laid out as a column of X; then each column is turned back
into a picture and compared with the grey picture, which is computed another way. If the two agree,
the column holds all that the grey picture holds: only the colour is gone. The shares of red, green
and blue and the ends of the scale are not looked up, but measured on pictures of one pixel. (The
article's section "Architecture at a glance", where the training set is explored.)

    python -m experiments.explore_data

Expect pictures (209, 64, 64, 3) to become X (4096, 209), one number a pixel, and to come back to
within 1e-13 of a grey level of 255; the shares 0.299, 0.587 and 0.114, whose sum is 1; a colour
lost of 20 levels (root mean square; 29 with the cats); 34.4 % cats in the training split and 34 %
in the test split (66 % in that of the cats); two seconds. With --color rgb the answer is no: then a
picture is 12,288 numbers.
"""

import jax
import jax.numpy as jnp
import numpy as np

from experiments import BLUE, ORANGE, Result, new_figure, run
from jaxnet import load_dataset, to_columns, to_row

CLAIM = "A picture becomes one column of numbers, and loses nothing but its colour."

GAP = 2  # white pixels between two pictures


def tile(pictures: np.ndarray) -> np.ndarray:
    """Put pictures (rows, columns, h, w, 3) beside one another into one picture, on white."""
    edges = ((0, 0), (0, 0), (GAP, GAP), (GAP, GAP), (0, 0))
    padded = np.pad(pictures, edges, constant_values=255)
    rows, columns, h, w, _ = padded.shape
    return padded.transpose(0, 2, 1, 3, 4).reshape(rows * h, columns * w, 3)


def main(
    data: str = "sketches",
    color: str = "gray",
    scale: str = "symmetric",
    examples: int = 5,
    tolerance: float = 1e-9,
) -> Result:
    """Turn pictures into columns and back again; count the classes; show both."""
    dataset = load_dataset(data)

    def columns_of(images: np.ndarray) -> np.ndarray:
        return np.asarray(to_columns(images, color=color, scale=scale, dtype=jnp.float64))

    def come_back(images: np.ndarray, X: np.ndarray) -> np.ndarray:
        """Turn the columns of `images` into pictures (m, h, w, 1) of levels 0 to 255."""
        return ((X.T - black) / (white - black) * 255).reshape(*images.shape[:3], -1)

    ends = np.array([0, 255], np.uint8).repeat(3).reshape(2, 1, 1, 3)
    primaries = np.eye(3, dtype=np.uint8).reshape(3, 1, 1, 3)
    print("split  images              X            Y         positive class")
    X_of, differences, lost = {}, [], []
    with jax.enable_x64(True):
        black, white = columns_of(ends)[0]
        luma = np.asarray(to_columns(primaries, scale="raw", dtype=jnp.float64))[0]
        for name, split in dataset.splits.items():
            X, Y = columns_of(split.images), to_row(split.labels)
            back = come_back(split.images, X)
            differences.append(np.abs(back - (split.images @ luma)[..., np.newaxis]).max())
            lost.append(np.sqrt(np.mean((split.images - back) ** 2)))
            X_of[name] = X
            share = f"{int(Y.sum())} of {Y.size} = {100 * split.labels.mean():.1f} %"
            print(f"{name:6} {split.images.shape!s:19} {X.shape!s:12} {Y.shape!s:9} {share}")
    X, train = X_of["train"], dataset.train
    shown = max(1, min(examples, *np.bincount(train.labels)))
    pixels = train.images.shape[1] * train.images.shape[2]
    print(f"one picture: {pixels} pixels, {X.shape[0]} numbers from {X.min():.3f} to {X.max():.3f}")
    print(f"luma: {luma[0]:.3f} R + {luma[1]:.3f} G + {luma[2]:.3f} B, sum {luma.sum():.15f}")
    print(f"back again: {max(differences):.1e} of 255 levels away from the grey picture")

    figure, ((left, middle, right),) = new_figure(CLAIM, 1, 3, width_ratios=(3.5, 1, 1))
    rows = []
    for label in (1, 0):
        first = np.flatnonzero(train.labels == label)[:shown]
        images = train.images[first]
        rows += [images, np.broadcast_to(come_back(images, X[:, first]).round(), images.shape)]
    left.imshow(tile(np.array(rows).astype(np.uint8)))
    height = train.images.shape[1] + 2 * GAP
    names = (text for label in (1, 0) for text in (dataset.classes[label], "its column"))
    left.set_yticks(height * (np.arange(4) + 0.5), names)
    left.set(title="in colour, and as the network sees them", xticks=[])
    left.tick_params(length=0)
    left.spines[:].set_visible(False)
    left.grid(False)
    middle.imshow(X, cmap="gray", aspect="auto", interpolation="nearest")
    middle.set(title=f"X ({X.shape[0]:,} × {X.shape[1]})", xlabel="picture")
    middle.set_ylabel("pixel, row by row")
    middle.grid(False)

    floor = np.zeros(len(dataset.splits))
    for label, shade in ((1, ORANGE), (0, BLUE)):
        counts = np.array([np.sum(split.labels == label) for split in dataset.splits.values()])
        name = dataset.classes[label]
        bars = right.bar(list(dataset.splits), counts, bottom=floor, color=shade, label=name)
        right.bar_label(bars, label_type="center", color="black" if label else "white")
        floor += counts
    right.set(ylabel="pictures")
    right.grid(False, axis="x")
    right.set_axisbelow(True)
    right.legend(loc="lower center", bbox_to_anchor=(0.5, 1), reverse=True)
    numbers = {
        "numbers a picture": len(X),
        "pixels a picture": pixels,
        "largest difference after the way back, in levels of 255": float(max(differences)),
        "sum of the luma weights": float(luma.sum()),
        "colour lost, root mean square, in levels of 255": float(lost[0]),
    } | {
        f"share of {dataset.classes[1]}, {name}": float(split.labels.mean())
        for name, split in dataset.splits.items()
    }
    holds = len(X) == pixels and max(differences) <= tolerance and abs(luma.sum() - 1) < 1e-12
    return Result(CLAIM, bool(holds), numbers, figure)


if __name__ == "__main__":
    run(main)
