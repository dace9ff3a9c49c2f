"""Find the picture files that names of files, folders and patterns mean."""

import glob
import os
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from jaxnet.data.dataset import PassedOver
from jaxnet.data.passed_over import Found, add, count
from jaxnet.data.tree import BELOW, is_run, look
from jaxnet.errors import DataError
from jaxnet.io.files import expand


class PictureFiles(NamedTuple):
    """Picture files, and what lies beside them.

    Attributes:
        paths: The files, in the order in which they were named; those of a folder are sorted.
        passed_over: What folders hold besides, by kind.
    """

    paths: tuple[Path, ...]
    passed_over: tuple[PassedOver, ...] = ()


def find_pictures(
    places: str | Path | Sequence[str | Path], *, recursive: bool = False
) -> PictureFiles:
    """Find the picture files that names of files, folders and patterns mean.

    Args:
        places: Files, which are taken as they are; folders, whose pictures are taken; and patterns
            such as `photos/*.jpg`, where no file has that very name. `**` stands for any folders.
        recursive: Whether to take the pictures in the folders below a folder, too.

    Raises:
        DataError: If a folder has no pictures, or is a run of jaxnet, or a pattern fits no file.
    """
    paths: list[Path] = []
    found: Found = {}
    for place in [places] if isinstance(places, str | Path) else places:
        path = expand(place)
        if path.is_dir():
            paths += _in_folder(path, found, recursive)
        elif glob.has_magic(str(path)) and not os.path.lexists(path):
            paths += _fitting(path)
        else:
            paths.append(path)  # whether it is a picture shows when it is read
    return PictureFiles(tuple(paths), count(found))


def _in_folder(folder: Path, found: Found, recursive: bool) -> list[Path]:
    if is_run(folder):
        raise DataError(
            f"{folder} is a run of jaxnet, whose pictures are plots",
            "picture files, or a folder of pictures",
            "give the pictures",
        )
    tree = look(folder)
    for kind, files in tree.passed_over.items():
        add(found, kind, [str(folder.joinpath(*f)) for f in files if recursive or len(f) == 1])
    below = [] if recursive else [parts for parts in tree.pictures if len(parts) > 1]
    taken = [folder.joinpath(*parts) for parts in tree.pictures if recursive or len(parts) == 1]
    if not taken:
        lines = "; ".join(map(str, count(found)))
        raise DataError(
            f"{folder} holds no pictures"
            + (f" itself, and {len(below):,} in the folders below it" if below else "")
            + (f"; passed over: {lines}" if lines else ""),
            "picture files in a usual format",
            "give recursive=True to take those as well" if below else "give another folder",
        )
    add(found, BELOW, [str(folder.joinpath(*parts)) for parts in below])
    return taken


def _fitting(pattern: Path) -> list[Path]:
    fitting = sorted(glob.glob(str(pattern), recursive=True))
    paths = [Path(name) for name in fitting if not os.path.isdir(name)]
    if not paths:
        raise DataError(
            f"the pattern {pattern} fits no file",
            "a pattern of names of pictures, such as photos/*.jpg",
            "check the folder and the ending; upper and lower case differ",
        )
    return paths
