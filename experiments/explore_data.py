"""What is lost when a picture becomes a column of numbers?

Every picture is made grey, scaled and laid out as a column of X. Then each column is turned back
into a picture and compared with the grey picture, which is computed in another way. If the two
agree, the column holds everything that the grey picture holds, and only the colour is lost. The
weights of red, green and blue and the ends of the pixel scale are not copied from the code: they
are measured on pictures of one pixel. (The article's section "Architecture at a glance", where the
training set is explored.)

    python -m experiments.explore_data

Expect X (4096, 209), one number a pixel, from pictures (209, 64, 64, 3), and a difference below
1e-13 of a grey level of 255 after the conversion back; the weights 0.299, 0.587 and 0.114, whose
sum is 1; a colour loss of 20 levels (root mean square; 29 with the cats); 34.4 % cats in the
training set and 34 % in the test set (66 % in that of the real cats). It takes two seconds. With
--color rgb the answer is no: then a picture has 12,288 numbers.
"""

from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from experiments import BLUE, ORANGE, Result, new_figure, run
from jaxnet import Dataset, load_dataset, to_columns, to_row

CLAIM = "A picture becomes one column of numbers, and loses nothing but its colour."

GAP = 2  # white pixels around a picture


class Converted(NamedTuple):
    """A split as columns, and the pictures that are made from them again."""

    X: np.ndarray  # (n_x, m)
    pictures: np.ndarray  # (m, h, w, 1), or (m, h, w, 3) in colour; levels from 0 to 255
    difference: float  # the largest one from the grey pictures, in levels
    lost: float  # the root mean square of the difference from the coloured ones, in levels


def main(
    data: str = "sketches",
    color: str = "gray",
    pixel_scale: str = "symmetric",
    examples: int = 5,
    tolerance: float = 1e-9,
) -> Result:
    """Turn pictures into columns and back, and count the classes."""
    dataset = load_dataset(data)
    primaries = np.eye(3, dtype=np.uint8).reshape(3, 1, 1, 3)
    with jax.enable_x64(True):
        luma = np.asarray(to_columns(primaries, pixel_scale="raw", dtype=jnp.float64))[0]
        splits = {
            name: convert(split.images, luma, color, pixel_scale)
            for name, split in dataset.splits.items()
        }
    print("split  images              X            Y         positive class")
    for name, split in dataset.splits.items():
        Y = to_row(split.labels)
        share = f"{int(Y.sum())} of {Y.size} = {100 * split.labels.mean():.1f} %"
        shape = splits[name].X.shape
        print(f"{name:6} {split.images.shape!s:19} {shape!s:12} {Y.shape!s:9} {share}")
    X = splits["train"].X
    pixels = dataset.train.images.shape[1] * dataset.train.images.shape[2]
    difference = max(split.difference for split in splits.values())
    print(f"one picture: {pixels} pixels, {X.shape[0]} numbers from {X.min():.3f} to {X.max():.3f}")
    print(f"luma: {luma[0]:.3f} R + {luma[1]:.3f} G + {luma[2]:.3f} B, sum {luma.sum():.15f}")
    print(f"converted back: {difference:.1e} of 255 levels from the grey picture")

    numbers = {
        "numbers a picture": len(X),
        "pixels a picture": pixels,
        "largest difference after the way back, in levels of 255": difference,
        "sum of the luma weights": float(luma.sum()),
        "colour lost, root mean square, in levels of 255": splits["train"].lost,
    } | {
        f"share of {dataset.classes[1]}, {name}": float(split.labels.mean())
        for name, split in dataset.splits.items()
    }
    holds = len(X) == pixels and difference <= tolerance and abs(luma.sum() - 1) < 1e-12
    return Result(CLAIM, bool(holds), numbers, draw(dataset, splits["train"], examples))


def convert(images: np.ndarray, luma: np.ndarray, color: str, pixel_scale: str) -> Converted:
    """Turn pictures into columns in float64 and back, and compare."""

    def columns_of(images: np.ndarray) -> np.ndarray:
        return np.asarray(
            to_columns(images, color=color, pixel_scale=pixel_scale, dtype=jnp.float64)
        )

    ends = np.array([0, 255], np.uint8).repeat(3).reshape(2, 1, 1, 3)
    black, white = columns_of(ends)[0]
    X = columns_of(images)
    pictures = ((X.T - black) / (white - black) * 255).reshape(*images.shape[:3], -1)
    difference = np.abs(pictures - (images @ luma)[..., np.newaxis]).max()
    lost = np.sqrt(np.mean((images - pictures) ** 2))
    return Converted(X, pictures, float(difference), float(lost))


def tile(pictures: np.ndarray) -> np.ndarray:
    """Join pictures (rows, columns, h, w, 3) into one picture, with white gaps."""
    edges = ((0, 0), (0, 0), (GAP, GAP), (GAP, GAP), (0, 0))
    padded = np.pad(pictures, edges, constant_values=255)
    rows, columns, h, w, _ = padded.shape
    return padded.transpose(0, 2, 1, 3, 4).reshape(rows * h, columns * w, 3)


def draw(dataset: Dataset, train: Converted, examples: int) -> Figure:
    """Draw some pictures of each class before and after the conversion, X, and the class sizes."""
    figure, ((left, middle, right),) = new_figure(CLAIM, 1, 3, width_ratios=(3.5, 1, 1))
    images, labels, _ = dataset.train
    shown = max(1, min(examples, *np.bincount(labels)))
    rows = []
    for label in (1, 0):
        first = np.flatnonzero(labels == label)[:shown]
        rows += [images[first], np.broadcast_to(train.pictures[first].round(), images[first].shape)]
    left.imshow(tile(np.array(rows).astype(np.uint8)))
    height = images.shape[1] + 2 * GAP
    names = (text for label in (1, 0) for text in (dataset.classes[label], "its column"))
    left.set_yticks(height * (np.arange(4) + 0.5), names)
    left.set(title="in colour, and as the network's input", xticks=[])
    left.tick_params(length=0)
    left.spines[:].set_visible(False)
    left.grid(False)
    middle.imshow(train.X, cmap="gray", aspect="auto", interpolation="nearest")
    middle.set(title=f"X ({len(train.X):,} × {len(images)})", xlabel="picture")
    middle.set_ylabel("pixel, row by row")
    middle.grid(False)
    draw_classes(right, dataset)
    return figure


def draw_classes(axes: Axes, dataset: Dataset) -> None:
    """Draw the number of pictures of each class in each split."""
    floor = np.zeros(len(dataset.splits))
    for label, shade in ((1, ORANGE), (0, BLUE)):
        counts = np.array([np.sum(split.labels == label) for split in dataset.splits.values()])
        name = dataset.classes[label]
        bars = axes.bar(list(dataset.splits), counts, bottom=floor, color=shade, label=name)
        axes.bar_label(bars, label_type="center", color="black" if label else "white")
        floor += counts
    axes.set(ylabel="pictures")
    axes.grid(False, axis="x")
    axes.set_axisbelow(True)
    axes.legend(loc="lower center", bbox_to_anchor=(0.5, 1), reverse=True)


if __name__ == "__main__":
    run(main)
