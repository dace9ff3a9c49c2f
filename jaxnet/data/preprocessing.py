"""The preprocessing of pictures into columns; a model stores the one it was trained with."""

import dataclasses
from typing import TYPE_CHECKING, Any

from jaxnet import defaults
from jaxnet.settings import check_options, option

if TYPE_CHECKING:
    import jax
    import numpy as np
    from jax.typing import DTypeLike

    from jaxnet.data.dataset import Dataset, Split
    from jaxnet.examples import Examples


@dataclasses.dataclass(frozen=True)
class Preprocessing:
    """The preprocessing that converts pictures to columns.

    Attributes:
        height: The height to which pictures are resized, in pixels.
        width: The width to which pictures are resized, in pixels.
        color: As in `to_columns`.
        pixel_scale: As in `to_columns`.

    Raises:
        UsageError: If a value is of the wrong type or out of its range.
    """

    height: int = option(defaults.SIDE, "The height of a picture in pixels.", least=1)
    width: int = option(defaults.SIDE, "The width of a picture in pixels.", least=1)
    color: str = option(
        defaults.COLOR, "Whether the network gets grey or colour pictures.", choices=("gray", "rgb")
    )
    pixel_scale: str = option(
        defaults.PIXEL_SCALE,
        "The range of the pixels: [-1, 1], [0, 1] or [0, 255].",
        choices=("symmetric", "unit", "raw"),
    )

    def __post_init__(self) -> None:
        """Check every value."""
        check_options(self)

    @property
    def n_x(self) -> int:
        """The number of features of a picture."""
        return self.height * self.width * (1 if self.color == "gray" else 3)

    def columns(self, images: "np.ndarray", dtype: "DTypeLike" = "float32") -> "jax.Array":
        """Convert images (m, h, w, 3) uint8 of any size to X (n_x, m)."""
        # Imported here, so that the options of the commands do not import JAX.
        from jaxnet.data.columns import to_columns
        from jaxnet.data.pictures import resize_images

        images = resize_images(images, self.height, self.width)
        return to_columns(images, color=self.color, pixel_scale=self.pixel_scale, dtype=dtype)

    def examples(
        self, split: "Split", dtype: "DTypeLike" = "float32", *, balanced: bool = False
    ) -> "Examples":
        """Convert a split to X (n_x, m) and Y (1, m); weight the classes equally if `balanced`."""
        from jaxnet.data.columns import to_row
        from jaxnet.examples import Examples, balancing_weights

        Y = to_row(split.labels, dtype=dtype)
        weights = balancing_weights(Y) if balanced else None
        return Examples(self.columns(split.images, dtype), Y, weights)


def preprocessing_for(dataset: "Dataset", **options: Any) -> Preprocessing:
    """Make the preprocessing that keeps the size of a data set's pictures."""
    _, height, width, _ = dataset.train.images.shape
    return Preprocessing(height, width, **options)
