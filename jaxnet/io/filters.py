"""The compression filters of HDF5 by their numbers, as The HDF Group registers them.

The HDF5 library has gzip, shuffle, Fletcher-32, szip, n-bit and scale-offset; h5py adds lzf. The
others come with the package hdf5plugin.
"""

_NAMES = {
    1: "gzip",
    2: "shuffle",
    3: "Fletcher-32",
    4: "szip",
    5: "n-bit",
    6: "scale-offset",
    32000: "lzf",
    307: "bzip2",
    32001: "blosc",
    32004: "lz4",
    32008: "bitshuffle",
    32013: "zfp",
    32015: "zstd",
    32017: "sz",
    32018: "fcidecomp",
    32024: "sz3",
    32026: "blosc2",
    32028: "sperr",
}
_IN_HDF5PLUGIN = frozenset(_NAMES) - {1, 2, 3, 4, 5, 6, 32000}


def name_filter(number: int) -> str:
    """Name a filter of HDF5, as "zstd" or "filter 40000"."""
    return _NAMES.get(number, f"filter {number}")


def repack_remedy(numbers: list[int]) -> str:
    """Say how data behind these filters are compressed anew with gzip, which is read everywhere."""
    again = "compress the file again with gzip: h5repack -f GZIP=4 OLD NEW"
    if not _IN_HDF5PLUGIN.isdisjoint(numbers):
        return (
            "install the package hdf5plugin; with it (`import h5py, hdf5plugin`) read each array, "
            'and write it to a new file by create_dataset with compression="gzip"'
        )
    return again
