"""Load a data set from any source of pictures."""

import dataclasses
import os
from pathlib import Path
from typing import Any

from jaxnet.data.dataset import Dataset, Split, check_dataset, map_splits, with_positive
from jaxnet.data.folder import read_folder
from jaxnet.data.hdf5 import read_hdf5
from jaxnet.data.pictures import resize_images
from jaxnet.data.source import DataSource
from jaxnet.defaults import SIDE
from jaxnet.errors import UsageError
from jaxnet.io.files import require_path
from jaxnet.progress import Track, silent

BUILT_IN = ("sketches", "catvnoncat")


def load_dataset(
    source: str | Path | DataSource = "sketches",
    test: str | Path | None = None,
    *,
    track: Track = silent,
    **options: Any,
) -> Dataset:
    """Load a two-class picture data set.

    Args:
        source: "sketches" (drawn pictures), "catvnoncat" (the article's cats, downloaded once and
            verified), an HDF5 file in the article's layout, or a folder of pictures with one
            sub-folder per class; or a `DataSource`, which includes the options below.
        test: The file or folder of the test split; by default the one in or beside `source`.
        track: Reports the progress of reading or drawing.
        options: The other fields of `DataSource` by name: positive, size, count, data_seed,
            skip_bad, exclude_leaks, strict.

    Raises:
        DataError: If the pictures cannot be read or used.
        UsageError: If the options do not fit together.
    """
    chosen = _choose(source, test, options)
    _check_built_in(chosen)
    dataset = _read(chosen, track)
    if chosen.size is not None:
        size = chosen.size
        dataset = map_splits(
            dataset, lambda split: Split(resize_images(split.images, size, size), split.labels)
        )
    dataset = with_positive(check_dataset(dataset), chosen.positive)
    if chosen.exclude_leaks:
        # Imported here, because most callers do not need it.
        from jaxnet.data.duplicates import find_pairs, without_leaks

        dataset = without_leaks(dataset, find_pairs(dataset))
    return dataclasses.replace(dataset, data_source=chosen)


def _choose(
    source: str | Path | DataSource, test: str | Path | None, options: dict[str, Any]
) -> DataSource:
    """Combine the arguments of `load_dataset` into one `DataSource`."""
    if test is not None:
        options = options | {"test": test}
    known = {field.name for field in dataclasses.fields(DataSource)} - {"data"}
    unknown = options.keys() - known
    if unknown:
        raise UsageError(
            f"load_dataset has no option {', '.join(sorted(unknown))}",
            f"some of {', '.join(sorted(known))}",
            "correct the name",
        )
    if isinstance(source, DataSource):
        return dataclasses.replace(source, **options)
    return DataSource(source, **options)  # type: ignore[arg-type]  # it takes paths as well


def _check_built_in(chosen: DataSource) -> None:
    if chosen.count is not None and chosen.data != "sketches":
        raise UsageError(
            f"count is given for {chosen.data}", "count with sketches only", "leave it out"
        )
    if chosen.test is not None and chosen.data in BUILT_IN:
        raise UsageError(
            f"a test split is given for {chosen.data}", f"{chosen.data} alone", "leave it out"
        )


def _read(chosen: DataSource, track: Track) -> Dataset:
    """Read or draw the pictures of a source."""
    if chosen.data == "sketches":
        # Imported here, so that files are read without importing JAX.
        from jaxnet.data.sketches import draw_sketches

        count = chosen.count
        counts = () if count is None else (count, max(2, round(count * 50 / 209)))
        return draw_sketches(*counts, seed=chosen.data_seed, track=track)
    if chosen.data == "catvnoncat":
        # Imported here, because `requests` is slow to import.
        from jaxnet.data.download import read_catvnoncat

        return read_catvnoncat()
    # Unlike Path.expanduser, os.path.expanduser leaves the name of an unknown user unchanged.
    path = Path(os.path.expanduser(chosen.data))
    test = None if chosen.test is None else Path(os.path.expanduser(chosen.test))
    require_path(path, BUILT_IN)
    if not path.is_dir():
        return read_hdf5(path, test)
    return read_folder(
        path,
        test,
        positive=chosen.positive,
        size=SIDE if chosen.size is None else chosen.size,
        seed=chosen.data_seed,
        skip_bad=chosen.skip_bad,
        strict=chosen.strict,
        track=track,
    )
