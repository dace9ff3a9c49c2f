"""Load a data set from any source of pictures."""

import dataclasses
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from jaxnet.data.dataset import Dataset, check_dataset, map_splits, with_positive
from jaxnet.data.download import read_catvnoncat
from jaxnet.data.folder import list_folder, read_folder
from jaxnet.data.foreign import FOLDER, content_of, not_read
from jaxnet.data.hdf5 import is_hdf5, read_hdf5
from jaxnet.data.kept import is_kept, read_kept
from jaxnet.data.listed import Listing, group_listing, read_listing
from jaxnet.data.npz import is_npz, read_npz
from jaxnet.data.pictures import resize_images
from jaxnet.data.source import DataSource
from jaxnet.data.table import ENDINGS, is_table, list_table, read_table
from jaxnet.data.too_large import require_memory
from jaxnet.defaults import SIDE
from jaxnet.errors import DataError, UsageError
from jaxnet.io.files import expand, require_path
from jaxnet.progress import Track, automatic, silent

if TYPE_CHECKING:
    from jaxnet.data.duplicates import Pair


def load_dataset(
    source: str | Path | DataSource = "sketches",
    test: str | Path | None = None,
    *,
    track: Track = automatic,
    **options: Any,
) -> Dataset:
    """Load a two-class picture data set.

    Args:
        source: "sketches" (drawn pictures), "catvnoncat" (the article's cats, downloaded once and
            verified), an HDF5 file or a NumPy archive (.npz) of arrays, a table (.csv, .tsv) of
            paths and labels, or a folder of pictures with one sub-folder per class; or a
            `DataSource`, which includes the options below.
        test: The file or folder of the test split; by default the one in or beside `source`.
        track: Reports the progress of reading or drawing, and of the search for leaks.
        options: The other fields of `DataSource` by name: positive, size, count, validation,
            data_seed, recipe, skip_bad, exclude_leaks, strict, layout, group_by.

    Raises:
        DataError: If the pictures cannot be read or used.
        UsageError: If the options do not fit together, or the pictures would not fit into memory.
    """
    return load_searched(source, test, track=track, **options)[0]


def load_searched(
    source: str | Path | DataSource = "sketches",
    test: str | Path | None = None,
    *,
    track: Track = silent,
    listing: Listing | None = None,
    **options: Any,
) -> tuple[Dataset, "tuple[Pair, ...] | None"]:
    """Load a data set, as `load_dataset` does, with what is known of its duplicates.

    Args:
        source: As for `load_dataset`.
        test: As for `load_dataset`.
        track: As for `load_dataset`.
        listing: The files, if `list_pictures` has listed them for the same source.
        options: As for `load_dataset`.

    Returns:
        The data set; and its duplicates if they were searched, to exclude leaks or to hold out a
        validation set, otherwise None.
    """
    chosen = choose_source(source, test, options)
    listing = list_pictures(chosen) if listing is None else listing
    require_memory(chosen, listing)
    dataset = _read(chosen, track) if listing is None else _read_listed(chosen, listing, track)
    if chosen.size is not None:
        size = chosen.size
        dataset = map_splits(
            dataset, lambda split: split._replace(images=resize_images(split.images, size, size))
        )
    dataset = with_positive(check_dataset(dataset), chosen.positive)
    pairs = None
    if chosen.exclude_leaks:
        # Imported here, because most callers do not need it.
        from jaxnet.data.duplicates import find_pairs, pairs_without_leaks, without_leaks

        before = find_pairs(dataset, track=track)
        dataset, pairs = without_leaks(dataset, before), pairs_without_leaks(before)
    if chosen.validation is not None:
        from jaxnet.data.duplicates import find_pairs
        from jaxnet.data.validation_set import divide_training

        before = find_pairs(dataset, track=track) if pairs is None else pairs
        share, seed = chosen.validation, chosen.data_seed
        dataset, pairs = divide_training(dataset, share, seed, before)
    return dataclasses.replace(dataset, data_source=chosen), pairs


