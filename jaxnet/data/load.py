"""One function in front of every source of pictures."""

import os
from pathlib import Path

from jaxnet.data.dataset import Dataset, Split, check_dataset, map_splits, with_positive
from jaxnet.data.folder import SIZE, read_folder
from jaxnet.data.hdf5 import read_hdf5
from jaxnet.data.pictures import resize_images
from jaxnet.errors import UsageError, require_number
from jaxnet.io.files import require_path
from jaxnet.progress import Track, silent

# More would take more memory or time than anyone means to give.
LARGEST_SIZE = 4096
LARGEST_COUNT = 10_000_000

BUILT_IN = ("sketches", "catvnoncat")


def load_dataset(
    source: str | Path,
    test: str | Path | None = None,
    *,
    positive: str | None = None,
    size: int | None = None,
    count: int | None = None,
    seed: int = 0,
    skip_bad: bool = False,
    track: Track = silent,
) -> Dataset:
    """Load a two-class picture data set.

    Args:
        source: "sketches" (drawn here), "catvnoncat" (the article's cats, downloaded once and
            verified), an HDF5 file in the article's layout, or a folder of pictures with one
            sub-folder a class.
        test: The file or folder of the test split; by default what lies in or beside `source`.
        positive: The class that becomes label 1; by default the one called cat, else the second.
        size: Bring every picture to size × size pixels; by default a folder's to 64 × 64, all
            others stay as they are.
        count: How many training pictures to draw, sketches only; test pictures in proportion.
        seed: Decides what is drawn: the sketches, or a folder's test split.
        skip_bad: Leave out broken pictures of a folder, instead of raising an error.
        track: Shows the progress of what takes long.

    Raises:
        DataError: If the pictures cannot be had or used.
        UsageError: If the arguments do not fit together.
    """
    require_number("size", size, 1, LARGEST_SIZE)
    require_number("count", count, 2, LARGEST_COUNT)
    require_number("seed", seed, 0, 2**32 - 1)
    if count is not None and source != "sketches":
        raise UsageError(f"count is given for {source}", "count with sketches only", "leave it out")
    if test is not None and source in BUILT_IN:
        raise UsageError(f"a test split is given for {source}", f"{source} alone", "leave it out")

    path = Path(os.path.expanduser(source))
    other = None if test is None else Path(os.path.expanduser(test))
    if source == "sketches":
        # Here, so that a file is read without starting JAX.
        from jaxnet.data.sketches import draw_sketches

        counts = () if count is None else (count, max(2, round(count * 50 / 209)))
        dataset = draw_sketches(*counts, seed=seed, track=track)
    elif source == "catvnoncat":
        # Here, because requests, which downloads, is slow to import.
        from jaxnet.data.download import read_catvnoncat

        dataset = read_catvnoncat()
    else:
        require_path(path, BUILT_IN)
        if path.is_dir():
            dataset = read_folder(
                path,
                other,
                positive=positive,
                size=SIZE if size is None else size,
                seed=seed,
                skip_bad=skip_bad,
                track=track,
            )
        else:
            dataset = read_hdf5(path, other)
    if size is not None:
        dataset = map_splits(
            dataset, lambda split: Split(resize_images(split.images, size, size), split.labels)
        )
    return with_positive(check_dataset(dataset), positive)
