"""Check the format and the format version, which every file of jaxnet contains."""

import h5py

from jaxnet import __version__
from jaxnet.errors import ModelFileError
from jaxnet.io.attributes import read_attribute
from jaxnet.io.bounded_hdf5 import names_in


def require_format(file: h5py.File, kind: str, newest: int) -> int:
    """Return the format version of an HDF5 file of this kind.

    Args:
        file: The open file.
        kind: What its attribute `format` must be.
        newest: The newest version that can be read; all older ones can.

    Raises:
        ModelFileError: If the file is of another kind, or of a newer version.
    """
    if "format" not in file.attrs or read_attribute(file, "format") != kind:
        raise ModelFileError(
            f"{file.filename} is an HDF5 file, but not a {kind}; "
            f"it contains {', '.join(names_in(file)) or 'nothing'}",
            f'a file of the format "{kind}"',
            "give the run folder or the file in it",
        )
    version = read_attribute(file, "format_version")
    if not isinstance(version, int) or not 1 <= version <= newest:
        raise ModelFileError(
            f"{file.filename} has the format version {version}",
            f"a version up to {newest}, which jaxnet {__version__} reads",
            "use the version of jaxnet that wrote it, or a newer one",
        )
    return version