def choose_source(
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
    for name, what in (
        ("test", "a test split"),
        ("layout", "a layout"),
        ("group_by", "group_by"),
    ):
        if getattr(chosen, name) is not None and chosen.data in BUILT_IN:
            raise UsageError(
                f"{what} is given for {chosen.data}", f"{chosen.data} alone", "leave it out"
            )


def _draw_sketches(chosen: DataSource, track: Track) -> Dataset:
    # Imported here, so that files are read without importing JAX.
    from jaxnet.data.sketches import draw_sketches

    count = chosen.count
    counts = () if count is None else (count, max(2, round(count * 50 / 209)))
    return draw_sketches(*counts, seed=chosen.data_seed, recipe=chosen.recipe, track=track)


def _read_catvnoncat(chosen: DataSource, track: Track) -> Dataset:
    return read_catvnoncat()


BUILT_IN: dict[str, Callable[[DataSource, Track], Dataset]] = {
    "sketches": _draw_sketches,
    "catvnoncat": _read_catvnoncat,
}


class Reader(NamedTuple):
    """A kind of data on the disk.

    Attributes:
        recognises: Whether it reads a path, given the path and the kind of its content.
        read: Reads the data set, given the path, the path of the test split or None, and options.
        options: The names of these options: of `DataSource`, and "track".
        list_files: Lists picture files, given the paths and the positive class; None if it reads
            arrays.
    """

    recognises: Callable[[Path, str], bool]
    read: Callable[..., Dataset]
    options: tuple[str, ...]
    list_files: Callable[[Path, Path | None, str | None], Listing] | None = None


FILES = ("positive", "size", "data_seed", "skip_bad", "strict", "track")
ARRAYS = ("positive", "layout", "data_seed")

# The first that recognises a path reads it.
READERS = (
    Reader(lambda path, content: content == FOLDER, read_folder, FILES, list_folder),
    Reader(is_table, read_table, FILES, lambda path, test, positive: list_table(path, test)),
    Reader(is_npz, read_npz, ARRAYS),
    Reader(is_hdf5, read_hdf5, ARRAYS),
    Reader(is_kept, read_kept, ("positive",)),
)


def _read(chosen: DataSource, track: Track) -> Dataset:
    """Read or draw the pictures of a source."""
    if chosen.data in BUILT_IN:
        return BUILT_IN[chosen.data](chosen, track)
    reader, path, test = _find_reader(chosen)
    given = dataclasses.asdict(chosen) | {"track": track}
    if chosen.size is None:
        given["size"] = SIDE
    return reader.read(path, test, **{name: given[name] for name in reader.options})


def _read_listed(chosen: DataSource, listing: Listing, track: Track) -> Dataset:
    return read_listing(
        listing,
        chosen.positive,
        SIDE if chosen.size is None else chosen.size,
        chosen.data_seed,
        skip_bad=chosen.skip_bad,
        strict=chosen.strict,
        track=track,
    )


def list_pictures(chosen: DataSource) -> Listing | None:
    """List the picture files of a folder or of a table; None if the source is neither.

    Raises:
        DataError: If they cannot be listed.
        UsageError: If the options do not fit together.
    """
    _check_built_in(chosen)
    if chosen.data in BUILT_IN:
        return None
    path = expand(chosen.data)
    require_path(path, tuple(BUILT_IN))
    if not path.is_dir() and path.suffix.lower() not in ENDINGS:  # it is not opened for its kind
        return None
    reader, path, test = _find_reader(chosen)
    if reader.list_files is None:
        return None
    return group_listing(reader.list_files(path, test, chosen.positive), chosen.group_by)


def _find_reader(chosen: DataSource) -> tuple[Reader, Path, Path | None]:
    """Find what reads a source that is not built in; return it with the paths of the source."""
    path = expand(chosen.data)
    test = None if chosen.test is None else expand(chosen.test)
    require_path(path, tuple(BUILT_IN))
    content = content_of(path)
    reader = next((reader for reader in READERS if reader.recognises(path, content)), None)
    if reader is None:
        raise not_read(path, content)
    for name, fits, what, where in (
        ("layout", "layout" in reader.options, "arrays", "an HDF5 or npz file"),
        ("group_by", reader.list_files is not None, "picture files", "a folder or a table of them"),
    ):
        if getattr(chosen, name) is not None and not fits:
            raise UsageError(
                f"{name} is given for {chosen.data}, which holds no {what}",
                f"{name} with {where} only",
                "leave it out",
            )
    if test is not None:
        _require_kind(test, reader, path)
    return reader, path, test


def _require_kind(test: Path, reader: Reader, path: Path) -> None:
    """Raise a DataError unless the test split is of the kind that `reader` reads."""
    require_path(test)
    content = content_of(test)
    if not reader.recognises(test, content):
        raise DataError(
            f"the test split {test} is {content}, and {path} is {content_of(path)}",
            f"a test split of the same kind as {path}",
            "give such a file or folder",
        )
